"""The definitions as Prometheus rules: promtool takes them, and they fire when the conditions hold, and only then."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support.alert_moments import MOMENTS, OBJECTIVES, Moment
from support.debian import tool
from synthetic_state import SyntheticState, parse_openmetrics
from triton_watch.alerting.definitions import ALERTS, by_name
from triton_watch.alerting.rules import alert_groups, left_out_of
from triton_watch.conventions import METRICS
from triton_watch.daemon.exporter import Exporter
from triton_watch.daemon.state import AlertsView, BudgetsView, TargetBudgets
from triton_watch.records import AlertOverride, AlertSettings, AlertSeverity
from unit.alerting.test_definitions import cases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

URL = "http://watch.example:8003"
SCRAPED = {"instance": "watch:8003", "job": "triton-watch"}
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
EVERYTHING = AlertSettings(watchdog=True)
EVALUATED = tuple(dict.fromkeys(one.name for one in ALERTS if one.condition is not None))

Rule = dict[str, Any]


def promtool(*arguments: str, cwd: Path) -> str:
    """What promtool says; it has to be content."""
    program = tool("promtool")
    assert program is not None, "promtool is not there: `make tools` fetches it"
    done = subprocess.run([program, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules_of(settings: AlertSettings = EVERYTHING) -> list[Rule]:
    return [rule for group in alert_groups(settings, OBJECTIVES, external_url=URL) for rule in group["rules"]]


def rules_named(name: str, settings: AlertSettings = EVERYTHING) -> list[Rule]:
    return [rule for rule in rules_of(settings) if rule["alert"] == name]


def write(path: Path, content: object) -> str:
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path.name


def overridden(*overrides: AlertOverride) -> AlertSettings:
    return AlertSettings(watchdog=True, overrides=overrides)


# What promtool thinks of them


def test_promtool_takes_all_rules_without_a_complaint(tmp_path: Path) -> None:
    narrow = overridden(
        AlertOverride(targets=("gpu-*", 'odd"name\\', "[!-^\\]&&~~||]", "[b-a]", "[x"), hold=30.0),
        AlertOverride(models=("text.*", "m?"), threshold=3.0, labels=(("team", "nlp"),)),
        AlertOverride(severity=AlertSeverity.INFO),
    )
    plain = write(tmp_path / "plain.yaml", {"groups": alert_groups(EVERYTHING, OBJECTIVES, external_url=URL)})
    other = write(tmp_path / "narrow.yaml", {"groups": alert_groups(narrow, OBJECTIVES, external_url=URL)})
    for file in (plain, other):
        promtool("check", "rules", "--lint=all", "--lint-fatal", file, cwd=tmp_path)


def test_rules_fire_when_the_conditions_hold_and_as_the_same_cases(tmp_path: Path) -> None:
    """Each moment's own page, and rules without patience. What is not known does not fire."""
    groups = bare_groups()
    for group in groups:
        for rule in group["rules"]:
            rule.pop("for", None)
    write(tmp_path / "rules.yaml", {"groups": groups})
    tests = [
        {"name": one.name, "interval": "1m", "input_series": list(series_of(one)), "alert_rule_test": list(fired(one))}
        for one in MOMENTS
    ]
    content = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    promtool("test", "rules", write(tmp_path / "moments.yaml", content), cwd=tmp_path)


def bare_groups() -> list[dict[str, Any]]:
    """All groups without annotations, which would have to be given for each alert that is expected."""
    groups = alert_groups(AlertSettings(), OBJECTIVES, external_url=URL)
    for group in groups:
        for rule in group["rules"]:
            del rule["annotations"]
    return groups


def series_of(moment: Moment) -> Iterator[dict[str, str]]:
    """What the agent's page says of a moment, for minutes on end, of the metrics that rules look at."""
    of, used = moment.facts, "\n".join(one.expr for one in ALERTS)
    name = of.snapshot.target.name
    state = SyntheticState(
        {name: of.snapshot},
        budget_view=BudgetsView(tuple(of.objectives.values()), {name: TargetBudgets(of.budgets)}),
        canary_states={name: of.canaries},
        alert_view=AlertsView(findings={} if of.findings is None else {name: of.findings}),
    )
    for family in parse_openmetrics(Exporter(state).page(OPENMETRICS).body.decode()):
        for sample in family.samples:
            if sample.name in used:
                labels = ", ".join(f'{key}="{value}"' for key, value in {**sample.labels, **SCRAPED}.items())
                yield {"series": f"{sample.name}{{{labels}}}", "values": f"{sample.value}+0x4"}


