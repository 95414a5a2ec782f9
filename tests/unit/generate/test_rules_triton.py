"""Rules on Triton's own metrics: what they say, what they leave out, and that their promtool tests cover them."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.objectives import availability, batch_efficiency, gpu_band, override, queue_time, ttft
from support.triton_rules import DEFAULTS, LIVE, OBJECTIVES, OVERRIDES, RENAMED, settings_with
from triton_watch.conventions.alerts import ALERT_NAMES
from triton_watch.conventions.recorded import RECORDED
from triton_watch.generate.rules.agent import agent_groups
from triton_watch.generate.rules.options import BurnBy, RuleOptions
from triton_watch.generate.rules.triton import triton_groups, triton_yaml
from triton_watch.generate.rules.triton_events import Part, parts
from triton_watch.records import AlertOverride, AlertSeverity, Goal, Objective, Settings, SloSli

ROOT = Path(__file__).resolve().parents[3]
PLAIN = RuleOptions()
BURN_WINDOWS = "5m", "30m", "1h", "2h", "6h", "1d", "3d"
WINDOWS = "1m", *BURN_WINDOWS, "30d"
ALL = "fires", "stays quiet", "no traffic", "counter reset", "recovery", "low traffic"
CASES = {
    "TritonTargetDown": ("fires", "stays quiet", "no traffic", "recovery"),
    "TritonMetricsMissing": ("fires", "stays quiet", "no traffic", "recovery"),
    "TritonModelWedged": ALL,
    "TritonErrorBudgetBurn": ALL,
    "TritonQueueGrowing": ALL,
    "TritonGpuMemoryHigh": ("fires", "stays quiet", "no traffic", "recovery"),
    "TritonGpuUnderused": ALL,
    "TritonGpuSaturated": ALL,
}
"""What promtool has to be shown of each alert: whether a server answers and how full a GPU is hangs on no counter."""
Rule = dict[str, Any]


def rules(settings: Settings = DEFAULTS, options: RuleOptions = PLAIN) -> list[Rule]:
    return [rule for group in triton_groups(settings, options) for rule in group["rules"]]


def alerts(name: str, settings: Settings = DEFAULTS, options: RuleOptions = PLAIN) -> list[Rule]:
    return [rule for rule in rules(settings, options) if rule.get("alert") == name]


def head(settings: Settings, options: RuleOptions = PLAIN) -> str:
    """The comment, as running text."""
    lines = [line for line in triton_yaml(settings, options).splitlines() if line.startswith("#")]
    return " ".join(line.removeprefix("#").strip() for line in lines)


# What is generated


def test_the_committed_file_is_what_the_defaults_make() -> None:
    assert (ROOT / "alerts" / "triton.yaml").read_text() == triton_yaml(DEFAULTS, PLAIN)


def test_the_same_settings_make_the_same_file() -> None:
    settings = settings_with(*OBJECTIVES, overrides=OVERRIDES, severities=RENAMED)
    assert triton_yaml(settings, LIVE) == triton_yaml(settings, LIVE)


def test_every_alert_is_told_or_named_as_one_that_only_an_agent_can_tell() -> None:
    for options in (PLAIN, LIVE):
        told = {rule["alert"] for rule in rules(settings_with(*OBJECTIVES), options) if "alert" in rule}
        listed = set(re.findall(r"^#   (Triton\w+)$", triton_yaml(DEFAULTS, options), re.MULTILINE))
        assert told <= set(ALERT_NAMES)
        assert (told | listed, told & listed) == (set(ALERT_NAMES), set())


def test_what_is_recorded_is_in_the_table_and_all_of_it_is_used() -> None:
    used = {rule["record"] for rule in rules(settings_with(*OBJECTIVES), LIVE) if "record" in rule}
    table = {one.name.format(window=window): one.name for one in RECORDED for window in WINDOWS}
    assert used <= set(table)
    assert {table[name] for name in used} == {one.name for one in RECORDED}


def test_an_expression_reads_only_what_another_rule_records() -> None:
    for options in (PLAIN, LIVE):
        made = rules(settings_with(*OBJECTIVES), options)
        known = {rule["record"] for rule in made if "record" in rule}
        read = {name for rule in made for name in re.findall(r"\b(?:model|gpu|slo_\w+):\w+:\w+", rule["expr"])}
        assert read <= known


def test_each_alert_has_its_words_its_links_its_labels_and_nothing_left_to_fill_in() -> None:
    settings = settings_with(*OBJECTIVES, severities=RENAMED)
    for rule in rules(settings, replace(LIVE, external_url="https://watch.example")):
        assert "$" not in rule["expr"]
        if "alert" in rule:
            assert list(rule["annotations"]) == ["summary", "description", "runbook_url", "dashboard_url"]
            assert "$labels.target" not in "".join(rule["annotations"].values())
            assert rule["annotations"]["runbook_url"] == f"https://watch.example/runbooks/{rule['alert']}"
            assert rule["labels"]["severity"] in ("critical", "warning", "info")
            assert rule["labels"]["team"] == "ml"


def test_links_lead_nowhere_where_nobody_said_where_to_and_the_file_says_so() -> None:
    assert "lead nowhere" in head(DEFAULTS)
    assert "lead nowhere" not in head(DEFAULTS, RuleOptions(external_url="https://watch.example"))


def test_what_alertmanager_knows_as_target_is_the_instance() -> None:
    """Without the label an inhibition by target would hold between any two servers."""
    told = [rule for rule in rules() if "alert" in rule]
    assert {rule["labels"]["target"] for rule in told} == {"{{ $labels.instance }}"}


def test_every_selector_is_on_every_series_and_stays_on_what_is_recorded() -> None:
    for rule in rules(settings_with(*OBJECTIVES), LIVE):
        series = re.findall(r"\b(?:nv_\w+|(?:model|gpu|slo_\w+):[\w:]+|up)(?![\w|])(\{[^}]*)?", rule["expr"])
        assert all(one.startswith('{job="triton", cluster="a"') for one in series), rule["expr"]
        assert all("cluster" in one for one in re.findall(r"(?:sum|max|min) by \(job, instance, [^)]*\)", rule["expr"]))


def test_ensembles_are_left_out_of_queues_and_batches_and_have_no_constants() -> None:
    made = {rule["record"]: rule for rule in rules(DEFAULTS, LIVE) if "record" in rule}
    for name in ("model:triton_queue_time_seconds:mean5m", "model:triton_batch_size:mean5m"):
        assert 'model!~"pipeline"' in made[name]["expr"]
    assert "pipeline" not in made["model:triton_requests:rate5m"]["expr"]
    sizes = [rule for rule in rules(DEFAULTS, LIVE) if rule.get("record") == "model:triton_max_batch_size:config"]
    assert [(rule["labels"]["model"], rule["expr"]) for rule in sizes] == [
        ("encoder", "vector(8)"),
        ("plain", "vector(8)"),
        ("single", "vector(0)"),
    ]


# Objectives


def goal_for(model: str, objective: Objective) -> list[Goal]:
    """The goals that the matchers give to a model, which has to be one at most."""
    return [part.goal for part in parts(objective) if _matches(part, model)]


def _matches(part: Part, model: str) -> bool:
    return all(bool(re.fullmatch(one.pattern, model)) is not one.is_not for one in part.models)


@pytest.mark.parametrize("model", ["a", "ab", "abc", "b", "bc", "x.y", "xzy", "z1", "za", "other"])
def test_a_model_has_the_goal_of_the_first_override_that_matches_and_no_other(model: str) -> None:
    objective = availability(
        overrides=(
            override("a*", Goal(0.9)),
            override("?b*", Goal(0.8)),
            override("x.y", Goal(0.7)),
            override("z[!0-9]", Goal(0.6)),
        ),
        models=("?", "*b*", "[xz]*"),
        exclude_models=("bc",),
    )
    expected = [objective.goal_of(model)] if objective.covers("any", model) else []
    assert goal_for(model, objective) == expected
    assert fnmatchcase("ab", "?b*")


def test_objectives_that_cannot_be_told_are_named_with_why() -> None:
    canaries = replace(availability(), name="canaries", sli=SloSli.CANARY)
    some = replace(availability(), name="some", targets=("gpu-*",))
    text = head(settings_with(ttft(0.1), gpu_band(0.1, 0.9), canaries, some, batch_efficiency()))
    for name, why in {
        "ttft": "the bucket that is its threshold cannot be known here",
        "gpu": "Triton does not say which model runs on which GPU",
        "canaries": "an agent runs the canaries",
        "some": "it is for targets gpu-*",
        "batch-efficiency": "nobody asked a server for them",
    }.items():
        assert f"Objective {name} is not in these rules: " in text
        assert why in text


def test_what_is_left_out_of_the_objectives_has_no_rule() -> None:
    made = rules(settings_with(replace(availability(), targets=("gpu-*",)), batch_efficiency()))
    assert not [rule for rule in made if "slo" in str(rule.get("labels")) or "slo" in rule.get("record", "")]


def test_an_objective_on_the_queue_or_on_a_quantile_says_what_it_needs() -> None:
    text = head(settings_with(queue_time(quantile="0.99")))
    assert "counts ensembles too" in text
    assert "summary_latencies=true" in text
    assert "counts ensembles too" not in head(settings_with(queue_time()), LIVE)


@pytest.mark.parametrize(
    ("interval", "span", "slow"),
    [(1.0, "1m", "2m"), (30.0, "1m", "2m"), (50.0, "1m", "2m30s"), (90.0, "1m30s", "3m"), (240.0, "4m", "4m")],
)
def test_events_are_counted_over_no_less_than_an_interval(interval: float, span: str, slow: str) -> None:
    """What lies between two looks is seen by one of them; each average is of whole intervals, and none is forgotten."""
    groups = {group["name"]: group for group in triton_groups(DEFAULTS, RuleOptions(interval=interval))}
    counted = [rule for rule in groups["triton-slo"]["rules"] if ":rate" in rule["record"]]
    assert {rule["record"] for rule in counted} == {f"slo_instance_model_result:triton_slo_events:rate{span}"}
    assert all(f"[{span}]" in rule["expr"] for rule in counted)
    averaged = groups["triton-slo-slow"]["rules"][0]
    assert averaged["record"] == f"slo_instance_model_result:triton_slo_events:avg_rate{span}"
    counters = f'slo_instance_model_result:triton_slo_events:rate{span}{{job="triton"}}'
    assert averaged["expr"] == f"avg_over_time({counters}[{slow}])"
    assert groups["triton-slo-slow"]["interval"] == slow
    assert _seconds(slow) % interval == 0
    assert _seconds(slow) < 300


def test_each_burn_window_has_an_alert_with_its_patience_and_its_severity() -> None:
    made = alerts("TritonErrorBudgetBurn", settings_with(availability()))
    assert [(rule["labels"]["window"], rule["labels"]["severity"], rule["for"]) for rule in made] == [
        ("1h", "page", "2m"),
        ("6h", "page", "15m"),
        ("1d", "ticket", "1h"),
        ("3d", "ticket", "3h"),
    ]
    assert {rule["keep_firing_for"] for rule in made} == {"2m"}
    assert {rule["labels"]["slo"] for rule in made} == {"availability"}


def test_each_burn_window_has_a_ratio_and_a_rate_and_the_period_has_none() -> None:
    made = {rule["record"] for rule in rules() if "record" in rule}
    for window in BURN_WINDOWS:
        assert f"slo_instance_model:triton_slo_error_ratio:{window}" in made
        assert f"slo_instance_model:triton_slo_burn_rate:{window}" in made
    assert "slo_instance_model_result:triton_slo_events:increase30d" in made
    assert "slo_instance_model:triton_slo_burn_rate:30d" not in made


def test_objectives_are_recorded_under_the_names_that_they_have_over_what_agents_export() -> None:
    """A board or an alert of one's own moves from one file to the other by the level and the prefix of its names."""
    agents = {rule["record"] for group in agent_groups(DEFAULTS, PLAIN) for rule in group["rules"] if "record" in rule}
    moved = {
        name.replace("slo_target_model", "slo_instance_model").replace(":triton_watch_", ":triton_")
        for name in agents
        if name.startswith("slo_target_model") and ":triton_watch_slo_objective_ratio:" not in name
    }
    made = {rule["record"] for rule in rules() if "record" in rule}
    own = {name for name in made if name.startswith("slo_") and ":rate" not in name and ":avg_rate" not in name}
    assert own == moved


