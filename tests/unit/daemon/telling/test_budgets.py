"""The list of budgets: the least left first, and each as a report would tell it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from support.objectives import availability, batch_efficiency, queue_time
from triton_watch.daemon.state import BudgetsView
from triton_watch.daemon.telling.budgets import budget_list
from triton_watch.records import ModelKey, Page, Verdict
from unit.daemon.telling.scenes import NOW, budgets, key, keys, source

if TYPE_CHECKING:
    from triton_watch.daemon.facts.budget import BudgetList

M0, M1, M2, M3 = keys(4)
LEFT = {M0: 0.5, M1: -0.25, M2: math.nan, M3: 0.75}


def ask(view: BudgetsView, **query: Any) -> BudgetList:
    return budget_list(source(budget_view=view), NOW, **query)


def joined(*views: BudgetsView) -> BudgetsView:
    return replace(views[0], targets={name: own for view in views for name, own in view.targets.items()})


def told(found: BudgetList) -> list[tuple[str, str, str]]:
    return [(one.target, one.model, one.slo) for one in found.budgets]


def test_the_least_left_comes_first_over_all_targets_and_no_data_last() -> None:
    found = ask(joined(budgets(LEFT), budgets({M0: 0.6, M1: 0.1}, name="u")))
    assert [(target, model) for target, model, _ in told(found)] == [
        ("t", "m1"),
        ("u", "m1"),
        ("t", "m0"),
        ("u", "m0"),
        ("t", "m3"),
        ("t", "m2"),
    ]
    assert [one.remaining for one in found.budgets[:2]] == [pytest.approx(-0.25), pytest.approx(0.1)]
    assert found.budgets[-1].remaining is None


def test_a_page_is_cut_out_in_the_order_of_the_whole() -> None:
    view = joined(budgets(LEFT), budgets({M0: 0.6, M1: 0.1}, name="u"))
    found = ask(view, offset=1, limit=3)
    assert (found.total, found.offset, found.limit) == (6, 1, 3)
    assert told(found) == told(ask(view))[1:4]


FILTERS: dict[str, tuple[dict[str, Any], list[tuple[str, str, str]]]] = {
    "target": ({"target": "u"}, [("u", "m0", "availability")]),
    "model": ({"model": "m1"}, [("t", "m1", "availability"), ("t", "m1", "queue-time")]),
    "slo": ({"slo": "queue-time", "model": "m3"}, [("t", "m3", "queue-time")]),
    "verdict": ({"verdict": Verdict.EXHAUSTED}, [("t", "m1", "availability"), ("t", "m1", "queue-time")]),
    "nothing": ({"slo": "nobody"}, []),
}


@pytest.mark.parametrize("name", FILTERS)
def test_the_list_may_be_narrowed_to_a(name: str) -> None:
    query, expected = FILTERS[name]
    found = ask(joined(budgets(LEFT, availability(0.99), queue_time()), budgets({M0: 0.6}, name="u")), **query)
    assert told(found) == expected
    assert found.total == len(expected)


def test_a_budget_is_told_whole() -> None:
    (found,) = ask(budgets({M0: 0.4}, burning=[M0])).budgets
    assert (found.objective, found.goal, found.period_seconds) == (0.99, "99%", 30 * 86400.0)
    assert found.good + found.bad == 1e6
    assert found.bad == pytest.approx(6000.0)
    assert (found.verdict, found.fires) == (Verdict.BURNING, Page.PAGE)
    assert (found.covered_seconds, found.silence_seconds) == (30 * 86400.0, 1.0)
    assert found.exhaustion_seconds is not None
    assert [one.window_seconds for one in found.windows][-1] == found.period_seconds
    assert found.windows[0].burn == pytest.approx(20.0)


def test_goals_are_in_words_with_their_bounds() -> None:
    found = ask(budgets({M0: 0.4}, queue_time(0.02), batch_efficiency(0.5)))
    assert sorted(one.goal for one in found.budgets) == ["90% ≥ 50%", "99% ≤ 20 ms"]


def test_a_model_in_a_namespace_keeps_it() -> None:
    (found,) = ask(budgets({ModelKey("m", "1", "team"): 0.4})).budgets
    assert (found.model, found.version, found.namespace) == ("m", "1", "team")


def test_objectives_are_told_in_words_with_the_number_of_their_models_over_all_targets() -> None:
    found = ask(joined(budgets(LEFT), budgets({M0: 0.6}, name="u")))
    (objective,) = found.objectives
    assert (objective.name, objective.models_matched) == ("availability", 5)
    assert objective.sentence.startswith("99% of requests to every model are answered without an error")


def test_series_of_an_objective_that_a_reload_has_just_taken_away_are_left_out() -> None:
    view = budgets(LEFT, availability(0.99), queue_time())
    assert {slo for _, _, slo in told(ask(replace(view, objectives=view.objectives[:1])))} == {"availability"}
    longer = replace(view, objectives=tuple(replace(one, period=60 * 86400.0) for one in view.objectives))
    assert told(ask(longer)) == []


def test_nothing_is_told_where_nothing_is_kept() -> None:
    found = ask(BudgetsView())
    assert (found.total, found.budgets, found.objectives, found.at) == (0, (), (), NOW)
    assert ask(budgets({key("m"): 1.0})).budgets[0].exhaustion_seconds is None