def fired(moment: Moment) -> Iterator[dict[str, Any]]:
    """What is to fire then: the cases that hold, with their labels and those of the scrape."""
    for name in EVALUATED:
        expected = [
            {"exp_labels": {"severity": one.severity.value, "target": "gpu-7", **dict(case.labels), **SCRAPED}}
            for one in by_name(name)
            for case in cases(one, moment.facts) or ()
            if case.holds
        ]
        yield {"eval_time": "4m", "alertname": name, "exp_alerts": expected}


PATIENCE: list[tuple[str, dict[str, str], list[str], list[str]]] = [
    # alert, series and their values every 15 s, when it is quiet, when it fires
    ("TritonTargetDown", {"target_silent_cycles": "0 1 2 3 3 2 1 0x10"}, ["15s", "3m"], ["30s", "75s", "2m15s"]),
    ("TritonTargetDown", {"target_silent_cycles": "0 1 1 1 0 _x10"}, ["15s", "45s", "2m"], []),
    ("TritonNotReady", {"target_ready": "1 0x20"}, ["2m"], ["2m15s"]),
    ("TritonNotReady", {"target_ready": "1 0x6 1 0x6 1"}, ["2m", "3m"], []),
    ("TritonModelWedged", {"model_stuck_seconds": "0 15 30 45 60 0x9"}, ["30s", "75s"], ["45s", "1m"]),
    ("TritonMetricsMissing", {"target_heard": "1x20", "metrics_page_bytes": "9 9 _x18"}, ["6m"], []),
    ("TritonMetricsMissing", {"counters_frozen": "0 1 1 1 0x20"}, ["1m30s", "3m"], []),
    ("TritonMetricsMissing", {"counters_frozen": "0 1x20"}, ["1m30s"], ["1m45s"]),
    ("TritonCanaryFailing", {'canary_failing{reason="deadline"}': "_ 1 1 stale _x9"}, ["0s", "2m"], ["15s", "1m30s"]),
    ("TritonQueueGrowing", {"model_queue_depth_ratio": "3 3 1 3 1 3 3 3 0x20"}, ["1m30s", "5m"], ["1m45s", "3m"]),
    ("TritonQueueGrowing", {"model_queue_depth_ratio": "3x4 0x4 3x4"}, ["1m15s", "3m"], []),
    ("TritonGpuMemoryHigh", {"gpu_memory_used_ratio": "0.96x30"}, ["4m45s"], ["5m"]),
]


def test_rules_are_as_patient_as_the_definitions(tmp_path: Path) -> None:
    write(tmp_path / "rules.yaml", {"groups": bare_groups()})
    tests = [
        {
            "interval": "15s",
            "input_series": [{"series": _labelled(name), "values": values} for name, values in series.items()],
            "alert_rule_test": [
                {"eval_time": at, "alertname": alert, "exp_alerts": [_case(alert, next(iter(series)))] * fires}
                for fires, times in enumerate((quiet, firing))
                for at in times
            ],
        }
        for alert, series, quiet, firing in PATIENCE
    ]
    content = {"rule_files": ["rules.yaml"], "evaluation_interval": "15s", "tests": tests}
    promtool("test", "rules", write(tmp_path / "patience.yaml", content), cwd=tmp_path)


def _labelled(name: str) -> str:
    bare, _, more = name.partition("{")
    own = ', model="m", version="1"' if bare.startswith(("model_", "canary_")) else ""
    own += ', gpu_uuid="G"' if bare.startswith("gpu_") else ""
    return f'triton_watch_{bare}{{target="t"{own}{", " + more if more else "}"}'


def _case(alert: str, name: str) -> dict[str, Any]:
    (definition,) = by_name(alert)
    labels = {"severity": definition.severity.value, "target": "t"}
    if name.startswith(("model_", "canary_")):
        labels |= {"model": "m", "version": "1"}
    if name.startswith("gpu_"):
        labels["gpu_uuid"] = "G"
    return {"exp_labels": labels}


