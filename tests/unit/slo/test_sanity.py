"""What is odd about objectives, told before anybody waits for an alert that cannot come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from triton_watch.records import BurnWindow, Goal, Objective, Override, Page, SloSli
from triton_watch.slo.sanity import oddities

WINDOWS = (
    BurnWindow(Page.PAGE, 14.4, 3600.0, 300.0, 120.0),
    BurnWindow(Page.TICKET, 1.0, 259_200.0, 21_600.0, 10_800.0),
)
USUAL = Objective("a", SloSli.QUEUE_TIME, Goal(0.99, high=0.05), 30 * 86_400.0, WINDOWS)
TIMED = replace(USUAL, sli=SloSli.BATCH_EFFICIENCY, goal=Goal(0.9, low=0.5, min_events=3601))


def test_usual_objectives_are_not_odd() -> None:
    assert not list(oddities([USUAL, replace(USUAL, name="b", models=("x",))]))


def test_an_objective_that_alerts_nobody_is_told() -> None:
    assert list(oddities([replace(USUAL, windows=())])) == [
        "a alerts nobody: its alerts are empty, so that only reports show it."
    ]


def test_two_that_promise_the_same_are_told_once() -> None:
    twins = [USUAL, replace(USUAL, name="b", description="the same in other words")]
    assert list(oddities(twins)) == ["b promises the same as a: delete one of them."]


@pytest.mark.parametrize(
    "one",
    [TIMED, replace(TIMED, goal=Goal(0.9, low=0.5), overrides=(Override(("x",), TIMED.goal),))],
    ids=["objective", "override"],
)
def test_a_window_that_can_never_hold_enough_seconds_is_told(one: Objective) -> None:
    assert list(oddities([one])) == [
        "a needs 3601 events, which are seconds here, and its window of 1h never holds so many: lower min_events."
    ]


def test_requests_may_be_as_many_as_they_like() -> None:
    assert not list(oddities([replace(TIMED, sli=SloSli.QUEUE_TIME)]))
    assert not list(oddities([replace(TIMED, goal=Goal(0.9, low=0.5, min_events=3600))]))
