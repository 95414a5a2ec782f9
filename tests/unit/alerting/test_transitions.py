"""Every transition of an alert, against a model that remembers everything and counts it anew each time."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from triton_watch.records import AlertCase, AlertPhase
from unit.alerting.world import World, case, definition

MODELS = ("a", "b", "c")
Outcome = bool | None
OUTCOMES = st.sampled_from([True, True, False, None])
SECONDS = st.sampled_from([0.0, 1.0, 5.0, 15.0, 60.0, 290.0, 400.0])


@dataclass
class Naive:
    """One alert as one would explain it: a list of polls, and a list of what each stretch of time was."""

    failures: int
    window: int
    hold: float
    keep: float
    phase: str = "inactive"
    polls: list[bool] = field(default_factory=list)
    status: str = "unknown"
    """Of the condition, k of n: met, unmet or unknown."""
    stretches: list[tuple[str, float]] = field(default_factory=list)
    """Since the alert came into its phase, or since what it waits for was last interrupted."""
    fired_at: float | None = None
    resolved_for: float = 0.0

    def spend(self, seconds: float, now: float) -> None:
        self.stretches.append((self.status, seconds))
        if self.phase == "resolved":
            self.resolved_for += seconds
            if self.resolved_for >= 300.0:
                self._go("pending" if any(self._last()) else "inactive")
                return
        self._judge(now)

    def poll(self, outcome: Outcome, now: float, *, is_new: bool) -> None:
        if outcome is None:
            self.status = "unknown"
            return
        if not is_new and self.polls:
            self.polls.pop()
        self.polls.append(outcome)
        self.status = "met" if sum(self._last()) >= self.failures else "unmet"
        if self.phase == "inactive" and outcome:
            self._go("pending")
        if self.phase == "resolved" and self.status == "met":
            self._go("pending")
        if (self.phase, self.status) in {("pending", "unmet"), ("firing", "met")}:
            self.stretches = []
        if self.phase == "pending" and not any(self._last()):
            self._go("inactive")
        self._judge(now)

    def forget_time(self) -> None:
        """The process ended and another one began."""
        self.status = "unknown"

    def counted(self, status: str) -> float:
        return sum(seconds for one, seconds in self.stretches if one == status)

    def _last(self) -> list[bool]:
        return self.polls[-self.window :]

    def _judge(self, now: float) -> None:
        if (self.phase, self.status) == ("pending", "met") and self.counted("met") >= self.hold:
            self._go("firing")
            self.fired_at = now
        elif (self.phase, self.status) == ("firing", "unmet") and self.counted("unmet") >= self.keep:
            self._go("resolved")
            self.resolved_for = 0.0

    def _go(self, phase: str) -> None:
        self.phase, self.stretches = phase, []
        if phase == "inactive":
            self.polls = []


class Alerts(RuleBasedStateMachine):
    """Three alerts of one definition, each beside its model."""

    @initialize(
        failures=st.integers(1, 3),
        more=st.integers(0, 2),
        hold=st.sampled_from([0.0, 1.0, 20.0, 60.0]),
        keep=st.sampled_from([0.0, 5.0, 30.0]),
    )
    def begin(self, failures: int, more: int, hold: float, keep: float) -> None:
        window = failures + more
        self.world = World(definition(failures=failures, window=window, hold=hold, keep=keep))
        self.naive = {model: Naive(failures, window, hold, keep) for model in MODELS}

    @rule(outcomes=st.tuples(*[OUTCOMES] * 3), after=SECONDS)
    def poll(self, outcomes: tuple[Outcome, ...], after: float) -> None:
        self.world.poll(*self._cases(outcomes), after=after)
        self._model(outcomes, after, is_new=True)

    @rule(outcomes=st.tuples(*[OUTCOMES] * 3), after=SECONDS)
    def look_between_polls(self, outcomes: tuple[Outcome, ...], after: float) -> None:
        is_new = not self.world.cycles or self._is_fresh
        self.world.cycles.setdefault("t", 1)
        self.world.look(*self._cases(outcomes), after=after)
        self._model(outcomes, after, is_new=is_new)

    @rule(after=SECONDS)
    def lose(self, after: float) -> None:
        self.world.lose(after=after)
        self._model((None,) * 3, after, is_new=True)

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)
        for naive in self.naive.values():
            naive.spend(seconds, self.world.now())

    @rule(by=st.sampled_from([-86_400.0, -30.0, 30.0, 86_400.0]))
    def set_the_wall_clock(self, by: float) -> None:
        self.world.wall += by

    @rule(down=SECONDS)
    def restart(self, down: float) -> None:
        self.world.restart(down)
        self._is_fresh = True
        for naive in self.naive.values():
            naive.forget_time()

    @invariant()
    def every_alert_stands_where_the_model_says(self) -> None:
        if not hasattr(self, "world"):
            return
        states = {dict(state.key.labels)["model"]: state for state in self.world.evaluator.states()}
        for model, naive in self.naive.items():
            state = states.get(model)
            assert (state.phase.value if state else "inactive") == naive.phase
            if state is None:
                continue
            if state.phase is AlertPhase.PENDING:
                assert state.held == naive.counted("met")
                assert state.fired_at is None
            else:
                assert state.fired_at == naive.fired_at
            if state.phase is AlertPhase.FIRING:
                assert state.unmet == naive.counted("unmet")
            if state.phase is AlertPhase.RESOLVED:
                assert state.unmet == naive.resolved_for
            assert state.is_known == (naive.status != "unknown")

    @invariant()
    def the_order_is_that_of_phase_then_labels(self) -> None:
        if hasattr(self, "world"):
            states = self.world.evaluator.states()
            ranks = [(["firing", "pending", "resolved"].index(one.phase.value), one.key.labels) for one in states]
            assert ranks == sorted(ranks)
            assert len({one.key for one in states}) == len(states)

    _is_fresh = False
    """The process is new and has seen no poll."""

    def _cases(self, outcomes: tuple[Outcome, ...]) -> list[AlertCase]:
        """What does not hold is sometimes said and sometimes left out."""
        pairs = zip(MODELS, outcomes, strict=True)
        return [case(model, holds) for model, holds in pairs if holds is not False or model == "a"]

    def _model(self, outcomes: tuple[Outcome, ...], after: float, *, is_new: bool) -> None:
        self._is_fresh = False
        for naive, outcome in zip(self.naive.values(), outcomes, strict=True):
            naive.spend(after, self.world.now())
            naive.poll(outcome, self.world.now(), is_new=is_new)


TestAlerts = Alerts.TestCase
TestAlerts.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
