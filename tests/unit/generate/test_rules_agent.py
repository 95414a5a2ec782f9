"""Rules over what agents export: what is recorded, the alerts over a server or a fleet, and every option of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.objectives import DAY, PERIOD, TIERS, availability, queue_time
from triton_watch.alerting.inhibition import inhibit_rules
from triton_watch.alerting.promql import selected
from triton_watch.config import from_flags
from triton_watch.conventions import METRICS
from triton_watch.conventions.alerts import ALERT_NAMES
from triton_watch.conventions.recorded_slo import RECORDED_SLO, labels_of
from triton_watch.generate.rules.adjusted import with_period, with_severities
from triton_watch.generate.rules.agent import agent_groups, agent_yaml
from triton_watch.generate.rules.options import BurnBy, RuleOptions
from triton_watch.records import AlertOverride, AlertSettings, AlertSeverity, Labels, Page

if TYPE_CHECKING:
    from triton_watch.records import Objective, Settings

ROOT = Path(__file__).resolve().parents[3]
DEFAULTS = from_flags(["http://localhost:8000"])
BY_TARGET, BY_MODEL = RuleOptions(), RuleOptions(burn_by=BurnBy.MODEL)
BURN = "TritonErrorBudgetBurn"
SHORT, LONG = "triton-watch-recorded", "triton-watch-recorded-long"

Rule = dict[str, Any]


def rules_of(settings: Settings = DEFAULTS, options: RuleOptions = BY_TARGET) -> list[Rule]:
    return [rule for group in agent_groups(settings, options) for rule in group["rules"]]


def recorded(settings: Settings = DEFAULTS, options: RuleOptions = BY_TARGET) -> dict[str, Rule]:
    return {rule["record"]: rule for rule in rules_of(settings, options) if "record" in rule}


def burns(settings: Settings = DEFAULTS, options: RuleOptions = BY_MODEL) -> list[Rule]:
    return [rule for rule in rules_of(settings, options) if rule.get("alert") == BURN]


def promising(*objectives: Objective) -> Settings:
    return replace(DEFAULTS, slo=replace(DEFAULTS.slo, objectives=objectives))


def overriding(*overrides: AlertOverride) -> Settings:
    return replace(DEFAULTS, alerts=AlertSettings(overrides=overrides))


# What is recorded


def test_every_window_has_a_ratio_and_a_burn_rate_for_a_target_and_for_the_fleet() -> None:
    found = recorded()
    for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d"):
        for level in ("slo_target_model", "slo_model"):
            assert f"{level}:triton_watch_slo_error_ratio:{window}" in found
            assert f"{level}:triton_watch_slo_burn_rate:{window}" in found
            assert f"{level}_result:triton_watch_slo_events:increase{window}" in found
    assert "slo_model:triton_watch_slo_burn_rate:30d" not in found
    assert "slo_model:triton_watch_slo_budget_remaining:ratio" in found


def test_every_recorded_name_is_in_the_table_and_the_other_way_round() -> None:
    windows = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
    table = {one.over(window).name: one.name for one in RECORDED_SLO for window in windows}
    assert set(recorded()) <= set(table)
    assert {table[name] for name in recorded()} == {one.name for one in RECORDED_SLO}


def test_every_recorded_series_has_the_labels_of_its_level() -> None:
    for one in RECORDED_SLO:
        assert labels_of(one.over("1h").name) == one.labels


def test_long_windows_and_periods_are_looked_at_seldom_but_before_the_last_look_is_too_old() -> None:
    """Prometheus forgets a value after five minutes."""
    short, long = agent_groups(DEFAULTS, RuleOptions(interval=20.0))[:2]
    assert (short["name"], short["interval"]) == (SHORT, "20s")
    assert (long["name"], long["interval"]) == (LONG, "4m")
    assert {rule["record"].rpartition(":")[2] for rule in long["rules"]} == {
        "increase1d", "1d", "increase3d", "3d", "increase30d", "ratio",
    }  # fmt: skip


def test_counters_are_read_once_for_a_window() -> None:
    for group in agent_groups(DEFAULTS, BY_MODEL)[:2]:
        readers = [rule["expr"] for rule in group["rules"] if "triton_watch_slo_events_total" in rule["expr"]]
        ranges = [expr.partition("[")[2].partition("]")[0] for expr in readers]
        assert len(ranges) == len(set(ranges))


def test_an_objective_is_recorded_over_its_own_windows_alone() -> None:
    tickets = queue_time(windows=tuple(tier for tier in TIERS if tier.severity is Page.TICKET))
    found = recorded(promising(availability(), tickets))
    assert 'slo=~"availability"}' in found["slo_target_model_result:triton_watch_slo_events:increase5m"]["expr"]
    assert (
        'slo=~"availability|queue-time"}' in found["slo_target_model_result:triton_watch_slo_events:increase1d"]["expr"]
    )


def test_objectives_of_other_periods_have_one_rule_for_what_is_left() -> None:
    found = recorded(promising(availability(), queue_time(period=7 * DAY)))
    expr = found["slo_model:triton_watch_slo_budget_remaining:ratio"]["expr"]
    assert expr.count("\nor\n") == 1
    assert 'increase30d{slo=~"availability"' in expr
    assert 'increase7d{slo=~"queue-time"' in expr


def test_an_objective_without_alerts_still_has_a_budget() -> None:
    found = recorded(promising(availability(windows=())))
    assert "slo_model:triton_watch_slo_budget_remaining:ratio" in found
    assert not any("burn_rate" in name for name in found)


def test_without_objectives_nothing_is_recorded() -> None:
    assert recorded(promising()) == {}


def test_job_and_instance_are_in_nothing_that_is_recorded() -> None:
    for rule in recorded().values():
        assert "instance" not in rule["expr"]
        assert "job" not in rule["expr"]


# Burning budgets, by model


def test_by_target_the_alerts_are_those_of_the_agents_own_gauges() -> None:
    assert all("slo_model:" not in rule["expr"] for rule in burns(options=BY_TARGET))
    assert "instance" in burns(options=BY_TARGET)[0]["expr"]


def test_by_model_windows_patience_and_severities_stay() -> None:
    def shape(rule: Rule) -> tuple[object, ...]:
        return rule["labels"], rule["for"], rule["keep_firing_for"]

    assert [shape(one) for one in burns()] == [shape(one) for one in burns(options=BY_TARGET)]
    assert all("over all its servers" in one["annotations"]["summary"] for one in burns())
    assert all("$labels.target" not in str(one["annotations"]) for one in burns())


def test_by_model_each_rule_looks_at_the_recorded_rates_of_its_two_windows() -> None:
    names = set(recorded())
    for rule, (long, short) in zip(burns(), (("1h", "5m"), ("6h", "30m"), ("1d", "2h"), ("3d", "6h")), strict=True):
        for window in (long, short):
            assert f"slo_model:triton_watch_slo_burn_rate:{window}{{" in rule["expr"]
            assert f"slo_model:triton_watch_slo_burn_rate:{window}" in names
        assert f"slo_model_result:triton_watch_slo_events:increase{long}{{" in rule["expr"]


def test_by_model_all_other_alerts_are_the_same() -> None:
    def others(options: RuleOptions) -> list[Rule]:
        return [one for one in rules_of(options=options) if one.get("alert") not in (None, BURN)]

    assert others(BY_MODEL) == others(BY_TARGET)


def test_by_model_an_override_of_some_models_is_on_the_recorded_series() -> None:
    own, rest = burns(overriding(AlertOverride(alerts=(BURN,), models=("text*",), hold=7.0)))[:2]
    assert 'slo_model:triton_watch_slo_burn_rate:1h{slo=~"availability|queue-time", model=~"text.*"}' in own["expr"]
    assert own["for"] == "7s"
    assert rest["expr"].count('model=~"text.*"') == own["expr"].count('model=~"text.*"')
    assert any(
        'model!~"text.*"' in one["expr"] for one in burns(overriding(AlertOverride(models=("text*",), hold=7.0)))
    )


def test_by_model_an_override_of_some_targets_is_left_out_and_named() -> None:
    settings = overriding(AlertOverride(targets=("gpu-*",), enabled=False))
    assert len(burns(settings)) == len(burns())
    text = agent_yaml(settings, BY_MODEL)
    assert f"# {BURN}: the override for targets gpu-* is not in these rules: they are about a model" in text
    assert "name models instead." not in agent_yaml(settings, BY_TARGET)


def test_an_alert_of_one_server_never_holds_back_one_of_the_fleet() -> None:
    """Only its own page holds back its ticket: for all others a target must be equal, and a fleet's alert has none."""
    for rule in inhibit_rules(DEFAULTS.alerts, DEFAULTS.slo.objectives):
        assert "target" in rule["equal"]
    page_over_ticket = inhibit_rules(DEFAULTS.alerts, DEFAULTS.slo.objectives)[1]
    assert {"alertname", "slo", "model"} <= set(page_over_ticket["equal"])
    assert "window" not in page_over_ticket["equal"]


