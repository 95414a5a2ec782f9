"""The terminal: grouped, wrapped, with carets below what is meant at any width, and nothing that moves a cursor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from support.check_reports import (
    BATCHING,
    CONFIG,
    DIM,
    HOSTILE,
    NO_GROUPS,
    NO_WARM_UP,
    PROBE,
    finding,
    report,
    written,
)
from triton_watch.check.output import write
from triton_watch.check.output.excerpt import excerpt
from triton_watch.check.output.wrap import wrap
from triton_watch.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from triton_watch.check.report import Report
    from triton_watch.records import Finding


class Screen:
    """A terminal of a given width whose text is kept."""

    def __init__(self, width: int, *, colours: bool = False) -> None:
        self.width = width
        self._console = Console(width=width, force_terminal=colours, color_system="standard" if colours else None)

    def print(self, *parts: RenderableType, wrap: bool = True) -> None:
        self._console.print(*parts, soft_wrap=not wrap)

    def show(self, of: Report) -> str:
        with self._console.capture() as capture:
            write(of, "terminal", self)
        return capture.get()


WHOLE = """\
deploy.yaml:14:5  TW701 no-probe  warning
  the container has no probes

classifier
models/classifier  TW101 no-config  warning  ■ red line
  there is no config.pbtxt

ranker
models/ranker/config.pbtxt:3:1  TW402 no-dynamic-batching  warning  ■ red line
  max_batch_size is 64, but there is no dynamic_batching: the requests of
  several clients are never put together, and each of them runs alone
  3 │ max_batch_size: 64
    │ ^^^^^^^^^^^^^^
  fix: add `dynamic_batching { }`

models/ranker/config.pbtxt:12:11  TW304 bad-dimension  error
  input "ids" has a dimension of 0. Triton: "dimension must be integer >= 1, or
  -1"
  12 │         dims: [ 0 ]
     │                 ^
  fix: write -1 for a dimension that varies

1 error, 3 warnings, 2 red lines crossed in 3 models, 1 manifest (0.4 s)
4 suppressed

