"""Charts: the line falls as bad events come, turns red at zero, and is left out where nothing is known."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from triton_watch.records import Course, Verdict
from triton_watch.wording.charts import HEIGHT, STEPS, WIDTH, Charts, charts
from unit.cli.reports.samples import AT, AVAILABLE, DAY, bad_day, row

MONTH = 30 * DAY


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]


def drawn(good: float, bad: float, course: Course, at: float = AT) -> Charts:
    made = charts(row(AVAILABLE, "m", good, bad, Verdict.OK, course=course), at)
    assert made is not None
    return made


def even(good: float, bad: float, start: float = AT - MONTH, end: float = AT) -> Course:
    return Course(np.array([start, end]), np.array([0.0, good]), np.array([0.0, bad]))


def test_half_a_budget_spent_evenly_is_a_line_to_half_the_height() -> None:
    made = drawn(9_995.0, 5.0, even(9_995.0, 5.0))
    assert points(made.left)[0] == (0, 0)
    assert points(made.left)[-1] == (WIDTH, HEIGHT / 2)
    assert (made.spent, made.zero, made.lowest) == ("", str(HEIGHT), "0%")


def test_the_line_changes_its_colour_where_it_crosses_zero() -> None:
    made = drawn(9_980.0, 20.0, even(9_980.0, 20.0))
    assert float(made.zero) == HEIGHT / 2
    assert points(made.left)[-1] == points(made.spent)[0] == (WIDTH / 2, HEIGHT / 2)
    assert points(made.spent)[-1] == (WIDTH, HEIGHT)
    assert made.lowest == "-100%"


def test_a_budget_spent_many_times_stays_in_the_drawing() -> None:
    made = drawn(0.0, 10_000.0, even(0.0, 10_000.0))
    assert all(0 <= y <= HEIGHT for _, y in points(made.left + made.spent))
    assert made.lowest == "-100%"


def test_bad_events_are_a_bar_in_their_step() -> None:
    times = np.linspace(AT - MONTH, AT, STEPS + 1)
    bad = np.where(np.arange(STEPS + 1) > 30, 7.0, 0.0)
    made = drawn(10_000.0, 7.0, Course(times, np.zeros(STEPS + 1), bad))
    assert points(made.bars.split("v")[0]) == [(30 * WIDTH / STEPS, HEIGHT)]
    assert made.bars.count("M") == 1
    assert (made.most, made.step) == ("7", "12 h")


def test_no_bad_event_is_a_full_line_and_no_bar() -> None:
    made = drawn(100.0, 0.0, even(100.0, 0.0))
    assert {y for _, y in points(made.left)} == {0}
    assert made.bars == ""


def test_the_line_ends_where_knowledge_does() -> None:
    made = drawn(9_995.0, 5.0, even(9_995.0, 5.0, AT - 10 * DAY, AT - 5 * DAY))
    assert points(made.left)[-1][0] == WIDTH / 2
    assert (made.start, made.end) == ("2026-11-17", "2026-11-27")


def test_what_was_before_the_period_is_not_drawn() -> None:
    made = drawn(9_995.0, 5.0, even(19_990.0, 10.0, AT - 2 * MONTH, AT))
    assert points(made.left)[-1] == (WIDTH, HEIGHT / 2)


@pytest.mark.parametrize(
    "course",
    [
        None,
        Course(np.array([AT]), np.array([0.0]), np.array([0.0])),
        Course(np.array([AT, AT]), np.array([0.0, 1.0]), np.array([0.0, 1.0])),
        Course(np.array([AT - 1, np.inf]), np.array([0.0, 1.0]), np.array([0.0, 1.0])),
        Course(np.array([]), np.array([]), np.array([])),
    ],
)
def test_nothing_is_drawn_where_nothing_is_known(course: Course | None) -> None:
    assert charts(row(AVAILABLE, "m", 9.0, 1.0, Verdict.OK, course=course), AT) is None


def test_a_row_without_events_has_no_charts() -> None:
    assert charts(replace(bad_day().rows[0], good=0.0, bad=0.0), AT) is None


def test_numbers_that_are_none_do_not_spoil_a_chart() -> None:
    course = Course(np.array([AT - DAY, AT - 1, AT]), np.zeros(3), np.array([0.0, np.nan, 5.0]))
    made = drawn(9_995.0, 5.0, course)
    assert "nan" not in made.left + made.bars
