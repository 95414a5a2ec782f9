"""All alerts in the order in which people read them, kept in one tuple that anybody may read at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.records import AlertPhase, AlertSeverity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from triton_watch.alerting.board import Change
    from triton_watch.records import AlertKey, AlertState

_PHASES: Final = {
    phase: rank for rank, phase in enumerate((AlertPhase.FIRING, AlertPhase.PENDING, AlertPhase.RESOLVED))
}
_SEVERITIES: Final = {severity: rank for rank, severity in enumerate(AlertSeverity)}


class Roster:
    """`states` are sorted by phase, severity, name and labels, each key once; the tuple is replaced whole."""

    def __init__(self) -> None:
        self.states: tuple[AlertState, ...] = ()
        self._places: dict[AlertKey, int] = {}

    def update(self, changes: Iterable[Change], everything: Callable[[], Iterable[AlertState]]) -> None:
        """Take in changes. All alerts are sorted anew, from `everything`, only where the order may be another one."""
        states = list(self.states)
        for old, new in changes:
            stays = old is not None and new is not None and old.phase is new.phase
            place = self._places.get(old.key) if old is not None and stays else None
            if new is None or place is None or states[place] is not old:
                self._sort(everything())
                return
            states[place] = new
        self.states = tuple(states)

    def _sort(self, everything: Iterable[AlertState]) -> None:
        """Sort; of two alerts that are told as one, the one that comes first counts."""
        found: dict[AlertKey, AlertState] = {}
        for state in sorted(everything, key=_rank):
            found.setdefault(state.key, state)
        self._places = {key: place for place, key in enumerate(found)}
        self.states = tuple(found.values())


def _rank(state: AlertState) -> tuple[object, ...]:
    return _PHASES[state.phase], _SEVERITIES[state.key.severity], state.key.alert, state.key.labels