# Options


@pytest.mark.parametrize("burn_by", BurnBy)
def test_selectors_are_on_every_series_and_on_what_is_recorded(burn_by: BurnBy) -> None:
    options = RuleOptions(selectors=(("cluster", "eu"),), burn_by=burn_by)
    plain = rules_of(options=replace(options, selectors=()))
    for rule, before in zip(rules_of(options=options), plain, strict=True):
        assert rule["expr"].count('cluster="eu"') == _series_in(before["expr"])
        if "record" in rule:
            assert rule["labels"] == {"cluster": "eu"}


def _series_in(expr: str) -> int:
    """How often the name of a metric stands in an expression."""
    names = [metric.name for metric in METRICS] + ["up"]
    words = "".join(char if char.isalnum() or char in "_:" else " " for char in expr).split()
    return sum(word in names or labels_of(word) != () for word in words)


@pytest.mark.parametrize(
    ("expr", "found"),
    [
        ("triton_watch_x > 1", 'triton_watch_x{c="e"} > 1'),
        ('up{job="a}b"} == 0', 'up{job="a}b", c="e"} == 0'),
        ('a:triton_watch_x:rate5m{s="triton_watch_y"}', 'a:triton_watch_x:rate5m{s="triton_watch_y", c="e"}'),
        ("rate(triton_watch_x_total[5m])", 'rate(triton_watch_x_total{c="e"}[5m])'),
        ("vector(1)", "vector(1)"),
        ('label_replace(triton_watch_x, "up", "triton_watch_y", "", "")', None),
    ],
)
def test_a_selector_goes_to_series_and_not_into_texts(expr: str, found: str | None) -> None:
    wanted: Labels = (("c", "e"),)
    if found is None:
        found = expr.replace("triton_watch_x", 'triton_watch_x{c="e"}')
    assert selected(expr, wanted) == found


