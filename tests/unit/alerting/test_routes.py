"""The configuration of Alertmanager: which alerts hold others back, and who is told, by names that exist."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.objectives import availability, queue_time
from triton_watch.alerting.definitions import ALERTS
from triton_watch.alerting.inhibition import CONSEQUENCES, Consequence, inhibit_rules, of_severity, one_of
from triton_watch.alerting.routes import alertmanager_config
from triton_watch.config import from_flags
from triton_watch.conventions.alerts import TARGET_DOWN
from triton_watch.records import AlertSettings, AlertSeverity

DEFAULT = from_flags(["http://localhost:8000"])
Rule = dict[str, Any]


def rules(settings: AlertSettings = DEFAULT.alerts) -> list[Rule]:
    return inhibit_rules(settings, DEFAULT.slo.objectives)


def severities(matchers: list[str]) -> list[AlertSeverity]:
    """Those that the matchers let through, by their usual names."""
    found = [one.partition("=")[2].strip('~"').split("|") for one in matchers if one.startswith("severity")]
    return [AlertSeverity(name) for name in found[0]] if found else list(AlertSeverity)


@pytest.mark.parametrize("one", CONSEQUENCES, ids=lambda one: " ".join(one.causes))
def test_causes_and_effects_are_alerts_and_their_labels_can_be_compared(one: Consequence) -> None:
    by_name = {definition.name: definition for definition in ALERTS}
    assert one.effects or one.slis
    assert not set(one.causes) & set(one.effects)
    for name in (*one.causes, *one.effects):
        assert name in by_name
    for name in one.causes:
        own = ("target", "model_namespace", *by_name[name].labels)
        # Only server-wide findings are compared by a model that the cause has not.
        assert set(one.about) <= set(own) or one.effects == ("TritonConfigErrors",)


def test_no_alert_holds_back_a_more_urgent_one_but_a_server_that_is_down() -> None:
    urgency = list(AlertSeverity)
    for rule in rules():
        if rule["source_matchers"] == [f'alertname="{TARGET_DOWN}"']:
            continue
        least = max(map(urgency.index, severities(rule["source_matchers"])))
        most = min(map(urgency.index, severities(rule["target_matchers"])))
        assert least <= most, rule


def test_every_cause_can_count_by_its_usual_severity() -> None:
    for one in CONSEQUENCES:
        place = list(AlertSeverity).index(one.least)
        for definition in (found for found in ALERTS if found.name in one.causes):
            assert list(AlertSeverity).index(definition.severity) <= place, definition.name


def test_nothing_is_held_back_across_servers_or_external_labels() -> None:
    settings = AlertSettings(external_labels=(("cluster", "a"), ("target", "odd")))
    for rule in rules(settings):
        assert "target" in rule["equal"]
        assert "cluster" in rule["equal"]
        assert len(set(rule["equal"])) == len(rule["equal"])


def test_routes_keep_external_labels_apart() -> None:
    route = alertmanager_config(AlertSettings(external_labels=(("cluster", "a"),)))["route"]
    groups = [one["group_by"] for one in (route, *route["routes"][1]["routes"]) if "group_by" in one]
    assert len(groups) == 4
    assert all("cluster" in group for group in groups)


def test_budgets_are_held_back_by_what_their_objective_is_about() -> None:
    objectives = [availability(name="up"), queue_time(name="wait"), queue_time(name="wait-too")]
    rules = inhibit_rules(AlertSettings(), objectives)
    found = [rule for rule in rules if any(one.startswith("slo=") for one in rule["target_matchers"])]
    assert len(found) == 1
    assert found[0]["source_matchers"][0] == 'alertname="TritonQueueGrowing"'
    assert found[0]["target_matchers"][:2] == ['alertname="TritonErrorBudgetBurn"', 'slo=~"wait|wait-too"']


def test_other_names_of_severities_are_used_everywhere() -> None:
    names = {AlertSeverity.PAGE: "critical", AlertSeverity.TICKET: "warning", AlertSeverity.INFO: "none"}
    text = str(alertmanager_config(AlertSettings(severities=names), DEFAULT.slo.objectives))
    assert not re.search(r'severity=~?"[^"]*\b(page|ticket|info)\b', text)
    assert 'severity="critical"' in text
    assert 'severity=~"warning|none"' in text


def test_pages_and_tickets_of_one_name_are_not_told_apart() -> None:
    same = {AlertSeverity.PAGE: "alert", AlertSeverity.TICKET: "alert"}
    assert len(rules(AlertSettings(severities=same))) == len(rules()) - 1
    assert of_severity(AlertSettings(severities=same), AlertSeverity.PAGE, AlertSeverity.TICKET) == 'severity="alert"'


@given(st.lists(st.text(min_size=1), min_size=3, max_size=3, unique=True))
def test_a_severity_matches_itself_and_no_other_whatever_its_name(names: list[str]) -> None:
    page, ticket, info = names
    settings = AlertSettings(severities=dict(zip(AlertSeverity, names, strict=True)))
    matcher = of_severity(settings, AlertSeverity.PAGE, AlertSeverity.INFO)
    pattern = json.loads(matcher.removeprefix("severity=~"))
    assert [bool(re.fullmatch(pattern, name)) for name in (page, ticket, info)] == [True, False, True]


def test_one_value_needs_no_pattern() -> None:
    assert one_of("alertname", ["A"]) == 'alertname="A"'
    assert one_of("alertname", ["A", "B"]) == 'alertname=~"A|B"'


def test_every_receiver_is_used_and_every_used_one_is_there() -> None:
    config = alertmanager_config(DEFAULT.alerts)
    used = set(re.findall(r"'receiver': '(\w+)'", str(config["route"])))
    assert used == {one["name"] for one in config["receivers"]} == {"page", "ticket", "info", "watchdog"}


def test_a_heartbeat_is_never_told_as_resolved_and_nobody_is_told_of_infos() -> None:
    receivers = {one["name"]: one for one in alertmanager_config(DEFAULT.alerts)["receivers"]}
    assert receivers["watchdog"]["webhook_configs"][0]["send_resolved"] is False
    assert receivers["info"].keys() == {"name"}


def test_receivers_lead_nowhere_until_they_are_filled_in() -> None:
    urls = re.findall(r"'url': '([^']+)'", str(alertmanager_config(DEFAULT.alerts)))
    assert len(urls) == 3
    assert all(url.startswith("http://127.0.0.1:9099/fill-in/") for url in urls)