def test_what_prometheus_says_names_the_model_and_what_to_do(tmp_path: Path) -> None:
    write(tmp_path / "rules.yaml", {"groups": alert_groups(EVERYTHING, OBJECTIVES, external_url=URL)})
    labels = {"target": "gpu-7", "model": "encoder"}
    error = {
        "exp_labels": {"severity": "ticket", **labels},
        "exp_annotations": {
            "summary": "Configuration errors on gpu-7 encoder",
            "description": "A check of the live server counts 2 errors or crossed red lines for model encoder on "
            "gpu-7. Run `triton-watch check` on the server's URL: each finding says what to write instead.",
            "runbook_url": f"{URL}/runbooks/TritonConfigErrors",
            "dashboard_url": f"{URL}/",
        },
    }
    finding = 'triton_watch_config_findings{target="gpu-7", model="encoder", rule="TW101", severity="error"}'
    down = {
        "exp_labels": {"severity": "page", "job": "triton-watch"},
        "exp_annotations": {
            "summary": "triton-watch is down: nobody watches Triton",
            "description": "Prometheus cannot scrape triton-watch (job triton-watch): no other alert about Triton can "
            "fire. Start the agent again, and see in its log why it ended; its pages are gone with it: "
            "`triton-watch alerts explain TritonWatchDown` prints the runbook.",
            "runbook_url": f"{URL}/runbooks/TritonWatchDown",
            "dashboard_url": f"{URL}/",
        },
    }
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": finding, "values": "2x10"}],
            "alert_rule_test": [
                {"eval_time": "1m", "alertname": "TritonConfigErrors", "exp_alerts": [error]},
                {"eval_time": "5m", "alertname": "TritonWatchDown", "exp_alerts": [down]},
            ],
        },
    ]
    content = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    promtool("test", "rules", write(tmp_path / "words.yaml", content), cwd=tmp_path)


# What the rules are made of


@pytest.mark.parametrize("rule", rules_of(), ids=lambda rule: f"{rule['alert']}-{rule['labels']}")
def test_an_expression_is_about_metrics_that_there_are(rule: Rule) -> None:
    known = {metric.name for metric in METRICS}
    used = set(re.findall(r"triton_watch_\w+", rule["expr"]))
    assert used <= known
    assert used or rule["alert"] in ("TritonWatchDown", "TritonWatchdog")
    assert "$" not in rule["expr"]


def test_each_rule_has_its_severity_its_words_and_its_links() -> None:
    for rule in rules_of():
        assert rule["labels"]["severity"] in ("page", "ticket", "info")
        assert list(rule["annotations"]) == ["summary", "description", "runbook_url", "dashboard_url"]
        assert rule["annotations"]["runbook_url"] == f"{URL}/runbooks/{rule['alert']}"


def test_the_watchdog_is_there_where_it_is_wanted() -> None:
    assert rules_named("TritonWatchdog", AlertSettings()) == []
    (rule,) = rules_named("TritonWatchdog")
    assert rule["expr"] == "vector(1)"


def test_severities_have_their_new_names() -> None:
    settings = AlertSettings(severities={AlertSeverity.PAGE: "critical"})
    assert {rule["labels"]["severity"] for rule in rules_of(settings)} == {"critical", "ticket", "info"}


def test_the_job_of_the_agent_may_have_another_name() -> None:
    groups = alert_groups(AlertSettings(), (), external_url=URL, job='watch "x"')
    (rule,) = (rule for group in groups for rule in group["rules"] if rule["alert"] == "TritonWatchDown")
    assert rule["expr"] == 'up{job="watch \\"x\\""} == 0 or absent(up{job="watch \\"x\\""})'


def test_each_burn_window_has_its_rule_with_its_own_patience() -> None:
    found = [(rule["labels"], rule["for"]) for rule in rules_named("TritonErrorBudgetBurn")]
    assert found == [
        ({"window": "1h", "severity": "page"}, "2m"),
        ({"window": "6h", "severity": "page"}, "15m"),
        ({"window": "1d", "severity": "ticket"}, "1h"),
        ({"window": "3d", "severity": "ticket"}, "3h"),
    ]
    assert 'slo=~"availability|canaries", window="1h"' in rules_named("TritonErrorBudgetBurn")[0]["expr"]


def test_without_objectives_no_budget_burns() -> None:
    groups = alert_groups(AlertSettings(), (), external_url=URL)
    assert "TritonErrorBudgetBurn" not in {rule["alert"] for group in groups for rule in group["rules"]}


# Overrides


def test_an_override_for_all_changes_the_rule() -> None:
    settings = overridden(
        AlertOverride(
            alerts=("TritonQueueGrowing",),
            severity=AlertSeverity.PAGE,
            hold=90.0,
            keep=0.0,
            failures=3,
            window=4,
            threshold=5.5,
            labels=(("team", "nlp"),),
        )
    )
    (rule,) = rules_named("TritonQueueGrowing", settings)
    assert rule["expr"] == "count_over_time((triton_watch_model_queue_depth_ratio > 5.5)[55s:15s]) >= 3"
    assert (rule["for"], rule.get("keep_firing_for")) == ("1m30s", None)
    assert rule["labels"] == {"team": "nlp", "severity": "page"}
    assert left_out_of(settings) == ()


