"""The alerts of one target, by definition: only what changes is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.alerting.in_force import model_of, summary_of
from triton_watch.alerting.machine import begun, ended, is_counting, observed, passed, unknown
from triton_watch.records import AlertCase, AlertKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.alerting.in_force import Found, InForce
    from triton_watch.records import AlertState

ORPHAN: Final = -1
"""The place of alerts that no definition accounts for any more: they only end."""
_QUIET: Final = AlertCase((), holds=False)


class Slot(NamedTuple):
    """Where an alert is: the place of its definition, and its key. Two definitions may be told as one alert."""

    place: int
    key: AlertKey


class Change(NamedTuple):
    """One alert before and after; None = inactive."""

    old: AlertState | None
    new: AlertState | None


class Moment(NamedTuple):
    """When an evaluation is made: monotonic and Unix seconds. `is_new`: it is the first one of a poll."""

    at: float
    now: float
    is_new: bool = False


class Board:
    """The alerts of `target` as of the monotonic time `at`. Not for several threads at once.

    `size` is how many there are, `cycle` the last poll that was seen, `refused` how many found no room in it.
    """

    def __init__(self, target: str, in_force: InForce, at: float) -> None:
        self.target = target
        self.cycle: int | None = None
        self.size = 0
        self.refused = 0
        self._in_force = in_force
        self._at = at
        self._groups: dict[int, dict[AlertKey, AlertState]] = {}
        self._counting: set[Slot] = set()
        self._changes: list[Change] = []

    @property
    def is_counting(self) -> bool:
        """Whether time that passes changes any alert."""
        return bool(self._counting)

    def states(self) -> list[AlertState]:
        """All alerts, in no order."""
        return [state for group in self._groups.values() for state in group.values()]

    def has(self, place: int) -> bool:
        """Whether there is any alert of a definition."""
        return bool(self._groups.get(place))

    def changes(self) -> list[Change]:
        """What changed since the last call, in order."""
        found, self._changes = self._changes, []
        return found

    def put(self, place: int, state: AlertState) -> None:
        """Take an alert as it is."""
        slot = Slot(place, state.key)
        self._set(slot, state, self._rule(slot))

    def let_pass(self, moment: Moment) -> None:
        """Let time pass, for the alerts to which it matters."""
        elapsed, self._at = moment.at - self._at, moment.at
        for slot in tuple(self._counting) if elapsed else ():
            rule = self._rule(slot)
            self._set(slot, passed(self._groups[slot.place][slot.key], rule, elapsed, moment.now), rule)

    def see(self, place: int, found: Mapping[AlertKey, Found] | None, moment: Moment, room: int) -> None:
        """Take in what a definition says; None = nothing is known. The board grows to `room` alerts at most."""
        if found is None:
            self._lose(place)
            return
        for slot, state in self._slots(place):
            if slot.key not in found:
                rule = self._rule(slot)
                after = observed(state, _QUIET, rule, hold=state.hold, is_new=moment.is_new, now=moment.now)
                self._set(slot, after, rule)
        for key, one in found.items():
            before = self._groups.get(place, {}).get(key)
            if before is None:
                before = self._begun(key, one, moment, room)
            if before is not None:
                after = observed(before, one.case, one.rule, hold=one.hold, is_new=moment.is_new, now=moment.now)
                self._set(Slot(place, key), after, one.rule)

    def rebase(self, in_force: InForce, now: float) -> None:
        """Go over to other settings: what they switch off ends."""
        self._in_force = in_force
        for place in tuple(self._groups):
            for slot, state in self._slots(place):
                rule = self._rule(slot)
                self._set(slot, ended(state, now) if rule is None else state, rule)

    def end(self, now: float) -> None:
        """End all: nobody watches the target any more."""
        self.refused = 0
        for place in tuple(self._groups):
            for slot, state in self._slots(place):
                self._set(slot, ended(state, now), self._rule(slot))

    def _begun(self, key: AlertKey, one: Found, moment: Moment, room: int) -> AlertState | None:
        if not one.case.holds:
            return None
        if self.size >= room:
            self.refused += 1
            return None
        return begun(key, summary_of(one.rule.summary, key.labels), moment.now)

    def _lose(self, place: int) -> None:
        for slot, state in self._slots(place):
            self._set(slot, unknown(state), self._rule(slot))

    def _slots(self, place: int) -> list[tuple[Slot, AlertState]]:
        """The alerts of a definition; they may change while the list is gone through."""
        return [(Slot(place, key), state) for key, state in self._groups.get(place, {}).items()]

    def _rule(self, slot: Slot) -> AlertDefinition | None:
        """The definition that holds for an alert; None = none that would still be told as this one."""
        if slot.place == ORPHAN:
            return None
        rule = self._in_force.rule(slot.place, self.target, model_of(slot.key.labels))
        return rule if rule is not None and rule.severity is slot.key.severity else None

    def _set(self, slot: Slot, new: AlertState | None, rule: AlertDefinition | None) -> None:
        group = self._groups.setdefault(slot.place, {})
        old = group.get(slot.key)
        if new is None:
            group.pop(slot.key, None)
        else:
            group[slot.key] = new
        if new is not None and is_counting(new, rule):
            self._counting.add(slot)
        else:
            self._counting.discard(slot)
        if new is not old:
            self.size += (new is not None) - (old is not None)
            self._changes.append(Change(old, new))
