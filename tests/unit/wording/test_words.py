"""Numbers and times are short, and never say more than is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from triton_watch.records import Goal, SloSli
from triton_watch.wording import words
from triton_watch.wording.words import NO_DATA
from unit.cli.reports.samples import AVAILABLE, QUEUE, WINDOWS, bad_day


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.25, "0.25"),
        (31, "31"),
        (9999.4, "9,999"),
        (9999.6, "10k"),
        (12_345, "12.3k"),
        (999_499, "999k"),
        (999_950, "1M"),
        (4_571_234, "4.57M"),
        (1e9, "1G"),
        (2.5e15, "2.5e+15"),
    ],
)
def test_numbers_of_events_are_short(value: float, text: str) -> None:
    assert words.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (0.04, "40 ms"),
        (45, "45 s"),
        (840, "14 min"),
        (5400, "1.5 h"),
        (79_000, "22 h"),
        (86_400 * 30, "30 d"),
        (1e300, "over 1,000 years"),
    ],
)
def test_times_have_the_largest_unit_that_suits_them(value: float, text: str) -> None:
    assert words.span(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (None, NO_DATA),
        (1.0, "100%"),
        (0.99999, "99.9%"),
        (0.62, "62%"),
        (0.004, "0.4%"),
        (0.0001, "<0.1%"),
        (0.0, "0%"),
        (-1.394, "-139%"),
        (-9.994, "-999%"),
        (-9.996, "<-999%"),
        (-12345.0, "<-999%"),
    ],
)
def test_what_is_left_never_looks_whole_or_spent_when_it_is_not(ratio: float | None, text: str) -> None:
    assert words.percent(ratio) == text


@pytest.mark.parametrize(
    ("burn", "text"),
    [(None, NO_DATA), (0.0, "0x"), (0.001, "<0.01x"), (0.84, "0.84x"), (9.96, "10x"), (1e6, "1Mx")],
)
def test_burn_rates_tell_no_data_from_no_burn(burn: float | None, text: str) -> None:
    assert words.pace(burn) == text


def test_a_moment_that_no_calendar_knows_is_still_written() -> None:
    assert words.when(1_795_819_200.0).endswith(" UTC")
    assert words.when(1e300) == "1e+300 s after 1970"


@pytest.mark.parametrize(
    ("sli", "goal", "text"),
    [
        (SloSli.AVAILABILITY, Goal(0.999), "99.9%"),
        (SloSli.QUEUE_TIME, Goal(0.99, high=0.05), "99% ≤ 50 ms"),
        (SloSli.REQUEST_TIME, Goal(0.95, high=1.5, quantile="0.99"), "95% p99 ≤ 1.5 s"),
        (SloSli.BATCH_EFFICIENCY, Goal(0.9, low=0.5), "90% ≥ 50%"),
        (SloSli.GPU_UTILIZATION, Goal(0.9, low=0.2, high=0.8), "90% at 20%\N{EN DASH}80%"),
        (SloSli.QUEUE_TIME, Goal(0.9, high=1.0, quantile="half"), "90% half ≤ 1 s"),
    ],
)
def test_goals_are_written_with_their_bounds(sli: SloSli, goal: Goal, text: str) -> None:
    assert words.goal(replace(AVAILABLE, sli=sli), goal) == text


def test_a_name_has_an_end_and_moves_no_cursor() -> None:
    shown = words.name("\x1b[31m" + "x" * 300 + "\n")
    assert shown.isprintable()
    assert len(shown) == words.LONGEST_NAME


def test_a_row_names_its_namespace_and_targets() -> None:
    row = bad_day().rows[0]
    assert words.model(replace(row, namespace="team", version="")) == "team/ranker"
    assert words.targets(replace(row, targets=("a", "b"))) == "2 targets"
    assert words.targets(replace(row, targets=())) == NO_DATA
    assert words.verdict(replace(row, fires=WINDOWS[2])) == "exhausted, ticket"
    assert words.amount(QUEUE, 90.0) == "90"