Production readiness
[ ] Model repository structured correctly  TW101 in 1 model
[ ] Dynamic batching configured            TW402 in 1 model
[x] Instance groups allocate GPUs
[ ] Health endpoints monitored             TW701 in 1 place
[?] Metrics exported to Prometheus         not checked: none of its rules ran
[ ] Input/output shapes validated          TW304 in 1 model
"""


def test_a_whole_report_on_80_columns() -> None:
    dim = replace(DIM, column=11)
    shown = Screen(80).show(report([BATCHING, dim, CONFIG, PROBE], suppressed=4, seconds=0.42))
    assert shown == WHOLE


def test_a_pipe_gets_the_same_without_colours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    write(report(suppressed=4, seconds=0.42), "terminal", Terminal())
    assert capsys.readouterr().out == WHOLE


def test_a_stream_gets_it_in_wider_lines() -> None:
    assert "the requests of several clients are never put\n  together" in written("terminal")


def test_colours_mark_severity_and_red_lines() -> None:
    shown = Screen(80, colours=True).show(report())
    assert "\x1b[1;31merror\x1b[0m" in shown
    assert "\x1b[33mwarning\x1b[0m\x1b[1;31m  ■ red line\x1b[0m" in shown


def test_nothing_found_says_in_how_many() -> None:
    shown = Screen(80).show(report([], models=12, repositories=2, manifests=0))
    assert shown.startswith("Nothing found in 12 models of 2 repositories\n\nProduction readiness\n")


def test_nothing_but_known_findings_is_nothing_new() -> None:
    assert (
        Screen(80).show(report([], baselined=7)).startswith("Nothing new in 3 models, 1 manifest\n7 in the baseline\n")
    )


@pytest.mark.parametrize("width", [60, 80, 160])
def test_no_line_is_wider_than_the_screen_but_for_words_that_are(width: int) -> None:
    wide = finding(
        NO_GROUPS, "日本語", message="日本語の説明 " * 30, fix="日本 " * 50, source="日本語" * 90, line=1, column=150
    )
    long = finding(NO_GROUPS, "a" * 90, message="b " * 300, source="x" * 300, line=123456, column=299, width=40)
    for line in Screen(width).show(report([wide, long, DIM])).splitlines():
        assert cell_len(line) <= width or len(line.split()) == 1, line


@given(st.lists(HOSTILE, max_size=5))
def test_nothing_that_moves_the_cursor_is_printed(found: list[Finding]) -> None:
    shown = Screen(80).show(report(found))
    assert all(line.isprintable() for line in shown.split("\n"))


def test_a_place_that_is_too_long_stands_on_a_line_of_its_own() -> None:
    lines = Screen(60).show(report([replace(BATCHING, file=f"models/{'deep/' * 8}config.pbtxt")])).splitlines()
    assert lines[1:3] == [f"models/{'deep/' * 8}config.pbtxt:3:1", "  TW402 no-dynamic-batching  warning  ■ red line"]


def advice(models: int, **fields: object) -> list[Finding]:
    return [finding(NO_WARM_UP, f"m{i}", message=f"m{i} has no model_warmup", **fields) for i in range(models)]


def test_advice_that_many_models_get_is_shown_for_the_first() -> None:
    shown = Screen(80).show(report(advice(40)))
    assert shown.count("TW450") == 1
    assert "  m0 has no model_warmup\n  and in 39 more models\n" in shown
    assert "40 infos in" in shown


def test_advice_that_few_models_get_is_shown_for_each() -> None:
    shown = Screen(80).show(report(advice(5)))
    assert shown.count("TW450") == 5
    assert "more models" not in shown


def test_warnings_are_never_folded() -> None:
    shown = Screen(80).show(report([finding(NO_GROUPS, f"m{i}") for i in range(20)]))
    assert shown.count("TW601 no-instance-group") == 20


@pytest.mark.parametrize(
    ("source", "column", "width", "marked"),
    [
        ("name: 'x'", 7, 3, "'x'"),
        ("\tname: 'x'", 8, 3, "'x'"),
        ("a\tb", 3, 1, "b"),
        ("日本 x", 4, 1, "x"),
        ("日本 x", 1, 2, "日本"),
        ("a\x00\x1b\u202eb", 5, 1, "b"),
        ("e\u0301x", 3, 1, "x"),
        ("x" * 250 + "MARK" + "y" * 40, 251, 4, "MARK"),
        ("MARK" + "y" * 290, 1, 4, "MARK"),
        ("x" * 290 + "MARK", 291, 4, "MARK"),
        ("語" * 140 + "MARK" + "語" * 9, 141, 4, "MARK"),
    ],
)
@pytest.mark.parametrize("columns", [40, 80, 160])
def test_carets_stand_below_what_is_meant(source: str, column: int, width: int, marked: str, columns: int) -> None:
    shown = excerpt(finding(NO_GROUPS, line=7, column=column, source=source, width=width), columns)
    assert shown is not None
    assert shown.carets == cell_len(marked)
    assert cell_len(shown.line[: shown.line.index(marked)]) == shown.offset
    assert cell_len(shown.line) + len("7 │ ") <= columns


@pytest.mark.parametrize(("source", "column"), [(None, 1), ("", 1), ("   ", 2), ("short", 9), ("short", None)])
def test_there_is_no_excerpt_without_a_place_in_it(source: str | None, column: int | None) -> None:
    assert excerpt(finding(NO_GROUPS, line=1, column=column, source=source), 80) is None


def test_what_is_missing_in_a_file_does_not_point_at_its_first_character() -> None:
    missing = finding(NO_GROUPS, line=1, column=1, source='name: "ranker"')
    assert excerpt(missing, 80) is None
    assert excerpt(replace(missing, width=4), 80) is not None


def test_a_place_behind_the_last_character_has_a_caret() -> None:
    shown = excerpt(finding(NO_GROUPS, line=1, column=6, source="short"), 80)
    assert shown == ("1", "short", 5, 1)


@given(st.text(st.sampled_from("ab 日é-"), max_size=200), st.integers(20, 120))
def test_wrapping_keeps_every_word(text: str, width: int) -> None:
    lines = wrap(text, width, "  ", "fix: ")
    assert " ".join(lines).replace("fix:", "", 1).split() == text.split()
    assert all(line.startswith("  ") for line in lines[1:])
    assert all(cell_len(line) <= width or len(line.split()) <= 2 for line in lines)