def test_an_objective_without_alerts_still_has_a_budget() -> None:
    made = {rule["record"] for rule in rules(settings_with(availability(windows=()))) if "record" in rule}
    assert "slo_instance_model:triton_slo_budget_remaining:ratio" in made
    assert not any("burn_rate" in name or "error_ratio" in name for name in made)


@pytest.mark.parametrize("burn_by", BurnBy)
def test_the_words_of_a_burn_say_its_window(burn_by: BurnBy) -> None:
    """They know the labels of its series alone, and the window is one of the rule."""
    for rule in alerts("TritonErrorBudgetBurn", DEFAULTS, RuleOptions(burn_by=burn_by)):
        assert f"over the last {rule['labels']['window']}. " in rule["annotations"]["description"]


def test_a_burn_over_all_servers_names_none() -> None:
    (first, *_) = alerts("TritonErrorBudgetBurn", DEFAULTS, RuleOptions(burn_by=BurnBy.MODEL))
    assert "target" not in first["labels"]
    assert "instance" not in first["expr"].replace("slo_instance_model_result:", "")
    assert "instance" not in "".join(first["annotations"].values())


# Overrides of alerts


def test_what_an_override_takes_the_rules_after_it_leave_out() -> None:
    settings = settings_with(overrides=(AlertOverride(("TritonModelWedged",), models=("a*", "b"), hold=90.0),))
    narrow, rest = alerts("TritonModelWedged", settings)
    assert (narrow["for"], rest["for"]) == ("1m30s", "30s")
    assert narrow["expr"].count('model=~"a.*|b"') == rest["expr"].count('model!~"a.*|b"') == 5


