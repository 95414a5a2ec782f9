"""GitHub's workflow commands: one line a finding, in which nothing of a repository can start another command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from support.check_reports import BATCHING, CONFIG, DIM, HOSTILE, NO_WARM_UP, finding, report, written

if TYPE_CHECKING:
    from triton_watch.records import Finding


def test_an_error_a_red_line_and_advice() -> None:
    advice = finding(NO_WARM_UP, "encoder", message="slow first calls", file=None)
    lines = written("github", report([DIM, CONFIG, advice])).splitlines()
    assert lines == [
        "::warning file=models/classifier,title=TW101 no-config (red line)::classifier: there is no config.pbtxt",
        "::notice title=TW450 no-warm-up::encoder: slow first calls",
        "::error file=models/ranker/config.pbtxt,line=12,col=11,endColumn=12,title=TW304 bad-dimension::ranker: input "
        '"ids" has a dimension of 0. Triton: "dimension must be integer >= 1, or -1"%0AFix: write -1 for a dimension '
        "that varies",
        "triton-watch check: 1 error, 1 warning, 1 info, 1 red line in 3 models, 1 manifest",
    ]


def test_what_means_something_to_github_is_escaped() -> None:
    odd = replace(BATCHING, file="a,b:c%d", message="100%\r\n::error::x", model=None, fix=None)
    first, *_ = written("github", report([odd])).splitlines()
    assert first == (
        "::warning file=a%2Cb%3Ac%25d,line=3,col=1,endColumn=15,title=TW402 no-dynamic-batching (red line)::"
        "100%25%0D%0A::error::x"
    )


@given(st.lists(HOSTILE, max_size=5, unique=True))
def test_a_finding_is_one_line_whatever_is_in_it(found: list[Finding]) -> None:
    *lines, last = written("github", report(found)).removesuffix("\n").split("\n")
    assert len(lines) == len(found)
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) and "\r" not in line for line in lines)
    assert last.startswith("triton-watch check: ")
    last.encode()
