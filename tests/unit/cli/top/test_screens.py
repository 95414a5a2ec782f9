"""Screens say what is to be said in the columns and lines that there are: no line is longer, whatever names are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from support.api import full_state
from triton_watch.cli.top.cells import bar, encodable, fill, fit, model, spark, squeezed, wrapped
from triton_watch.cli.top.columns import layout
from triton_watch.cli.top.detail_screen import detail_lines, help_lines
from triton_watch.cli.top.fetching import Fetched
from triton_watch.cli.top.list_screen import list_lines, printed
from triton_watch.cli.top.model_cells import rate
from triton_watch.cli.top.view import Screen, View, id_of
from triton_watch.daemon.facts.model import Recent
from triton_watch.daemon.facts.standing import Standing
from triton_watch.records import CanaryReason, CanaryVerdict, Sli, Verdict
from triton_watch.wording.measures import duration
from unit.cli.top.looks import CLOCK, WHERE, brief, detail_of, drawn, fetched, place, seen_of

if TYPE_CHECKING:
    from triton_watch.daemon.facts.model import ModelBrief

LIAR = brief(
    "lies_nan",
    Standing.WRONG,
    headline="Silent failure: its canary fails (not_finite), and Triton counts success: 4 of 4 values are NaN",
    canary=CanaryVerdict.FAILING,
    canary_reason=CanaryReason.NOT_FINITE,
    budget_left=1.0,
    budget_verdict=Verdict.OK,
    request_p99=0.00154,
    slis={
        Sli.REQUEST_RATE: 2.91,
        Sli.FAILURE_RATE: 0.0,
        Sli.QUEUE_TIME: 96e-6,
        Sli.REQUEST_TIME: 561e-6,
        Sli.COMPUTE_INFER_TIME: 384e-6,
        Sli.AVERAGE_BATCH: 1.0,
        Sli.GPU_UTILIZATION: 0.4,
    },
    recent=Recent(0.0, 30.0, (None, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0), *[(None,) * 10] * 4),
)
FINE = replace(LIAR, name="ranker", standing=Standing.OK, headline="", canary=CanaryVerdict.PASSING, budget_left=-12.0)
WIDTHS = (40, 80, 120, 200)


@pytest.mark.parametrize(
    ("width", "header", "row"),
    [
        (
            40,
            "STANDING MODEL       REQ/S BUDGET",
            "wrong    lies_nan:1   2.91   100%",
        ),
        (
            80,
            "STANDING MODEL       REQ/S LAST HOUR  FAIL/S   QUEUE LATENCY BUDGET CANARY",
            "wrong    lies_nan:1   2.91  ▁▂▃▄▅▅▆▇█      0   96 µs  561 µs   100% not_finite",
        ),
        (
            120,
            "STANDING  MODEL        REQ/S  LAST HOUR   FAIL/S    QUEUE  LATENCY      P99  BATCH   GPU  BUDGET"
            "            CANARY",
            "wrong     lies_nan:1    2.91   ▁▂▃▄▅▅▆▇█       0    96 µs   561 µs  1.54 ms    1.0   40%    100%"
            "  ████████  not_finite",
        ),
    ],
)
def test_columns_that_say_least_go_first_where_it_is_narrow(width: int, header: str, row: str) -> None:
    table = layout([LIAR, FINE], width)
    lines = [line.rstrip() for line in drawn([table.header(), table.row(LIAR, is_selected=False)], width)]
    assert lines == [header, row]


def test_a_wide_terminal_has_the_first_words_of_what_is_wrong_beside_each_model() -> None:
    table = layout([LIAR, FINE], 200)
    header, row = drawn([table.header(), table.row(LIAR, is_selected=False)], 200)
    assert "COMPUTE" in header
    assert row.rstrip().endswith("Silent failure: its canary fails (not_finite), and Triton counts succe…")


def test_a_column_in_which_no_model_has_a_value_is_not_there() -> None:
    header = drawn([layout([brief("a"), brief("b")], 200).header()], 200)[0]
    assert header.split() == ["STANDING", "MODEL"]


def test_targets_are_told_apart_where_there_are_several() -> None:
    other = replace(LIAR, target="gpu-8")
    assert "TARGET" in drawn([layout([LIAR, other], 120).header()], 120)[0]
    assert "TARGET" not in drawn([layout([LIAR, FINE], 120).header()], 120)[0]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_screen_has_the_verdict_first_and_the_keys_last(width: int) -> None:
    lines = drawn(list_lines(fetched(seen_of(models=[LIAR, FINE])), View(), place(width, 24)), width)
    assert len(lines) == 24
    assert " ".join(" ".join(lines[:3]).split()).startswith(seen_of().status.sentence[:30])
    assert lines[-1].startswith("q quit  ? help")
    assert any(line.startswith("wrong") for line in lines)
    whole = " ".join(" ".join(lines).split())
    assert "lies_nan:1: Silent failure: its canary fails (not_finite), and Triton counts success: 4 of 4" in whole


def test_what_is_to_be_said_of_the_selected_model_stands_below() -> None:
    view = View(selected=id_of(FINE))
    text = "\n".join(drawn(list_lines(fetched(seen_of(models=[LIAR, FINE])), view, place()), 80))
    assert "ranker:1: nothing to say of it." in text


def test_a_filter_that_nothing_passes_is_said_to_be_one() -> None:
    text = "\n".join(drawn(list_lines(fetched(), View(text="no such model"), place()), 80))
    assert "No model passes the filter: Esc takes it away." in text


def test_an_agent_that_does_not_answer_leaves_the_last_screen_and_a_clear_line() -> None:
    lost = fetched(heard_at=CLOCK - 12.0, problem="no agent answers at http://127.0.0.1:8003, nothing listens there.")
    text = "\n".join(drawn(list_lines(lost, View(), place()), 80))
    assert "No answer for 12 s: no agent answers at http://127.0.0.1:8003" in text
    assert "STANDING" in text


def test_an_agent_that_hangs_is_told_of_before_it_fails() -> None:
    text = "\n".join(drawn(list_lines(fetched(heard_at=CLOCK - 9.0), View(), place()), 80))
    assert f"No answer for 9 s from {WHERE}: it was asked, and\nsays nothing." in text
    paused = drawn(list_lines(fetched(heard_at=CLOCK - 9.0), View(is_paused=True), place()), 80)
    assert "No answer" not in "\n".join(paused)
    assert "paused" in "\n".join(paused)


def test_ages_grow_while_there_is_no_answer() -> None:
    known = seen_of()
    ages = [known.status.at - one.at for one in known.status.targets if one.at is not None]
    lost = fetched(known, heard_at=CLOCK - 40.0, problem="nothing listens there.")
    text = "\n".join(drawn(list_lines(lost, View(), place(200, 40)), 200))
    assert ages
    for age in ages:
        assert f"polled {age + 40:.0f} s ago" in text
    found, opened = detail_of(full_state(), "ranker")
    lines, _ = detail_lines(
        replace(found, detail_at=CLOCK - 25.0), View(screen=Screen.DETAIL, opened=opened), place(100, 400)
    )
    text = "\n".join(drawn(lines, 100))
    assert "12 times, 55 s ago  not_finite: SCORES holds NaN" in text
    assert "34 s ago: it is gone" in text


def test_before_the_first_answer_the_screen_says_who_is_asked() -> None:
    lines = drawn(list_lines(Fetched(CLOCK - 1.0), View(), place()), 80)
    assert lines[0] == f"Asking {WHERE} …"
    assert len(lines) == 24


def test_the_details_have_every_section_of_which_something_is_known() -> None:
    found, opened = detail_of(full_state(), "ranker")
    lines, _ = detail_lines(found, View(screen=Screen.DETAIL, opened=opened), place(100, 400))
    text = "\n".join(drawn(lines, 100))
    titles = ("What is wrong", "Canary", "Error budgets", "Indicators", "The last hour", "Configuration findings")
    for title in (*titles, "Executions by batch size", "Events"):
        assert f"\n{title}\n" in text
    assert "12 times, 30 s ago  not_finite: SCORES holds NaN" in text
    assert "9 s ago: it is gone" in text


def test_the_details_end_where_they_end_however_far_somebody_scrolls() -> None:
    found, opened = detail_of(full_state(), "ranker")
    view = View(screen=Screen.DETAIL, opened=opened, scroll=10**9)
    lines, first = detail_lines(found, view, place(80, 24))
    assert 0 < first < 1000
    assert drawn(lines, 80)[-2].strip()


def test_a_model_that_is_gone_is_said_to_be() -> None:
    opened = id_of(LIAR)
    view = View(screen=Screen.DETAIL, opened=opened)
    assert drawn(detail_lines(fetched(), view, place())[0], 80)[0].startswith("Asking ")
    gone = fetched(detail_of=opened)
    assert drawn(detail_lines(gone, view, place())[0], 80)[0] == "This model is not there any more."


@pytest.mark.parametrize("width", WIDTHS)
def test_printed_once_everything_is_there_and_nothing_is_cut(width: int) -> None:
    lines = drawn([*printed(seen_of(models=[LIAR, FINE]), View(), place(width, 0), None)], width)
    text = " ".join(" ".join(lines).split())
    assert "lies_nan:1: Silent failure: its canary fails (not_finite), and Triton counts success: 4 of 4 values" in text
    assert "q quit" not in text


def test_rows_that_are_left_out_are_counted() -> None:
    lines = drawn([*printed(seen_of(models=[LIAR, FINE, brief("x")]), View(), place(), 1)], 80)
    assert "2 more models: leave out --lines, or give a greater one" in lines


HOSTILE = st.text(st.characters(), max_size=40) | st.text("模型a🜁e\u0301\u200b\x1b[\r\n", max_size=60)


@settings(max_examples=60, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE, st.integers(1, 210), st.integers(1, 60), st.sampled_from(list(Screen)))
def test_no_line_is_longer_than_the_screen_and_nothing_moves_the_cursor(
    name: str, version: str, headline: str, width: int, height: int, screen: Screen
) -> None:
    odd = replace(LIAR, name=name, version=version[:8], headline=headline, target=version)
    seen = seen_of(models=[odd, replace(FINE, namespace=name)])
    view = View(screen=screen, text=name[:3], opened=id_of(odd) if screen is Screen.DETAIL else None)
    where = place(width, height)
    shown = {Screen.DETAIL: detail_lines(fetched(seen), view, where)[0], Screen.HELP: help_lines(view, where)[0]}
    lines = drawn(shown.get(screen, list_lines(fetched(seen), view, where)), width)
    assert len(lines) <= height
    assert all(cell_len(line) <= width for line in lines)
    assert all(line.isprintable() for line in lines)


HOSTILE_STATE = full_state()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 210), st.integers(1, 60), st.sampled_from(seen_of().models))
def test_details_of_hostile_models_fit_any_screen(width: int, height: int, one: ModelBrief) -> None:
    found, opened = detail_of(HOSTILE_STATE, one.name)
    lines, _ = detail_lines(found, View(screen=Screen.DETAIL, opened=opened), place(width, height))
    shown = drawn(lines, width)
    assert len(shown) <= height
    assert all(cell_len(line) <= width and line.isprintable() for line in shown)


@given(st.text(max_size=50).filter(str.isprintable), st.integers(0, 60))
def test_text_is_fitted_and_filled_by_the_width_that_it_has_on_a_screen(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) <= width
    assert cell_len(fill(text, width)) == width
    assert cell_len(fill(text, width, right=True)) == width


@given(st.text(max_size=80), st.integers(2, 60))
def test_wrapped_text_fits_and_loses_no_word(text: str, width: int) -> None:
    lines = wrapped(text, width, "  ")
    assert all(cell_len(line) <= max(width, 4) for line in lines)
    assert all(line.isprintable() for line in lines)


def test_wrapping_keeps_all_the_words() -> None:
    text = "one two three averyveryverylongwordthatisfolded four"
    assert "".join(wrapped(text, 12, "  ")).replace(" ", "") == text.replace(" ", "")


def test_of_a_long_name_the_version_stays() -> None:
    assert model("a_very_long_name_of_a_model", "12", 14) == "a_very_lon…:12"
    assert model("", "", 10) == '""'
    assert model("short", "9" * 30, 14) == "short:9999999…"


def test_a_sparkline_begins_at_zero_and_leaves_gaps() -> None:
    assert spark([0.0, None, 4.0, 8.0], 4) == "▁ ▅█"
    assert spark([0.0, 0.0], 4) == "  ▁▁"
    assert spark([], 3) == "   "
    assert squeezed([1.0, 3.0, None, None, 5.0], 3) == [1.0, 3.0, 5.0]
    assert squeezed([1.0, None], 0) == []


def test_a_bar_is_full_empty_or_between() -> None:
    assert (bar(1.0, 4), bar(-3.0, 4), bar(0.55, 4), bar(None, 4)) == ("████", "····", "██▎·", "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no-such-encoding"])
def test_what_an_encoding_cannot_write_is_replaced_by_as_many_columns(encoding: str) -> None:
    text = "▁▅█ ██▎· 561 µs – größe 模型 …"  # noqa: RUF001 - what stands where there is nothing
    written = encodable(text, encoding)
    assert cell_len(written) == cell_len(text)
    assert written.encode("ascii" if encoding != "latin-1" else "latin-1")
    assert encodable(text, "utf-8") == text


def test_numbers_fit_their_columns() -> None:
    assert [rate(value) for value in (0, 0.00004, 0.0012, 0.5, 12.34, 1234.5, 85461280.0)] == [
        "0", "<0.001", "0.0012", "0.5", "12.3", "1,234", "85.5M",
    ]  # fmt: skip
    assert [duration(value) for value in (0.000096, 1.5, 90, 7200, 9.68e6)] == [
        "96 µs",
        "1.5 s",
        "90 s",
        "2 h",
        "112 d",
    ]
