"""The examples that explain the state machine; that it holds always is in test_transitions."""

from __future__ import annotations

import pytest

from triton_watch.alerting.machine import RETENTION, ended, observed, passed
from triton_watch.records import AlertCase, AlertPhase
from unit.alerting.world import START, World, case, definition, state_of


def test_without_patience_an_alert_fires_at_the_first_evaluation_and_resolves_at_the_next() -> None:
    world = World()
    world.poll(case("m", detail="It is ill."))
    state = world.the_state()
    assert (state.phase, state.active_at, state.fired_at) == (AlertPhase.FIRING, world.now(), world.now())
    assert (state.summary, state.detail) == ("m of t is ill", "It is ill.")
    world.poll(after=15.0)
    state = world.the_state()
    assert (state.phase, state.resolved_at, state.detail) == (AlertPhase.RESOLVED, world.now(), "It is ill.")


def test_it_fires_between_polls_in_the_second_in_which_it_has_held_for_long_enough() -> None:
    world = World(definition(hold=20.0))
    world.poll(case("m"))
    began = world.now()
    world.poll(case("m"), after=15.0)
    world.wait(4.0)
    assert (world.phases(), world.the_state().held) == ({"m/t": "pending"}, 19.0)
    world.wait(1.0)
    state = world.the_state()
    assert (state.phase, state.active_at, state.fired_at) == (AlertPhase.FIRING, began, world.now())


def test_a_pending_alert_whose_condition_stops_is_gone_and_begins_anew() -> None:
    world = World(definition(hold=20.0))
    world.poll(case("m"))
    world.poll(after=15.0)
    assert world.phases() == {}
    world.poll(case("m"), after=15.0)
    assert world.the_state().held == 0.0


def test_two_of_three_polls_are_enough_and_one_of_three_is_remembered() -> None:
    world = World(definition(failures=2, window=3))
    told = []
    for holds in (True, False, False, True, False, True, False, False):
        world.poll(*[case("m")] * holds, after=15.0)
        told.append(world.phases().get("m/t", "inactive"))
    assert told == ["pending", "pending", "pending", "pending", "pending", "firing", "resolved", "resolved"]


def test_a_look_between_polls_is_no_poll_more() -> None:
    world = World(definition(failures=2, window=3))
    world.poll(case("m"))
    for _ in range(5):
        world.look(case("m"))
    assert (world.phases(), world.the_state().recent) == ({"m/t": "pending"}, (True,))
    world.look()
    assert world.phases() == {}


def test_no_data_neither_fires_nor_resolves_and_its_time_counts_for_nothing() -> None:
    world = World(definition(hold=20.0, keep=20.0))
    world.poll(case("m"))
    world.wait(10.0)
    world.lose()
    world.wait(1000.0)
    state = world.the_state()
    assert (state.phase, state.held, state.is_known, state.recent) == (AlertPhase.PENDING, 10.0, False, (True,))
    world.poll(case("m"))
    world.wait(10.0)
    assert world.the_state().phase is AlertPhase.FIRING
    world.poll()
    world.wait(15.0)
    world.poll(case("m", None))
    world.wait(1000.0)
    assert (world.the_state().phase, world.the_state().unmet) == (AlertPhase.FIRING, 15.0)
    world.poll()
    world.wait(5.0)
    assert world.the_state().phase is AlertPhase.RESOLVED


def test_an_alert_is_kept_firing_through_a_gap_that_is_short_enough() -> None:
    world = World(definition(keep=30.0))
    world.poll(case("m"))
    fired = world.the_state().fired_at
    for _ in range(10):
        world.poll(after=15.0)
        world.poll(case("m"), after=29.0)
    assert (world.phases(), world.the_state().fired_at) == ({"m/t": "firing"}, fired)
    world.poll(after=15.0)
    world.wait(30.0)
    assert world.phases() == {"m/t": "resolved"}


def test_a_resolved_alert_is_shown_for_five_minutes_and_may_begin_anew_meanwhile() -> None:
    world = World(definition(hold=10.0))
    world.poll(case("m"))
    world.wait(10.0)
    world.poll()
    world.wait(RETENTION - 1.0)
    assert world.phases() == {"m/t": "resolved"}
    world.poll(case("m"))
    state = world.the_state()
    assert (state.phase, state.fired_at, state.resolved_at, state.held) == (AlertPhase.PENDING, None, None, 0.0)
    world.wait(10.0)
    world.poll()
    world.wait(RETENTION)
    assert world.phases() == {}


@pytest.mark.parametrize("by", [-1e9, -3600.0, 3600.0, 1e9])
def test_a_wall_clock_that_jumps_changes_no_duration(by: float) -> None:
    world = World(definition(hold=20.0, keep=20.0))
    world.poll(case("m"))
    world.wait(19.0)
    world.wall += by
    world.wait(0.0)
    assert world.phases() == {"m/t": "pending"}
    world.wait(1.0)
    assert (world.phases(), world.the_state().fired_at) == ({"m/t": "firing"}, world.now())
    world.poll()
    world.wall -= by
    world.wait(19.0)
    assert world.phases() == {"m/t": "firing"}
    world.wait(1.0)
    assert world.phases() == {"m/t": "resolved"}


def test_a_case_that_holds_on_says_the_newest_words_and_one_that_does_not_keeps_the_last() -> None:
    rule = definition(keep=60.0)
    seen = observed(state_of(), AlertCase((), True, "Now 3.", 3.0), rule, hold=0.0, is_new=True, now=START)
    assert seen is not None
    assert (seen.detail, seen.value) == ("Now 3.", 3.0)
    after = observed(seen, AlertCase((), False), rule, hold=0.0, is_new=True, now=START)
    assert after is not None
    assert (after.phase, after.detail, after.value) == (AlertPhase.FIRING, "Now 3.", 3.0)


def test_what_does_not_change_is_the_same_object() -> None:
    state, rule = state_of(detail="It is ill."), definition()
    same = AlertCase(state.key.labels, True, "It is ill.")
    assert observed(state, same, rule, hold=0.0, is_new=True, now=START + 15.0) is state
    assert passed(state, rule, 15.0, START + 15.0) is state


@pytest.mark.parametrize(
    ("phase", "after"),
    [
        (AlertPhase.PENDING, None),
        (AlertPhase.FIRING, AlertPhase.RESOLVED),
        (AlertPhase.RESOLVED, AlertPhase.RESOLVED),
    ],
)
def test_an_alert_that_nobody_asks_for_any_more_ends_without_patience(
    phase: AlertPhase, after: AlertPhase | None
) -> None:
    state = state_of(phase)
    for over in (
        ended(state, START),
        observed(state, case("m"), None, hold=0.0, is_new=True, now=START),
        passed(state, None, 1.0, START),
    ):
        assert (over and over.phase) is after
