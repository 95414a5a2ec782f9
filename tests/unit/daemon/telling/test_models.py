"""The list of models: what is in it, in which order, and which part of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.state import AlertsView
from triton_watch.daemon.telling.models import ModelQuery, model_list
from triton_watch.records import (
    AlertSettings,
    CanaryReason,
    CanaryVerdict,
    History,
    ModelConfig,
    ModelKey,
    ModelState,
    ModelStatus,
    RecentSlot,
    RecentTable,
    Sli,
    Sum,
    Verdict,
)
from triton_watch.slo.sli import ROW
from unit.daemon.telling.scenes import (
    AT,
    NOW,
    SILENT,
    budgets,
    calm,
    deaf,
    failing,
    key,
    keys,
    passing,
    ready,
    snapshot,
    source,
)

if TYPE_CHECKING:
    from synthetic_state import SyntheticState
    from triton_watch.daemon.facts.model import ModelList

LIAR, BROKEN, BURNS, LOADS, WELL, SPARE = (key(name) for name in ("liar", "broken", "burns", "loads", "well", "spare"))


def mixed() -> SyntheticState:
    """Models of one target that stand differently, and models of another one that are not known."""
    states = [
        ModelState(SPARE, ModelStatus.UNLOADED),
        ModelState(LOADS, ModelStatus.LOADING),
        *map(ready, (WELL, BURNS, BROKEN, LIAR)),
    ]
    return source(
        snapshot(states, silent={LIAR: SILENT}),
        deaf([ready(key("far"))], "u"),
        canary_states={"t": {LIAR: failing(LIAR), BROKEN: failing(BROKEN), WELL: passing(WELL)}},
        budget_view=budgets({BURNS: 0.3, WELL: 0.9}, burning=[BURNS]),
    )


def named(found: ModelList) -> list[str]:
    return [one.name for one in found.models]


def ask(state: SyntheticState, **query: Any) -> ModelList:
    return model_list(state, NOW, ModelQuery(**query))


def test_trouble_comes_first() -> None:
    assert named(ask(mixed())) == ["liar", "broken", "burns", "loads", "far", "well", "spare"]


def test_of_those_that_stand_alike_the_least_budget_left_comes_first_and_none_last() -> None:
    names = keys(4)
    left = {names[0]: 0.9, names[1]: math.nan, names[2]: 0.2}
    found = ask(source(snapshot([ready(one) for one in names]), budget_view=budgets(left)))
    assert named(found) == ["m2", "m0", "m1", "m3"]
    assert [one.budget_left for one in found.models] == [pytest.approx(0.2), pytest.approx(0.9), None, None]
    assert [one.budget_verdict for one in found.models] == [Verdict.OK, Verdict.OK, Verdict.NO_DATA, None]
    assert [one.budget_slo for one in found.models] == ["availability"] * 3 + [None]


def test_versions_are_sorted_as_numbers_and_texts_after_them() -> None:
    versions = ["10", "9", "2", "x", "9" * 5000]
    found = ask(source(snapshot([ready(key("m", version)) for version in versions])))
    assert [one.version for one in found.models] == ["2", "9", "10", "9" * 5000, "x"]


def test_a_page_is_cut_out_and_the_total_is_of_all() -> None:
    found = ask(mixed(), offset=2, limit=2)
    assert (named(found), found.total, found.offset, found.limit) == (["burns", "loads"], 7, 2, 2)
    assert named(ask(mixed(), offset=7)) == []


def test_standings_filter_and_the_counts_are_of_all_of_them() -> None:
    found = ask(mixed(), standings=(Standing.WRONG, Standing.UNKNOWN))
    assert (named(found), found.total) == (["liar", "loads", "far"], 3)
    assert found.counts == {
        Standing.WRONG: 1,
        Standing.FAILING: 1,
        Standing.BURNING: 1,
        Standing.UNKNOWN: 2,
        Standing.ADVICE: 0,
        Standing.OK: 1,
        Standing.UNLOADED: 1,
    }


def test_a_search_finds_parts_of_names_in_whatever_case_and_the_counts_follow_it() -> None:
    found = ask(mixed(), search="AR")
    assert named(found) == ["liar", "far", "spare"]
    assert sum(found.counts.values()) == 3


def test_one_target_may_be_asked_for() -> None:
    assert named(ask(mixed(), target="u")) == ["far"]
    assert ask(mixed(), target="nobody").total == 0


def test_models_of_the_page_and_of_the_index_are_listed_once_namespaces_included() -> None:
    spaced = ModelKey("m", "1", "team")
    found = ask(source(snapshot([ready(key("m")), ready(key("n"))], slis=calm([spaced]))))
    assert [(one.name, one.namespace) for one in found.models] == [("m", "team"), ("n", "")]


def test_a_line_tells_what_is_known_of_the_model() -> None:
    table = calm([WELL])
    table.values[ROW[Sli.REQUEST_RATE]], table.values[ROW[Sli.QUEUE_TIME]] = 3.0, np.inf
    configs = {"well": ModelConfig("well", platform="ensemble")}
    snap = snapshot([ready(WELL, expected=True)], slis=table, configs=configs)
    (found,) = ask(source(snap, canary_states={"t": {WELL: passing(WELL)}})).models
    assert (found.state, found.expected, found.ensemble) == (ModelStatus.READY, True, True)
    assert (found.canary, found.canary_reason) == (CanaryVerdict.PASSING, CanaryReason.OK)
    assert {sli: value for sli, value in found.slis.items() if value is not None} == {Sli.REQUEST_RATE: 3.0}
    assert set(found.slis) == set(Sli)
    assert (found.links.page, found.links.dashboard) == ("/models/t/well?version=1", None)


def test_the_served_p99_is_told_in_seconds() -> None:
    table = calm([WELL, BROKEN])
    table.frame.quantiles[("request", "0.99")] = np.array([2500.0, np.nan])  # type: ignore[index]  # ours to fill
    found = ask(source(snapshot([ready(WELL), ready(BROKEN)], slis=table))).models
    assert {one.name: one.request_p99 for one in found} == {"well": 0.0025, "broken": None}


def test_values_of_a_server_that_is_silent_are_not_told_as_if_they_held() -> None:
    table = calm([WELL])
    table.values[ROW[Sli.REQUEST_RATE]] = 3.0
    (found,) = model_list(source(snapshot([ready(WELL)], slis=table)), NOW + 600, ModelQuery()).models
    assert set(found.slis.values()) == {None}


def test_the_dashboard_is_linked_where_one_is_configured() -> None:
    settings = AlertSettings(dashboard_url="https://g/d/triton-watch-{dashboard}?target={target}&model={model}")
    (found,) = ask(source(snapshot([ready(key("a b"))]), alert_view=AlertsView(settings))).models
    assert found.links.dashboard == "https://g/d/triton-watch-model?target=t&model=a%20b"


def test_the_last_hour_is_told_where_it_is_asked_for() -> None:
    table = calm([WELL, LIAR])
    sums = np.ones((len(Sum), 2))
    slots = tuple(RecentSlot(AT - 30.0 * place, 30.0, table.models, sums) for place in (1, 0))
    state = source(snapshot([ready(WELL), ready(LIAR)]), past=History(recent={"t": RecentTable(slots)}))
    told = ask(state, recent=True).models
    assert [one.recent is None or one.recent.request_rate for one in told] == [(2.0, 2.0)] * 2
    assert [one.recent for one in ask(state).models] == [None, None]
