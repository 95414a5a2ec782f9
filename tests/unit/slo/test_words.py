"""Objectives in words: every SLI, every part that an objective can have."""

from __future__ import annotations

from typing import Any

import pytest

from triton_watch.records import BurnWindow, Goal, Objective, Override, Page, SloSli
from triton_watch.slo.words import alerts_in_words, budget_words, in_words, listed, period_words, window_words

DAY = 86_400.0


def objective(sli: SloSli, goal: Goal, **changed: Any) -> Objective:
    return Objective(**{"name": "x", "sli": sli, "goal": goal, "period": 30 * DAY, "windows": (), **changed})


QUEUE = Goal(0.99, high=0.05)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (
            objective(SloSli.QUEUE_TIME, QUEUE, models=("text_*",)),
            "99% of requests of text_* wait under 50 ms over 30 days: 7.2 h of budget.",
        ),
        (
            objective(SloSli.AVAILABILITY, Goal(0.999)),
            "99.9% of requests to every model are answered without an error over 30 days: 43.2 min of budget.",
        ),
        (
            objective(SloSli.REQUEST_TIME, Goal(0.95, high=1.5), models=("text_*", "ranker"), period=7 * DAY),
            "95% of requests of text_* and ranker take under 1.5 s over 7 days: 8.4 h of budget.",
        ),
        (
            objective(SloSli.QUEUE_TIME, Goal(0.99, high=0.05, quantile="0.999"), models=("a", "b", "c")),
            "99% of requests of a, b and c come while the served p99.9 queue time is under 50 ms over 30 days: "
            "7.2 h of budget.",
        ),
        (
            objective(SloSli.REQUEST_TIME, Goal(0.99, high=0.05, quantile="0.5"), period=3600.0),
            "99% of requests of every model come while the served p50 request time is under 50 ms over 1 hour: "
            "36 s of budget.",
        ),
        (
            objective(SloSli.TTFT, Goal(0.9, high=0.5), exclude_models=("*_canary",)),
            "90% of requests of every model except *_canary give their first response in under 500 ms over 30 days: "
            "3 d of budget.",
        ),
        (
            objective(SloSli.BATCH_EFFICIENCY, Goal(0.9, low=0.5), targets=("gpu-*",)),
            "90% of the time with traffic, the batch efficiency of every model on gpu-* is at least 0.5 over 30 days: "
            "3 d of budget.",
        ),
        (
            objective(SloSli.GPU_UTILIZATION, Goal(0.9, low=0.2, high=0.9)),
            "90% of the time with traffic, the GPU utilization of every model is 20% to 90% over 30 days: "
            "3 d of budget.",
        ),
        (
            objective(SloSli.GPU_UTILIZATION, Goal(0.9, high=0.9), models=("ranker",)),
            "90% of the time with traffic, the GPU utilization of ranker is at most 90% over 30 days: 3 d of budget.",
        ),
        (
            objective(SloSli.GPU_UTILIZATION, Goal(0.9, low=0.05), models=("ranker",)),
            "90% of the time with traffic, the GPU utilization of ranker is at least 5% over 30 days: 3 d of budget.",
        ),
    ],
    ids=lambda value: value.sli.value if isinstance(value, Objective) else "",
)
def test_an_objective_is_one_sentence(one: Objective, words: str) -> None:
    assert in_words(one) == words


def test_overrides_are_further_sentences() -> None:
    overrides = (
        Override(("text_large", "text_huge"), Goal(0.95, high=0.2)),
        Override(("tiny",), Goal(0.99, high=0.01, min_events=1)),
    )
    assert in_words(objective(SloSli.QUEUE_TIME, QUEUE, overrides=overrides)) == (
        "99% of requests of every model wait under 50 ms over 30 days: 7.2 h of budget. "
        "For text_large and text_huge: 95% of requests wait under 200 ms, 1.5 d of budget. "
        "For tiny: 99% of requests wait under 10 ms, 7.2 h of budget, and alerts need 1 event."
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (0.26, "260 ms"),
        (2.592, "2.59 s"),
        (59.0, "59 s"),
        (60.0, "1 min"),
        (2592.0, "43.2 min"),
        (25_920.0, "7.2 h"),
        (86_400.0, "1 d"),
        (366 * DAY, "366 d"),
        (-7200.0, "-2 h"),
    ],
)
def test_a_budget_is_in_the_unit_that_suits(seconds: float, words: str) -> None:
    assert budget_words(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(DAY, "1 day"), (36 * 3600.0, "36 hours"), (5400.0, "90 minutes"), (3600.5, "3600.5 s")]
)
def test_a_period_is_in_the_largest_unit_that_divides_it(seconds: float, words: str) -> None:
    assert period_words(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(3600.0, "1h"), (70.0, "1m10s"), (259_200.0, "3d"), (0.0, "0s")])
def test_a_window_is_as_prometheus_writes_it(seconds: float, words: str) -> None:
    assert window_words(seconds) == words


def test_alerts_are_said_by_severity() -> None:
    windows = (
        BurnWindow(Page.PAGE, 14.4, 3600.0, 300.0, 120.0),
        BurnWindow(Page.PAGE, 6.0, 21_600.0, 1800.0, 900.0),
        BurnWindow(Page.TICKET, 1.0, 259_200.0, 21_600.0, 900.0),
    )
    assert alerts_in_words(objective(SloSli.QUEUE_TIME, QUEUE, windows=windows)) == (
        "pages when the budget burns 14.4x over 1h and 5m, or 6x over 6h and 30m",
        "makes a ticket when the budget burns 1x over 3d and 6h",
    )
    assert alerts_in_words(objective(SloSli.QUEUE_TIME, QUEUE)) == ()


def test_a_long_list_is_cut() -> None:
    assert listed([*"abcdefg"]) == "a, b, c, d, e, f and g"
    assert listed([*"abcdefgh"]) == "a, b, c, d, e, f and 2 more"
