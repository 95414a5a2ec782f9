"""Each alert there is, once: its words, its patience, and when its condition holds, holds not, or is not known."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.alert_facts import M, facts, snapshot, table
from support.alert_moments import MOMENTS, Moment
from support.frames import key
from triton_watch.alerting.definitions import ALERTS, by_name
from triton_watch.conventions.alerts import ALERT_NAMES
from triton_watch.records import AlertCase, AlertSeverity

if TYPE_CHECKING:
    from triton_watch.alerting.definition import AlertDefinition, Facts

every_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda one: f"{one.name}-{one.severity.value}")
BOARDS = {"fleet", "model", "slo", "gpu", "canary", "batching", "config", "agent"}


def cases(alert: AlertDefinition, of: Facts) -> tuple[AlertCase, ...] | None:
    """What the condition says with the alert's own threshold."""
    assert alert.condition is not None
    found = alert.condition(of, math.nan if alert.threshold is None else alert.threshold)
    return None if found is None else tuple(found)


def title(alert: AlertDefinition) -> str:
    """Its name, and its severity where that is needed to tell it from another."""
    return alert.name if len(by_name(alert.name)) == 1 else f"{alert.name}:{alert.severity.value}"


def test_every_alert_of_the_conventions_has_its_definition_in_their_order() -> None:
    assert tuple(dict.fromkeys(one.name for one in ALERTS)) == ALERT_NAMES
    assert len(ALERTS) == 20
    assert [one.severity for one in by_name("TritonErrorBudgetBurn")] == [AlertSeverity.PAGE, AlertSeverity.TICKET]
    assert by_name("TritonNothing") == ()


@every_alert
def test_an_alert_says_what_is_so_and_what_to_do_first(alert: AlertDefinition) -> None:
    assert alert.summary
    assert not alert.summary.endswith(".")
    for text in (alert.description, alert.advice):
        assert re.fullmatch(r"[A-Z{].*\.", text)
    assert len(re.findall(r"[.?!] [A-Z]", alert.advice)) <= 1
    assert alert.dashboard in BOARDS
    assert (alert.threshold is None) == (alert.unit == "")


@every_alert
def test_a_summary_names_labels_that_the_alert_has_plainly(alert: AlertDefinition) -> None:
    """The agent fills in `{{ $labels.name }}` and nothing more."""
    used = re.findall(r"\{\{(.*?)\}\}", alert.summary)
    assert all(re.fullmatch(r" \$labels\.\w+ ", one) for one in used)
    assert {one.strip().removeprefix("$labels.") for one in used} <= {"target", *alert.labels}


@every_alert
def test_a_threshold_and_a_count_of_polls_are_in_the_expression(alert: AlertDefinition) -> None:
    assert ("$threshold" in alert.expr) == (alert.threshold is not None)
    assert ("$failures" in alert.expr) == (alert.window > 1)


@every_alert
def test_an_expression_is_about_our_own_metrics(alert: AlertDefinition) -> None:
    assert "nv_" not in alert.expr


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda one: one.name.replace(" ", "-"))
def test_conditions_hold_in_their_moments_and_in_no_others(moment: Moment) -> None:
    holding, unknown = set(), set()
    for alert in ALERTS:
        if alert.condition is None:
            continue
        found = cases(alert, moment.facts)
        if found is None or any(one.holds is None for one in found):
            unknown.add(title(alert))
        if any(one.holds for one in found or ()):
            holding.add(title(alert))
    assert holding == set(moment.holds)
    assert set(moment.unknown) <= unknown
    assert moment is not MOMENTS[0] or not unknown


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda one: one.name.replace(" ", "-"))
def test_cases_are_told_apart_by_the_labels_of_their_alert_and_say_in_a_sentence_what_is_so(moment: Moment) -> None:
    for alert in ALERTS:
        found = () if alert.condition is None else cases(alert, moment.facts) or ()
        assert len({one.labels for one in found}) == len(found)
        for one in found:
            assert list(one.labels) == sorted(one.labels)
            assert {name for name, _ in one.labels} <= set(alert.labels)
            assert all(value for _, value in one.labels)
            assert not one.holds or re.fullmatch(r"[^\n]*[^.]\.", one.detail)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda one: one.name.replace(" ", "-"))
def test_where_nobody_asks_for_what_is_not_known_nothing_else_is_left_out(moment: Moment) -> None:
    brief = replace(moment.facts, wants_unknown=False)
    for alert in ALERTS:
        if alert.condition is not None:
            told, all_told = cases(alert, brief), cases(alert, moment.facts)
            assert (told is None) == (all_told is None)
            assert [one for one in told or () if one.holds] == [one for one in all_told or () if one.holds]


def test_conditions_of_a_target_without_a_model_find_nothing() -> None:
    empty = facts(snapshot(models=(), configs={}, slis=table(keys=())), findings=[])
    assert all(cases(one, empty) == () for one in ALERTS if one.condition is not None)


def test_a_namespace_is_a_label_where_there_is_one() -> None:
    apart = (M._replace(namespace="a"), M._replace(namespace="b"), key("other"))
    deep = table(pending=100.0, keys=apart)
    (alert,) = by_name("TritonQueueGrowing")
    found = cases(alert, facts(snapshot(slis=deep)))
    assert found is not None
    assert [dict(one.labels).get("model_namespace") for one in found if one.holds] == ["a", "b"]
    assert not np.isnan([one.value or np.nan for one in found if one.holds]).any()
