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
TIMED = replace(USUAL, sli=SloSli.BATCH_EFFICIENCY, goal=Goal(0.99, low=0.5, min_events=3601))


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
    [TIMED, replace(TIMED, goal=Goal(0.99, low=0.5), overrides=(Override(("x",), TIMED.goal),))],
    ids=["objective", "override"],
)
def test_a_window_that_can_never_hold_enough_seconds_is_told(one: Objective) -> None:
    assert list(oddities([one])) == [
        "a needs 3601 events, which are seconds here, and its window of 1h never holds so many: lower min_events."
    ]


def test_requests_may_be_as_many_as_they_like() -> None:
    assert not list(oddities([replace(TIMED, sli=SloSli.QUEUE_TIME)]))
    assert not list(oddities([replace(TIMED, goal=Goal(0.99, low=0.5, min_events=3600))]))


def test_a_burn_rate_that_no_budget_can_reach_is_told() -> None:
    """With 90 % promised, a budget of which everything is bad burns ten times too fast, and no faster."""
    (note,) = oddities([replace(USUAL, goal=Goal(0.9, high=0.05))])
    assert note.startswith("a never burns 14.4x: with 90% promised, everything bad is 10x;")
    assert not list(oddities([replace(USUAL, goal=Goal(0.94, high=0.05))]))


def test_a_period_for_which_windows_fall_together_is_told() -> None:
    fast = replace(WINDOWS[0], long=120.0, short=60.0)
    same = (fast, replace(fast, factor=6.0))
    (note,) = oddities([replace(USUAL, period=3600.0, windows=same)])
    assert note.startswith("a has a period of 1 hour, for which windows fall together")


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ((("x1",), ("y*",)), ("y*",)),
        ((("*",), ("x1",)), ("x1",)),
        ((("x1",), ("x1", "x2")), ()),
        ((("x?",), ("x1", "x2")), ("x1 and x2",)),
        ((("other",),), ("other",)),
        ((("o*",),), ("o*",)),
        ((("*1",),), ()),
    ],
)
def test_an_override_that_no_model_can_get_is_told(
    overrides: tuple[tuple[str, ...], ...], told: tuple[str, ...]
) -> None:
    """Of an objective about x*: an earlier override takes its models, or the objective is not about them."""
    made = tuple(Override(models, Goal(0.99, high=0.1)) for models in overrides)
    notes = list(oddities([replace(USUAL, models=("x*",), overrides=made)]))
    assert [note.split("override for ")[1].split(":")[0] for note in notes] == list(told)