def test_a_threshold_and_a_switch_of_an_override_are_honoured() -> None:
    settings = settings_with(overrides=OVERRIDES)
    (full,) = alerts("TritonGpuMemoryHigh", settings)
    assert full["expr"].endswith("> 0.5")
    assert full["labels"]["owner"] == "infra"
    assert alerts("TritonGpuUnderused", settings) == []


def test_an_override_of_the_burn_narrows_every_window() -> None:
    settings = settings_with(
        availability(), overrides=(AlertOverride(models=("a",), severity=AlertSeverity.INFO, hold=60.0),)
    )
    made = alerts("TritonErrorBudgetBurn", settings)
    narrow = [rule for rule in made if rule["labels"]["severity"] == "info"]
    assert (len(narrow), len(made)) == (4, 8)
    assert {rule["for"] for rule in narrow} == {"1m"}
    assert all(rule["expr"].count('model=~"a"') == 3 for rule in narrow)


def test_overrides_that_cannot_be_said_are_named() -> None:
    text = head(
        settings_with(
            overrides=(
                AlertOverride(("TritonTargetDown",), targets=("gpu-*",), hold=9.0),
                AlertOverride(("TritonTargetDown",), failures=5, window=9),
            )
        )
    )
    assert "The override of TritonTargetDown for targets gpu-* is not in these rules" in text
    assert "TritonTargetDown: failures and window of the override" in text