def test_an_alert_that_is_switched_off_has_no_rule() -> None:
    assert rules_named("TritonNotReady", overridden(AlertOverride(alerts=("TritonNot*",), enabled=False))) == []


def test_an_override_of_some_targets_makes_a_rule_of_its_own_and_the_other_rule_leaves_them_out() -> None:
    own, rest = rules_named("TritonModelWedged", overridden(AlertOverride(targets=("gpu-*", "a.b", "[cd]"), hold=10.0)))
    assert own["expr"] == r'triton_watch_model_stuck_seconds{target=~"gpu-.*|a\\.b|[cd]"} > 0'
    assert rest["expr"] == r'triton_watch_model_stuck_seconds{target!~"gpu-.*|a\\.b|[cd]"} > 0'
    assert (own["for"], rest["for"]) == ("10s", "30s")


def test_an_override_of_some_models_is_on_series_of_models_only() -> None:
    own, _ = rules_named("TritonSilentFailure", overridden(AlertOverride(models=("text_?",), keep=10.0)))
    assert 'triton_watch_model_silent_failure{model=~"text_."} == 1' in own["expr"]
    assert "triton_watch_target_heard == 0" in own["expr"]
    assert len(rules_named("TritonTargetDown", overridden(AlertOverride(models=("text_?",), keep=10.0)))) == 1


def test_some_targets_that_are_switched_off_are_left_out_of_the_rule() -> None:
    (rule,) = rules_named("TritonModelWedged", overridden(AlertOverride(targets=("test",), enabled=False)))
    assert rule["expr"] == 'triton_watch_model_stuck_seconds{target!~"test"} > 0'


def test_the_first_override_that_matches_wins_in_rules_too() -> None:
    settings = overridden(
        AlertOverride(targets=("a",), hold=10.0), AlertOverride(hold=20.0), AlertOverride(targets=("b",), hold=40.0)
    )
    assert [rule["for"] for rule in rules_named("TritonModelWedged", settings)] == ["10s", "20s"]
    assert left_out_of(settings) == ()


def test_an_override_of_the_hold_holds_for_every_burn_window() -> None:
    rules = rules_named("TritonErrorBudgetBurn", overridden(AlertOverride(hold=600.0)))
    assert {rule["for"] for rule in rules} == {"10m"}


@pytest.mark.parametrize(
    ("override", "what_to_do"),
    [
        (AlertOverride(alerts=("TritonModelWedged",), targets=("a",), models=("b",)), "name only one of them."),
        (AlertOverride(alerts=("TritonMetricsMissing",), models=("b",)), "name targets instead."),
    ],
)
def test_an_override_that_no_matcher_says_is_left_out_and_named(override: AlertOverride, what_to_do: str) -> None:
    (name,) = override.alerts
    (sentence,) = left_out_of(overridden(override))
    assert sentence.startswith(f"{name}: the override for targets ")
    assert " is not in these rules: " in sentence
    assert sentence.endswith(what_to_do)
    assert rules_named(name, overridden(override)) == rules_named(name)


def test_counts_of_polls_that_prometheus_cannot_see_are_named() -> None:
    override = AlertOverride(alerts=("TritonNotReady", "TritonTargetDown", "TritonQueueGrowing"), failures=4, window=9)
    found = left_out_of(overridden(override))
    assert [one.split(" of the")[0] for one in found] == [
        "TritonTargetDown: window",
        "TritonNotReady: failures and window",
    ]


def test_a_count_that_a_rule_has_is_not_said_to_be_left_out() -> None:
    """A longer window comes with the failures by itself: nobody asked for one."""
    settings = overridden(AlertOverride(alerts=("TritonTargetDown",), failures=5))
    (rule,) = rules_named("TritonTargetDown", settings)
    assert (rule["expr"], left_out_of(settings)) == ("triton_watch_target_silent_cycles >= 5", ())


def _names(rules: Sequence[Rule]) -> list[str]:
    return [rule["alert"] for rule in rules]


def test_the_rules_are_the_same_each_time_and_in_groups_by_board() -> None:
    first, second = (alert_groups(EVERYTHING, OBJECTIVES, external_url=URL) for _ in range(2))
    assert first == second
    assert [group["name"] for group in first] == [
        f"triton-watch-{board}" for board in ("fleet", "model", "gpu", "canary", "slo", "batching", "config", "agent")
    ]
    assert set(_names(rules_of())) == {one.name for one in ALERTS}