def test_labels_are_added_to_alerts_alone_and_an_override_goes_before_them() -> None:
    settings = overriding(AlertOverride(alerts=("TritonNotReady",), labels=(("team", "nlp"),), hold=1.0))
    for rule in rules_of(settings, RuleOptions(labels=(("team", "ml"), ("tier", "1")))):
        if "record" in rule:
            assert "labels" not in rule
        else:
            assert rule["labels"]["tier"] == "1"
            assert rule["labels"]["team"] == ("nlp" if rule["alert"] == "TritonNotReady" else "ml")


def test_every_group_has_the_interval() -> None:
    groups = agent_groups(DEFAULTS, RuleOptions(interval=60.0))
    assert {group["interval"] for group in groups if group["name"] != LONG} == {"1m"}


def test_a_poll_is_as_long_as_the_longest_of_the_targets() -> None:
    (target,) = DEFAULTS.targets
    slow = replace(DEFAULTS, targets=(target, replace(target, interval=60.0), replace(target, interval=5.0)))
    fast = replace(DEFAULTS, targets=(replace(target, interval=5.0),))

    def queue(settings: Settings) -> str:
        (rule,) = (one for one in rules_of(settings) if one.get("alert") == "TritonQueueGrowing")
        return str(rule["expr"])

    assert "[7m55s:1m]) >= 6" in queue(slow)
    assert queue(fast) == queue(DEFAULTS)
    assert "[1m55s:15s]) >= 6" in queue(DEFAULTS)


