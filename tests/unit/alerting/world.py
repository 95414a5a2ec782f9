"""An evaluator on clocks and outcomes of the test's: what a condition says is what was put into `says`."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from triton_watch.alerting.definition import AlertDefinition, Facts
from triton_watch.alerting.evaluator import Evaluator
from triton_watch.alerting.kept import pack, unpack
from triton_watch.records import (
    AlertCase,
    AlertKey,
    AlertPhase,
    AlertSettings,
    AlertSeverity,
    AlertState,
    Target,
    TargetSnapshot,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.alerting.definition import Condition

LOG = logging.getLogger("triton_watch.test")
START = 1.7e9
NAME = "TritonTest"


def case(model: str, holds: bool | None = True, detail: str = "", hold: float | None = None) -> AlertCase:
    return AlertCase((("model", model),), holds, detail, hold=hold)


def facts_of(target: str, cycle: int, now: float = START) -> Facts:
    watched = Target(target, "http://h:8000", "http://h:8002/metrics", "h:8001")
    snapshot = TargetSnapshot(watched, cycle, now, 0.1, {})
    return Facts(snapshot, {}, (), {}, None)


def definition(condition: Condition | None = None, name: str = NAME, **more: object) -> AlertDefinition:
    plain = AlertDefinition(
        name=name,
        severity=AlertSeverity.PAGE,
        summary="{{ $labels.model }} of {{$labels.target}} is ill",
        description="",
        advice="",
        expr="",
        condition=condition,
        dashboard="",
    )
    return replace(plain, **more)  # type: ignore[arg-type]  # the caller names fields of AlertDefinition


@dataclass
class World:
    """One definition, told by `says` what it finds on each target; `None` there = nothing is known of the target."""

    rule: AlertDefinition = field(default_factory=definition)
    more: tuple[AlertDefinition, ...] = ()
    settings: AlertSettings = field(default_factory=AlertSettings)
    limit: int = 20_000
    seconds: float = 100.0
    """On the monotonic clock."""
    wall: float = START
    """What the wall clock shows when the monotonic one is at 0."""
    says: dict[str, list[AlertCase] | None] = field(default_factory=dict)
    cycles: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.evaluator = self._evaluator()

    def _evaluator(self, stored: Iterable[AlertState] = ()) -> Evaluator:
        definitions = (replace(self.rule, condition=self._condition), *self.more)
        return Evaluator(
            self.settings,
            definitions,
            stored,
            log=LOG,
            clock=lambda: self.seconds,
            now=self.now,
            limit=self.limit,
        )

    def _condition(self, facts: Facts, threshold: float) -> list[AlertCase] | None:  # noqa: ARG002 - a condition
        return self.says.get(facts.snapshot.target.name, [])

    def now(self) -> float:
        return self.wall + self.seconds

    def poll(self, *cases: AlertCase, target: str = "t", after: float = 0.0) -> None:
        """A new poll that finds these."""
        self.cycles[target] = self.cycles.get(target, 0) + 1
        self.look(*cases, target=target, after=after)

    def look(self, *cases: AlertCase, target: str = "t", after: float = 0.0) -> None:
        """Something else that changed since the last poll."""
        self.says[target] = list(cases)
        self._observe(target, after)

    def lose(self, target: str = "t", after: float = 0.0) -> None:
        """A new poll that knows nothing."""
        self.cycles[target] = self.cycles.get(target, 0) + 1
        self.says[target] = None
        self._observe(target, after)

    def _observe(self, target: str, after: float) -> None:
        self.seconds += after
        self.evaluator.observe(facts_of(target, self.cycles.get(target, 0), self.now()))

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.evaluator.advance()

    def swap(self, settings: AlertSettings) -> None:
        self.settings = settings
        self.evaluator.swap(settings)

    def restart(self, down: float = 0.0) -> None:
        """End, stay away for a while, and begin with what was stored; the monotonic clock may begin anew."""
        kept = unpack(pack(self.evaluator.states(), {}))
        assert kept.problem == ""
        self.wall += self.seconds + down - 5.0
        self.seconds = 5.0
        self.evaluator = self._evaluator(kept.states)

    def phases(self) -> dict[str, str]:
        """Where each alert stands, by the values of its labels."""
        return {
            "/".join(value for _, value in state.key.labels): state.phase.value for state in self.evaluator.states()
        }

    def the_state(self) -> AlertState:
        (state,) = self.evaluator.states()
        return state


def state_of(phase: AlertPhase = AlertPhase.FIRING, model: str = "m", target: str = "t", **more: object) -> AlertState:
    """A state as an earlier process may have stored it."""
    key = AlertKey(NAME, AlertSeverity.PAGE, (("model", model), ("target", target)))
    fired = None if phase is AlertPhase.PENDING else START
    resolved = START if phase is AlertPhase.RESOLVED else None
    plain = AlertState(key, phase, START, fired, resolved, recent=(phase is not AlertPhase.RESOLVED,))
    return replace(plain, **more)  # type: ignore[arg-type]  # the caller names fields of AlertState
