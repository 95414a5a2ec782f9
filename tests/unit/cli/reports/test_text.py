"""The text of a report at the widths that terminals have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from triton_watch.cli.reports import render
from triton_watch.cli.reports.text import MOST_STORIES, bar, renderable, style_of
from triton_watch.records import Report, Verdict
from unit.cli.reports.samples import AVAILABLE, DAY, QUEUE, WINDOWS, bad_day, hostile, many, row

if TYPE_CHECKING:
    from triton_watch.records import ReportRow

GOLDEN = Path(__file__).with_name("golden")


def printed(report: Report, width: int, most: int | None = 50, *, bars: bool = True) -> str:
    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as capture:
        console.print(renderable(report, width, most, bars=bars))
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


@pytest.mark.parametrize("width", [80, 160])
def test_a_report_at_usual_widths_is_this(width: int) -> None:
    assert printed(bad_day(), width) == (GOLDEN / f"bad_day_{width}.txt").read_text()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 160, 220])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for report in (bad_day(), hostile()):
        console = Console(width=width)
        assert all(console.measure(line).maximum <= width for line in printed(report, width).splitlines())


def test_without_block_characters_there_is_no_bar() -> None:
    assert "█" in printed(bad_day(), 160)
    assert "█" not in printed(bad_day(), 160, bars=False)


def test_a_report_without_rows_says_so() -> None:
    empty = Report(0.0, "/state", (AVAILABLE,), (), ("availability matches no model.",))
    text = printed(empty, 160)
    assert text.startswith("No budget to report; read from /state, up to 1970-01-01 00:00 UTC.")
    assert "Warning: availability matches no model." in text


def test_when_all_hold_the_headline_says_it_and_no_sentence_follows() -> None:
    fine = tuple(one for one in bad_day().rows if one.verdict is Verdict.OK)
    assert printed(replace(bad_day(), rows=fine), 160).startswith("All 2 budgets hold; ")
    assert printed(replace(bad_day(), rows=fine[:1]), 160).startswith("The one budget holds; ")
    assert "is ok" not in printed(replace(bad_day(), rows=fine), 160)


def test_rows_that_are_left_out_are_counted() -> None:
    text = printed(many(), 160)
    assert "950 rows are left out, the best off: --all shows all 1,000." in text
    assert f"and {50 - MOST_STORIES} more of the rows above." in text
    assert "left out" not in printed(many(), 160, None)


def test_periods_that_differ_make_each_cell_name_its_window() -> None:
    week = replace(QUEUE, period=7 * DAY, windows=WINDOWS[:1])
    rows = (row(AVAILABLE, "a", 9.0, 1.0, Verdict.OK), row(week, "b", 9.0, 1.0, Verdict.OK))
    text = printed(replace(bad_day(), rows=rows), 160)
    assert "BURN FAST" in text
    assert "0.2x in 1h" in text
    assert "7 d to 30 d up to" in text


def test_targets_are_a_column_when_there_are_several_and_stay_when_they_tell_rows_apart() -> None:
    one, other = (row(AVAILABLE, "a", 9.0, 1.0, Verdict.OK, targets=(name,)) for name in ("rack-a", "rack-b"))
    assert "TARGET" not in printed(replace(bad_day(), rows=(one,)), 160)
    apart = printed(replace(bad_day(), rows=(one, other)), 60)
    assert "rack-a" in apart
    assert "rack-b" in apart


def test_no_data_is_never_green() -> None:
    styles = {one.verdict: style_of(one) for one in bad_day().rows}
    assert styles[Verdict.OK] == "green"
    assert "green" not in styles[Verdict.NO_DATA]
    console = Console(width=160, force_terminal=True, color_system="standard", highlight=False)
    silent = tuple(one for one in bad_day().rows if one.verdict is Verdict.NO_DATA)
    with console.capture() as capture:
        console.print(renderable(replace(bad_day(), rows=silent), 160, None))
    assert "\x1b[35m" in capture.get()
    assert "\x1b[32m" not in capture.get()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"silence": None}, "nothing was ever reported"),
        ({"silence": 3.0}, "no traffic: nothing was counted in 30 d"),
        ({"silence": 840.0}, "its indicator has had nothing to say for 14 min"),
        ({"silence": 3.0, "good": 5.0}, "no data for 3 s"),
    ],
)
def test_no_data_says_which_kind_it_is(changes: dict[str, float | None], said: str) -> None:
    silent: ReportRow = replace(row(AVAILABLE, "m", 0.0, 0.0, Verdict.NO_DATA), **changes)  # type: ignore[arg-type]  # of several types
    assert said in printed(replace(bad_day(), rows=(silent,)), 160)


def test_hostile_names_move_no_cursor() -> None:
    text = printed(hostile(), 160)
    assert all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize(
    ("remaining", "text"),
    [
        (None, ""),
        (1.0, "████████"),
        (2.0, "████████"),
        (0.5, "████····"),
        (0.3, "██▍·····"),
        (0.0, "········"),
        (-3.0, "········"),
    ],
)
def test_a_bar_is_as_long_as_what_is_left(remaining: float | None, text: str) -> None:
    assert bar(remaining) == text


def test_text_for_a_file_is_that_of_a_wide_terminal() -> None:
    assert render(bad_day(), "text") == printed(bad_day(), 160)