def test_links_lead_to_the_address_that_is_given_else_to_an_agent() -> None:
    given = rules_of(options=replace(BY_MODEL, external_url="https://watch.example/"))
    assert {one["annotations"]["dashboard_url"] for one in given if "alert" in one} == {"https://watch.example/"}
    assert burns()[0]["annotations"]["dashboard_url"] == (
        'http://{{ with query `triton_watch_build_info` }}{{ . | first | label "instance" }}{{ end }}/'
    )


# Settings, adjusted


def test_another_period_scales_the_windows_and_keeps_what_has_alerts() -> None:
    week = with_period(DEFAULTS, 7 * DAY)
    assert {one.period for one in week.slo.objectives} == {7 * DAY}
    assert [len(one.windows) for one in week.slo.objectives] == [4, 4, 2]
    assert "slo_model:triton_watch_slo_burn_rate:14m" in recorded(week)
    assert with_period(DEFAULTS, PERIOD) == DEFAULTS


def test_severities_have_new_names_where_one_is_given() -> None:
    once = with_severities(DEFAULTS, {AlertSeverity.PAGE: "critical"})
    twice = with_severities(once, {AlertSeverity.TICKET: "warning"})
    found = {rule["labels"]["severity"] for rule in rules_of(twice) if "alert" in rule}
    assert found == {"critical", "warning", "info"}


# The files


@pytest.mark.parametrize("options", [BY_TARGET, BY_MODEL])
def test_the_same_settings_make_the_same_file(options: RuleOptions) -> None:
    text = agent_yaml(DEFAULTS, options)
    assert text == agent_yaml(DEFAULTS, options)
    assert yaml.safe_load(text) == {"groups": agent_groups(DEFAULTS, options)}


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_never_does() -> None:
    tests = yaml.safe_load((ROOT / "alerts" / "tests" / "rules.yaml").read_text())["tests"]
    fires, quiet = set[str](), set[str]()
    for test in tests:
        outcomes: dict[str, list[bool]] = {}
        for one in test.get("alert_rule_test", ()):
            outcomes.setdefault(one["alertname"], []).append(bool(one["exp_alerts"]))
        fires |= {name for name, seen in outcomes.items() if any(seen)}
        if "nothing is said" not in test["name"]:
            quiet |= {name for name, seen in outcomes.items() if not any(seen)}
    committed = {rule["alert"] for rule in rules_of() if "alert" in rule}
    assert fires == quiet == committed == set(ALERT_NAMES) - {"TritonWatchdog"}


def test_what_a_restart_of_the_agent_does_is_shown_of_every_alert_on_its_series() -> None:
    tests = yaml.safe_load((ROOT / "alerts" / "tests" / "rules.yaml").read_text())["tests"]
    (restart,) = (one for one in tests if one["name"].startswith("An agent's restart ends no alert"))
    for shown in (restart["promql_expr_test"][0], restart["promql_expr_test"][-1]):
        names = {sample["labels"] for sample in shown["exp_samples"]}
        assert names == {f'{{alertname="{name}"}}' for name in set(ALERT_NAMES) - {"TritonWatchdog", "TritonWatchDown"}}
