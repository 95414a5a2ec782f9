"""Markdown: counts, checklist and a table that no text of a repository breaks, short enough for a comment."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.check_reports import DIM, FINDINGS, HOSTILE, report, written
from triton_watch.check.output.markdown import MOST_CHARACTERS, code, escape

if TYPE_CHECKING:
    from triton_watch.records import Finding


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("| ")][2:]


def test_the_whole_page() -> None:
    page = written("markdown", report([DIM], suppressed=1, baselined=2))
    assert page == (
        "## triton-watch check\n"
        "\n"
        "1 error in 3 models, 1 manifest (1 suppressed, 2 in the baseline)\n"
        "\n"
        "### Production readiness\n"
        "\n"
        "- [x] Model repository structured correctly\n"
        "- [x] Dynamic batching configured\n"
        "- [x] Instance groups allocate GPUs\n"
        "- [x] Health endpoints monitored\n"
        "- [ ] Metrics exported to Prometheus: not checked, none of its rules ran\n"
        "- [ ] Input/output shapes validated: TW304 in 1 model\n"
        "\n"
        "### Findings\n"
        "\n"
        "| | Rule | Where | What and how to mend it |\n"
        "| --- | --- | --- | --- |\n"
        '| error | TW304 bad-dimension | `models/ranker/config.pbtxt:12:11` | input "ids" has a dimension of 0. '
        'Triton: "dimension must be integer >= 1, or -1"<br>Fix: write -1 for a dimension that varies |\n'
    )


def test_nothing_found_has_no_table() -> None:
    page = written("markdown", report([]))
    assert "nothing found in 3 models" in page
    assert "Findings" not in page


def test_the_worst_comes_first() -> None:
    first = [row.split(" |")[0] for row in rows(written("markdown"))]
    assert first == ["| error", "| warning<br>**red line**", "| warning<br>**red line**", "| warning"]


def test_it_fits_into_a_comment_and_says_what_is_left_out() -> None:
    many = [replace(one, message=f"{one.message} {i}") for i in range(1000) for one in FINDINGS]
    page = written("markdown", report(many))
    assert MOST_CHARACTERS < len(page) < 65_536
    left = re.search(r"… and ([\d,]+) more: `--format json` has them all\.\n$", page)
    assert left
    assert int(left[1].replace(",", "")) == len(many) - len(rows(page))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("max_batch_size is 4", "max_batch_size is 4"),
        ("_x_ and *y*", r"\_x\_ and \*y\*"),
        ("a | b", r"a \| b"),
        ("<script>", r"\<script>"),
        ("`a|b*c` and *", r"`a\|b*c` and \*"),
        ("one ` alone", r"one \` alone"),
        ("[x](http://evil)", r"\[x\](http://evil)"),
        ("@somebody", "@\N{ZERO WIDTH SPACE}somebody"),
        ("two\nlines", "two lines"),
    ],
)
def test_markup_in_a_text_is_shown_and_code_stays_code(text: str, shown: str) -> None:
    assert escape(text) == shown


@pytest.mark.parametrize(("text", "shown"), [("a|b", r"`a\|b`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("", "")])
def test_code_is_code_whatever_is_in_it(text: str, shown: str) -> None:
    assert code(text) == shown


@given(st.lists(HOSTILE, max_size=5, unique=True))
def test_a_finding_is_one_row_of_four_cells(found: list[Finding]) -> None:
    page = written("markdown", report(found))
    assert len(rows(page)) == len(found)
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", row)) == 5 for row in rows(page))
    page.encode()
