"""Keys move the view as they should, and models are filtered and sorted by it: no terminal in sight."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.cli.top.press import INTERVALS, press
from triton_watch.cli.top.view import Screen, Sort, View, first_row, id_of, place_of, shown
from triton_watch.daemon.facts.standing import Standing
from triton_watch.records import Sli
from unit.cli.top.looks import brief

MODELS = (
    brief("nan", Standing.WRONG, budget_left=0.9, slis={Sli.REQUEST_RATE: 2.0, Sli.FAILURE_RATE: 0.0}),
    brief("dead", Standing.FAILING, budget_left=-3.0, slis={Sli.REQUEST_RATE: 5.0, Sli.FAILURE_RATE: 5.0}),
    brief("slow", Standing.BURNING, target="gpu-8", slis={Sli.QUEUE_TIME: 0.4, Sli.REQUEST_TIME: 0.5}),
    brief("Chat", slis={Sli.REQUEST_RATE: 90.0, Sli.QUEUE_TIME: 0.001, Sli.REQUEST_TIME: 0.9}),
)
TARGETS = ("gpu-7", "gpu-8")


def after(keys: list[str], view: View | None = None, height: int = 10) -> View:
    return reduce(lambda one, key: press(one, key, MODELS, TARGETS, height), keys, view or View())


def names(view: View) -> list[str]:
    return [one.name for one in shown(MODELS, view)]


def test_the_order_at_first_is_that_of_the_agent() -> None:
    assert names(View()) == ["nan", "dead", "slow", "Chat"]


def test_versions_of_one_name_are_sorted_as_numbers() -> None:
    models = [brief("m", version=version) for version in ("10", "next", "2")]
    assert [one.version for one in shown(models, View(sort=Sort.NAME))] == ["2", "10", "next"]


@pytest.mark.parametrize(
    ("sort", "order", "reversed_order"),
    [
        (Sort.TROUBLE, "nan dead slow Chat", "Chat slow dead nan"),
        (Sort.NAME, "Chat dead nan slow", "slow nan dead Chat"),
        (Sort.RATE, "Chat dead nan slow", "nan dead Chat slow"),
        (Sort.QUEUE, "slow Chat nan dead", "Chat slow nan dead"),
        (Sort.LATENCY, "Chat slow nan dead", "slow Chat nan dead"),
        (Sort.BUDGET, "dead nan slow Chat", "nan dead slow Chat"),
        (Sort.FAILURES, "dead nan slow Chat", "nan dead slow Chat"),
    ],
)
def test_models_without_a_value_come_last_in_either_direction(sort: Sort, order: str, reversed_order: str) -> None:
    assert names(View(sort=sort)) == order.split()
    assert names(View(sort=sort, is_reversed=True)) == reversed_order.split()


def test_s_goes_through_all_orders_and_capital_s_reverses() -> None:
    seen = [after(["s"] * count).sort for count in range(len(Sort) + 1)]
    assert seen == [*Sort, Sort.TROUBLE]
    assert after(["s", "S"]).is_reversed
    assert not after(["s", "S", "s"]).is_reversed


def test_arrows_select_and_stop_at_the_ends() -> None:
    assert after(["down", "j"]).selected == id_of(MODELS[2])
    assert after(["up"]).selected == id_of(MODELS[0])
    assert after(["end", "down"]).selected == id_of(MODELS[3])
    assert after(["end", "home"]).selected == id_of(MODELS[0])
    assert after(["pgdn"], height=3).selected == id_of(MODELS[2])
    assert after(["G", "k", "g"]).selected == id_of(MODELS[0])


def test_what_is_selected_stays_selected_in_another_order() -> None:
    view = after(["down", "s"])
    assert shown(MODELS, view)[place_of(shown(MODELS, view), view)].name == "dead"


def test_where_the_selected_model_is_gone_its_row_is_selected() -> None:
    view = after(["down"])
    left = [one for one in MODELS if one.name != "dead"]
    assert left[place_of(left, view)].name == "slow"
    assert place_of([], view) == 0


def test_a_filter_is_typed_kept_by_enter_and_taken_away_by_escape() -> None:
    typed = after(["/", *"gpu-7 CHX", "backspace"])
    assert (typed.screen, typed.text) == (Screen.FILTER, "gpu-7 CH")
    assert names(typed) == ["Chat"]
    kept = after(["enter"], typed)
    assert (kept.screen, names(kept)) == (Screen.LIST, ["Chat"])
    assert names(after(["esc"], kept)) == names(View())
    assert (after(["esc"], typed).screen, after(["esc"], typed).text) == (Screen.LIST, "")


def test_keys_that_mean_something_are_letters_while_a_filter_is_typed() -> None:
    assert after(["/", "q", "?", "s", "up"]).text == "q?s"
    assert len(after(["/", *["x"] * 500]).text) == 100


def test_f_goes_through_the_standings_that_there_are() -> None:
    views = [after(["f"] * count) for count in range(5)]
    everything = ["nan", "dead", "slow", "Chat"]
    assert [names(one) for one in views] == [everything, ["nan", "dead"], ["slow"], ["Chat"], everything]


def test_t_goes_through_the_targets() -> None:
    assert [after(["t"] * count).target for count in range(4)] == [None, "gpu-7", "gpu-8", None]
    assert names(after(["t", "t"])) == ["slow"]


def test_escape_takes_the_text_away_first_and_then_the_other_filters() -> None:
    view = View(text="x", standings=(Standing.OK,), target="gpu-7")
    once = after(["esc"], view)
    assert (once.text, once.standings, once.target) == ("", (Standing.OK,), "gpu-7")
    assert after(["esc"], once) == View()


def test_enter_opens_the_selected_model_and_enter_or_escape_goes_back() -> None:
    opened = after(["down", "enter"])
    assert (opened.screen, opened.opened) == (Screen.DETAIL, id_of(MODELS[1]))
    scrolled = after(["down", "down", "up"], opened)
    assert (scrolled.scroll, scrolled.selected) == (1, id_of(MODELS[1]))
    for key in ("esc", "enter", "q"):
        back = after([key], scrolled)
        assert (back.screen, back.opened, back.is_over) == (Screen.LIST, None, False)


def test_from_the_help_one_goes_back_to_where_one_was() -> None:
    assert after(["?", "esc"]).screen is Screen.LIST
    assert after(["enter", "?", "esc"]).screen is Screen.DETAIL
    assert after(["enter", "?", "esc", "esc"]).screen is Screen.LIST


def test_q_quits_from_the_list_alone() -> None:
    assert after(["q"]).is_over
    assert not after(["?", "q"]).is_over


def test_nothing_happens_where_there_is_no_model() -> None:
    for key in ("enter", "down", "pgup", "f", "t"):
        assert press(View(), key, (), (), 10) == View()


def test_the_interval_is_longer_with_plus_and_has_ends() -> None:
    assert after(["+"]).interval == 5.0
    assert after(["-"]).interval == 1.0
    assert after(["+"] * 20).interval == INTERVALS[-1]
    assert after(["-"] * 20).interval == INTERVALS[0]
    assert after(["-"], View(interval=3.0)).interval == 2.0


def test_p_pauses_and_r_asks() -> None:
    assert after(["p"]).is_paused
    assert after(["p", "p", "r"]) == replace(View(), refreshes=1)


@given(st.integers(-5, 300), st.integers(0, 200), st.integers(1, 60), st.integers(1, 300))
def test_the_selected_row_is_on_the_screen_and_no_room_is_wasted(
    top: int, chosen: int, height: int, count: int
) -> None:
    chosen = min(chosen, count - 1)
    first = first_row(top, chosen, height, count)
    assert 0 <= first <= chosen < first + height
    assert first == 0 or first + height <= count


KEYS = st.sampled_from([*"qsSftpr+-/?jkgGx", "up", "down", "pgup", "pgdn", "home", "end", "enter", "esc", "backspace"])


@given(st.lists(KEYS, max_size=40))
def test_no_keys_in_any_order_lead_astray(keys: list[str]) -> None:
    view = after(keys)
    rows = shown(MODELS, view)
    assert not rows or 0 <= place_of(rows, view) < len(rows)
    assert view.opened is not None or view.screen is not Screen.DETAIL
    assert view.opened is None or view.screen in (Screen.DETAIL, Screen.HELP)
    assert view.interval in INTERVALS
