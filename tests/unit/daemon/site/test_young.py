"""What pages say of an agent that has not watched for long, of spent budgets, and of models without a version."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from synthetic_state import names
from triton_watch.daemon.site.budget_bar import budget_bar
from triton_watch.daemon.site.model_parts import times
from triton_watch.daemon.telling.model import model_detail
from triton_watch.records import Verdict
from unit.daemon.site.pages import NOW, app_of, ask
from unit.daemon.site.rich import rich_state, young_state

if TYPE_CHECKING:
    from triton_watch.daemon.app import App

MODEL = "/models/triton/model_00000"


@pytest.fixture(scope="module")
def young() -> App:
    return app_of(young_state())


def test_drawings_say_of_how_long_they_are_where_it_is_less_than_an_hour(young: App) -> None:
    front, model = ask(young, "/"), ask(young, MODEL)
    assert "Models lines: the last 5 min" in front.words()
    assert "The last 5 min" in [one.text.strip() for one in model.all("h2")]
    for answer in (front, model):
        labels = [one.attributes.get("aria-label", "") for one in answer.all("svg")]
        assert any(one.startswith("Queue time, last 5 min: now ") for one in labels)
        assert not any("last hour" in one for one in labels)


def test_drawings_of_poll_cycles_say_of_how_many_they_are(young: App) -> None:
    for page in ("/agent", "/targets/triton"):
        labels = [one.attributes.get("aria-label", "") for one in ask(young, page).all("svg")]
        assert any(one.startswith("Length of a poll cycle, last 40 cycles: now ") for one in labels)


def test_a_window_longer_than_what_was_watched_says_so(young: App) -> None:
    assert "474x over 30d (watched 4 min)" in ask(young, MODEL).words()
    assert "474x 30d watched 4 min only" in ask(young, "/slo").words()
    whole = app_of(rich_state())
    assert "(watched" not in ask(whole, MODEL).words()
    assert "watched" not in ask(whole, "/slo").words()


def test_no_colon_stands_where_there_is_no_version(young: App) -> None:
    for page in ("/", "/slo", "/targets/triton", "/models/triton/not_there"):
        answer = ask(young, page)
        assert "not_there" in answer.words()
        assert "not_there:" not in answer.text


def test_budgets_that_are_well_are_folded_below_those_that_are_not(young: App) -> None:
    answer = ask(young, "/slo")
    assert [one.text for one in answer.all("summary")] == ["8 budgets are ok"]
    folded = answer.all("details")[0]
    assert "model_00000" not in folded.text
    assert "well" in folded.text
    assert ask(young, "/slo?verdict=ok").all("details") == []
    many = ask(app_of(young_state(30)), "/slo?page=1")
    assert [one.text for one in many.all("summary")] == ["46 budgets of this page are ok"]
    assert ask(rich_state(), "/slo").all("details") == []


def test_a_spent_budget_has_a_full_bar_in_the_colour_of_failure(young: App) -> None:
    assert '<svg class="bar failing spent"' in ask(young, "/slo").text
    assert budget_bar(-9.0, Verdict.EXHAUSTED, is_wrong=False) == (100, "failing spent", "")
    assert budget_bar(0.0, Verdict.EXHAUSTED, is_wrong=True) == (100, "failing spent", "")


def test_a_budget_of_a_model_that_is_wrong_looks_well_to_the_server_alone() -> None:
    assert budget_bar(0.99, Verdict.OK, is_wrong=True) == (99, "neutral", "as the server counts")
    assert budget_bar(0.99, Verdict.OK, is_wrong=False) == (99, "ok", "")
    assert budget_bar(0.2, Verdict.BURNING, is_wrong=True) == (20, "burning", "")
    assert budget_bar(None, None, is_wrong=False).length is None
    app = app_of(rich_state(names(1)))
    for page in ("/", "/slo", MODEL):
        assert "as the server counts" in ask(app, page).words()


def test_the_window_of_the_front_page_has_the_verdict_for_its_title() -> None:
    assert ask(rich_state(names(3)), "/").all("title")[0].text == "2 wrong, 1 failing · triton-watch"
    assert re.search(r"<title>Alerts · triton-watch", ask(rich_state(), "/alerts").text)


@pytest.mark.parametrize(("name", "kinds"), [("model_00000", ["queue", "request"]), ("model_00002", ["request"])])
def test_an_ensemble_has_no_percentiles_of_a_queue(name: str, kinds: list[str]) -> None:
    found = model_detail(rich_state(), NOW, "triton", name)
    assert found is not None
    found = replace(found, percentiles={"queue": {"0.5": 1e-6}, "request": {"0.5": 1e-3}})
    assert [kind for kind, _, _ in times(found)] == kinds
