"""Burn rates, budgets, exhaustion and verdicts, against formulas written out by hand and a slow simulation."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from support.objectives import DAY, HOUR, PERIOD, TIERS, availability
from triton_watch.records import VERDICTS, BudgetTable, ModelKey, Objective, Page, SeriesKey, Verdict, WindowSums
from triton_watch.slo.budget import goals_of, judge
from triton_watch.slo.levels import levels_for, windows_of
from triton_watch.slo.report import added_up, rows_of, silent_targets, worst_first

COUNTS = st.integers(0, 10**6)


def sums(
    good: list[float], bad: list[float], *, objective: Objective, covered: float = PERIOD, silence: float = 0.0
) -> WindowSums:
    """One series whose windows, ascending, hold these events."""
    key = SeriesKey(objective.name, "t", ModelKey("m", "1"))
    columns = (np.array([good]).T.astype(float), np.array([bad]).T.astype(float))
    return WindowSums(0.0, (key,), windows_of([objective]), *columns, np.array([covered]), np.array([silence]))


def judged(counted: WindowSums, objective: Objective) -> BudgetTable:
    return judge(counted, goals_of(counted.keys, {objective.name: objective}))


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=8, max_size=8), st.sampled_from((0.5, 0.9, 0.99, 0.999, 0.9999)))
def test_burn_rates_and_what_is_left_are_the_formulas(steps: list[tuple[int, int]], promised: float) -> None:
    """Burn = bad / total / (1 - objective); left = 1 - bad / (total x (1 - objective)); nothing without events."""
    objective = availability(promised)
    good, bad = np.cumsum(np.array(steps, dtype=float), axis=0).T
    table = judged(sums(good.tolist(), bad.tolist(), objective=objective), objective)
    for row, (g, b) in enumerate(zip(good, bad, strict=True)):
        if g + b == 0:
            assert math.isnan(table.burn[row, 0])
        else:
            assert table.burn[row, 0] == pytest.approx(b / (g + b) / (1 - promised), rel=1e-9)
    total = good[-1] + bad[-1]
    if total:
        assert table.remaining[0] == pytest.approx(1 - bad[-1] / (total * (1 - promised)), rel=1e-6, abs=1e-9)


@given(st.lists(st.tuples(COUNTS, st.integers(0, 3000)), min_size=8, max_size=8), st.integers(1, 1000))
def test_a_tier_fires_when_both_its_windows_burn_and_the_long_one_has_enough_events(
    steps: list[tuple[int, int]], least: int
) -> None:
    objective = availability(0.99, min_events=least)
    good, bad = np.cumsum(np.array(steps, dtype=float), axis=0).T
    counted = sums(good.tolist(), bad.tolist(), objective=objective)
    events = {window: (good[i] + bad[i], bad[i]) for i, window in enumerate(counted.windows)}

    def burns(window: float, factor: float) -> bool:
        total, wrong = events[window]
        return bool(total > 0 and wrong / total / 0.01 > factor)

    firing = [
        i
        for i, tier in enumerate(TIERS)
        if burns(tier.long, tier.factor) and burns(tier.short, tier.factor) and events[tier.long][0] >= least
    ]
    borders = [abs(b / t / 0.01 - f.factor) for f in TIERS for t, b in (events[f.long], events[f.short]) if t]
    assume(all(border > 1e-6 for border in borders))
    table = judged(counted, objective)
    assert table.fires[0] == (firing[0] if firing else -1)
    assert np.flatnonzero(table.firing[:, 0]).tolist() == firing


def test_an_objective_without_paging_windows_never_pages() -> None:
    tickets = tuple(tier for tier in TIERS if tier.severity is Page.TICKET)
    both = {"availability": availability(), "quiet": availability(windows=tickets, name="quiet")}
    counted = sums([0.0] * 8, [1000.0] * 8, objective=both["availability"])
    twice = WindowSums(
        0.0,
        (counted.keys[0], counted.keys[0]._replace(slo="quiet")),
        counted.windows,
        *(np.repeat(values, 2, axis=1) for values in (counted.good, counted.bad)),
        *(np.repeat(values, 2) for values in (counted.covered, counted.silence)),
    )
    table = judge(twice, goals_of(twice.keys, both))
    assert [table.tiers[i].severity for i in table.fires.tolist()] == [Page.PAGE, Page.TICKET]
    assert table.evaluated.T.tolist() == [[True] * 4, [False, False, True, True]]
    assert not (table.firing & ~table.evaluated).any()


@pytest.mark.parametrize(
    ("bad", "silence", "verdict"),
    [
        (0.0, 0.0, Verdict.OK),
        (1000.0, 0.0, Verdict.EXHAUSTED),
        (999.0, 0.0, Verdict.OK),
        (0.0, 600.0, Verdict.OK),
        (0.0, 601.0, Verdict.NO_DATA),
        (1000.0, 601.0, Verdict.NO_DATA),
        (0.0, math.nan, Verdict.NO_DATA),
    ],
)
def test_the_verdict_is_the_worst_that_holds_and_silence_is_never_good(
    bad: float, silence: float, verdict: Verdict
) -> None:
    """1,000 of 1,000,000 may be bad; all of it was long ago, so that no window burns."""
    objective = availability()
    counted = sums([0.0] * 7 + [1e6 - bad], [0.0] * 7 + [bad], objective=objective, silence=silence)
    assert VERDICTS[judged(counted, objective).verdict[0]] is verdict


def test_without_any_event_there_is_no_data() -> None:
    objective = availability()
    table = judged(sums([0.0] * 8, [0.0] * 8, objective=objective), objective)
    assert VERDICTS[table.verdict[0]] is Verdict.NO_DATA
    assert math.isnan(table.remaining[0])
    assert math.isnan(table.exhaustion[0])


@given(
    share=st.floats(0.002, 1.0),
    past=st.integers(10_000, 10**7),
    rate=st.integers(1, 1000),
    hours=st.integers(1, 719),
)
def test_a_young_budget_lasts_as_long_as_a_simulation_says(share: float, past: int, rate: int, hours: int) -> None:
    """So far `past` good requests; from now on `rate` a second, of which `share` fail: when is nothing left?"""
    objective = availability()
    hour_total, hour_bad = rate * HOUR, rate * HOUR * share
    good = [hour_total - hour_bad] * 7 + [past + hour_total - hour_bad]
    counted = sums(good, [hour_bad] * 8, objective=objective, covered=hours * HOUR)
    seconds = judged(counted, objective).exhaustion[0]
    total, bad = past + hour_total, hour_bad
    if bad >= total * 0.001:
        assert seconds == pytest.approx(0.0, abs=1e-6)
        return
    assert seconds > 0
    left = 1 - (bad + rate * share * seconds) / ((total + rate * seconds) * 0.001)
    assert left == pytest.approx(0.0, abs=1e-6)


def test_at_a_pace_that_the_objective_allows_a_budget_lasts_for_ever() -> None:
    objective = availability()
    counted = sums([9_999_999.0] * 8, [1.0] * 8, objective=objective, covered=DAY)
    assert math.isnan(judged(counted, objective).exhaustion[0])


def test_a_full_periods_budget_is_spent_at_the_pace_of_the_last_hour() -> None:
    objective = availability()
    counted = sums([0.0, 0.0, 3590.0, *[1e6] * 5], [0.0, 0.0, 10.0, *[10.0] * 5], objective=objective)
    left = (1e6 + 10) * 0.001 - 10
    assert judged(counted, objective).exhaustion[0] == pytest.approx(left / (10 / HOUR))


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=6))
def test_replicas_are_added_up_and_never_averaged(replicas: list[tuple[int, int]]) -> None:
    objective = availability()
    model = ModelKey("m", "1")
    good, bad = (np.array([values] * 8, dtype=float) for values in zip(*replicas, strict=True))
    keys = tuple(SeriesKey("availability", f"t{i}", model) for i in range(len(replicas)))
    n = len(replicas)
    apart = WindowSums(0.0, keys, windows_of([objective]), good, bad, np.full(n, PERIOD), np.zeros(n))
    summed, targets = added_up(apart)
    (row,) = rows_of(summed, {"availability": objective}, targets)
    total, wrong = sum(g + b for g, b in replicas), sum(b for _, b in replicas)
    assert row.targets == tuple(sorted(key.target for key in keys))
    assert (row.good + row.bad, row.bad) == (total, wrong)
    if total:
        assert row.remaining == pytest.approx(1 - wrong / (total * 0.001))
    else:
        assert row.remaining is None


def test_a_target_that_went_silent_is_named_though_the_sum_goes_on() -> None:
    objective = availability()
    keys = tuple(SeriesKey("availability", name, ModelKey("m", "1")) for name in ("a", "b"))
    one = np.ones((8, 2))
    both = WindowSums(0.0, keys, windows_of([objective]), one, one, np.full(2, PERIOD), np.array([3.0, 700.0]))
    (said,) = silent_targets(both, {"availability": objective})
    assert said.startswith("target b has had no data for 11.7 min")
    unheard = replace(both, silence=np.array([3.0, math.nan]))
    (said,) = silent_targets(unheard, {"availability": objective})
    assert said.startswith("target b has had no data yet")
    (row,) = rows_of(*added_up(both)[:1], {"availability": objective}, added_up(both)[1])
    assert row.silence == 3.0


def test_rows_are_sorted_by_verdict_then_by_what_is_left() -> None:
    objective = availability()
    objectives = {"availability": objective}
    cases = ((0.0, 0.0), (1e6, 0.0), (1e6 - 10, 10.0), (1e6 - 5000, 5000.0), (1e6 - 2000, 2000.0))
    rows = [
        row
        for good, bad in cases
        for row in rows_of(sums([0.0] * 7 + [good], [0.0] * 7 + [bad], objective=objective), objectives, {})
    ]
    assert [row.bad for row in worst_first(rows)] == [5000.0, 2000.0, 0.0, 10.0, 0.0]


def test_the_levels_of_a_month_are_few_and_fine_enough() -> None:
    levels = levels_for(windows_of([availability()]))
    assert {level.resolution for level in levels.values()} == {5.0, 60.0, 360.0, 4320.0, 43200.0}
    assert all(window <= level.span <= 3 * window for window, level in levels.items())
    assert all(level.resolution <= window / 20 for window, level in levels.items())


def test_of_two_tiers_with_the_same_windows_the_one_that_burns_faster_comes_first() -> None:
    """So it is for short periods, whose windows fall together; and it is the same in every process."""
    slow, fast = (replace(TIERS[0], factor=factor, long=120.0, short=60.0) for factor in (6.0, 14.4))
    for windows in ((slow, fast), (fast, slow)):
        objective = availability(windows=windows)
        goals = goals_of((SeriesKey("availability", "t", ModelKey("m", "1")),), {"availability": objective})
        assert [tier.factor for tier in goals.tiers] == [14.4, 6.0]
