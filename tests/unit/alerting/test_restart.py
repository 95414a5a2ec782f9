from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from triton_watch.alerting.evaluator import Evaluator
from triton_watch.records import AlertMode, AlertPhase, AlertSettings, AlertState
from unit.alerting.world import LOG, START, World, case, definition, state_of

STEPS = st.lists(st.tuples(st.sampled_from([True, True, False, None]), st.sampled_from([1.0, 10.0, 25.0])), max_size=12)


def started_with(*stored: AlertState, mode: AlertMode = AlertMode.AGENT) -> Evaluator:
    rule = definition(lambda facts, threshold: [], keep=60.0)  # noqa: ARG005 - a condition
    return Evaluator(AlertSettings(mode=mode), (rule,), stored, log=LOG, clock=lambda: 7.0, now=lambda: START + 60.0)


def run(world: World, steps: list[tuple[bool | None, float]]) -> list[AlertState]:
    seen: list[AlertState] = []
    for holds, after in steps:
        world.poll(case("m", holds), after=after)
        world.wait(after)
        seen += world.evaluator.states()
    return seen


@settings(deadline=None)
@given(before=STEPS, after=STEPS, hold=st.sampled_from([0.0, 20.0, 40.0]), keep=st.sampled_from([0.0, 20.0]))
def test_to_end_and_begin_at_once_is_as_if_nothing_had_happened(
    before: list[tuple[bool | None, float]], after: list[tuple[bool | None, float]], hold: float, keep: float
) -> None:
    rule = definition(hold=hold, keep=keep, failures=2, window=3)
    whole, parted = World(rule), World(rule)
    run(whole, before)
    run(parted, before)
    parted.restart()
    at_once = [(holds, 0.0) for holds, _ in after[:1]] + after[1:]  # until then nothing is known
    assert run(parted, at_once) == run(whole, at_once)


@settings(deadline=None)
@given(before=STEPS, after=STEPS, down=st.sampled_from([1.0, 1e3, 1e6, -1e3]))
def test_time_that_the_agent_was_down_counts_for_nothing(
    before: list[tuple[bool | None, float]], after: list[tuple[bool | None, float]], down: float
) -> None:
    rule = definition(hold=40.0, keep=20.0)
    short, long = World(rule), World(rule)
    for world, pause in ((short, 0.0), (long, down)):
        run(world, before)
        world.restart(pause)

    def durations(states: list[AlertState]) -> list[tuple[object, ...]]:
        return [(one.phase, one.held, one.unmet, one.recent, one.is_known) for one in states]

    assert durations(run(long, after)) == durations(run(short, after))


def test_a_firing_alert_goes_on_firing_unknown_until_its_target_is_polled() -> None:
    world = World(definition(hold=20.0, keep=20.0))
    world.poll(case("m"))
    world.wait(20.0)
    fired = world.the_state().fired_at
    world.restart(down=3600.0)
    world.wait(3600.0)
    state = world.the_state()
    assert (state.phase, state.fired_at, state.is_known) == (AlertPhase.FIRING, fired, False)
    world.poll(case("m"))
    assert (world.the_state().fired_at, world.the_state().is_known) == (fired, True)


def test_an_alert_whose_cause_went_while_the_agent_was_down_resolves_once() -> None:
    world = World()
    world.poll(case("m"))
    world.restart(down=3600.0)
    world.poll()
    assert world.phases() == {"m/t": "resolved"}
    world.restart()
    world.poll()
    assert world.phases() == {"m/t": "resolved"}
    world.wait(300.0)
    world.restart()
    assert world.phases() == {}


def test_stored_alerts_of_targets_that_are_gone_end_with_the_first_list_of_targets() -> None:
    evaluator = started_with(state_of(target="gone"), state_of(target="t"))
    assert [one.phase for one in evaluator.states()] == [AlertPhase.FIRING] * 2
    evaluator.only(["t"])
    assert [(one.phase, one.key.labels[-1][1]) for one in evaluator.states()] == [
        (AlertPhase.FIRING, "t"),
        (AlertPhase.RESOLVED, "gone"),
    ]


def test_stored_alerts_that_no_definition_knows_end_and_pending_ones_are_dropped() -> None:
    def other(state: AlertState) -> AlertState:
        return replace(state, key=state.key._replace(alert="TritonOld"))

    evaluator = started_with(other(state_of()), other(state_of(AlertPhase.PENDING, "n")))
    (state,) = evaluator.states()
    assert (state.key.alert, state.phase, state.resolved_at) == ("TritonOld", AlertPhase.RESOLVED, START + 60.0)


def test_with_alerts_off_stored_ones_end() -> None:
    (state,) = started_with(state_of(), state_of(AlertPhase.PENDING, "n"), mode=AlertMode.OFF).states()
    assert state.phase is AlertPhase.RESOLVED


def test_stored_alerts_about_checks_end_where_the_checks_have_been_switched_off() -> None:
    world = World(definition(name="TritonConfigErrors"))
    world.poll(case("m"))
    world.settings = AlertSettings(config_check=None)
    world.restart()
    assert world.phases() == {"m/t": "resolved"}


def test_more_than_there_may_be_are_not_taken() -> None:
    world = World(limit=3)
    world.poll(case("m"))
    stored = [state_of(model=str(number)) for number in range(10)]
    evaluator = Evaluator(
        AlertSettings(), (definition(),), stored, log=LOG, clock=lambda: 0.0, now=lambda: START, limit=3
    )
    assert len(evaluator.states()) == 3