def test_counts_of_polls_are_said_where_the_rule_has_a_place_for_them() -> None:
    settings = settings_with(overrides=(AlertOverride(("TritonQueueGrowing",), failures=4, window=9),))
    (rule,) = alerts("TritonQueueGrowing", settings)
    assert "[2m10s:15s]) >= 4" in rule["expr"]
    assert "TritonQueueGrowing" not in head(settings)


# promtool's tests


def test_promtool_is_shown_each_alert_in_each_case() -> None:
    tests = yaml.safe_load((ROOT / "alerts" / "tests" / "triton.yaml").read_text())["tests"]
    names = [one["name"] for one in tests]
    assert set(CASES) == {rule["alert"] for rule in rules() if "alert" in rule}
    for alert, cases in CASES.items():
        for case in cases:
            assert any(name.startswith(f"{alert} {case}: ") for name in names), (alert, case)


def test_no_test_of_promtool_looks_where_its_series_have_ended() -> None:
    """Of a series that has ended nothing fires: such a test could not fail."""
    for one in yaml.safe_load((ROOT / "alerts" / "tests" / "triton.yaml").read_text())["tests"]:
        end = _seconds(one["interval"]) * min(_length(series["values"]) for series in one["input_series"])
        for check in [*one.get("alert_rule_test", ()), *one.get("promql_expr_test", ())]:
            assert _seconds(check["eval_time"]) <= end, (one["name"], check["eval_time"])


def _seconds(text: str) -> float:
    return sum(float(number) * {"m": 60, "s": 1}[unit] for number, unit in re.findall(r"(\d+)([ms])", text))


def _length(values: str) -> int:
    """Intervals from the first value to the last: `a+bxn` and `axn` are n + 1 values, `_xn` is n."""
    lengths = (int(one.rpartition("x")[2]) + (one[0] != "_") if "x" in one else 1 for one in values.split())
    return sum(lengths) - 1
