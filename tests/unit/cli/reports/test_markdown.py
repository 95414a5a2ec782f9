"""Markdown for tickets: complete, and nothing in it is markup of somebody else's."""

from __future__ import annotations

import re
from pathlib import Path

from triton_watch.cli.reports import render
from triton_watch.records import Report
from unit.cli.reports.samples import bad_day, hostile, many

GOLDEN = Path(__file__).with_name("golden")


def test_a_report_in_markdown_is_this() -> None:
    assert render(bad_day(), "markdown") == (GOLDEN / "bad_day.md").read_text()


def test_hostile_names_are_code_or_escaped() -> None:
    text = render(hostile(), "markdown")
    outside = re.sub(r"(`+).+?\1", "", text)
    assert "<script>" not in outside.replace("\\<script>", "")
    assert "*bold*" not in outside.replace("\\*bold\\*", "")
    assert text.isprintable() or all(one.isprintable() or one in "\n\N{ZERO WIDTH SPACE}" for one in text)


def test_every_line_of_the_table_has_the_same_number_of_cells() -> None:
    for report in (bad_day(), hostile()):
        lines = [line for line in render(report, "markdown").splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
        assert len(lines) == len(report.rows) + 2


def test_the_best_off_are_left_out_of_a_long_report() -> None:
    assert "950 rows are left out" in render(many(), "markdown")
    assert "left out" not in render(many(), "markdown", None)


def test_an_empty_report_has_no_table() -> None:
    text = render(Report(0.0, "/state", (), ()), "markdown")
    assert text == "## Error budgets\n\nNo budget to report; read from /state, up to 1970-01-01 00:00 UTC.\n"
