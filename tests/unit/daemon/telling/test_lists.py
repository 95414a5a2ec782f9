"""Alerts, findings and canaries: their order, their filters, and that they are told whole."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from synthetic_state import alerts_of
from triton_watch.daemon.facts.coding import as_json
from triton_watch.daemon.facts.finding import FindingCounts
from triton_watch.daemon.state import AlertsView
from triton_watch.daemon.telling.alerts import alert_list
from triton_watch.daemon.telling.canaries import canary_list
from triton_watch.daemon.telling.findings import finding_list
from triton_watch.daemon.telling.status import status
from triton_watch.records import (
    AlertPhase,
    AlertSettings,
    CanaryReason,
    CanaryVerdict,
    Confidence,
    Finding,
    Severity,
    SkipReason,
)
from unit.daemon.telling.scenes import AT, NOW, failing, key, passing, ready, snapshot, source, undecided

VIEW = alerts_of(AT)


def alerts(**query: Any) -> list[str]:
    return [one.name for one in alert_list(source(alert_view=VIEW), NOW, **query).alerts]


def test_an_alert_is_told_under_the_names_that_it_always_had() -> None:
    found = json.loads(as_json(alert_list(source(alert_view=VIEW), AT)))
    assert (found["version"], found["mode"], found["evaluated_at"]) == (1, "agent", "2023-11-14T22:13:19.250Z")
    advice = found["alerts"][0].pop("advice")
    assert advice
    assert found["alerts"][0] == {
        "name": "TritonCanaryFailing",
        "severity": "page",
        "phase": "firing",
        "labels": {"model": "ranker", "target": "gpu-7", "version": "1"},
        "since": "2023-11-14T22:00:50.000Z",
        "firing_since": "2023-11-14T22:01:14.500Z",
        "resolved_at": None,
        "summary": "Canaries of model ranker on gpu-7 fail",
        "detail": "ranker:1 on gpu-7: 3 of 3 canaries failed: SCORES holds NaN.",
        "value": 3.0,
        "known": True,
        "not_seen_for_seconds": 0.0,
        "runbook_url": "http://watch:8003/runbooks/TritonCanaryFailing",
        "dashboard_url": "http://watch:8003/models/gpu-7/ranker?version=1",
    }
    assert [one["value"] for one in found["alerts"]] == [3.0, None, None, None]
    assert [one["not_seen_for_seconds"] for one in found["alerts"]] == [0.0, 0.0, None, None]


def test_whoever_is_told_is_told_under_the_names_that_it_always_had() -> None:
    found = json.loads(as_json(alert_list(source(alert_view=VIEW), AT)))["alertmanagers"]
    assert found[1] == {
        "url": "http://two:9093",
        "up": False,
        "error": "http://two:9093 refused the connection.",
        "last_success": None,
        "sent": 0,
        "refused": 1,
        "failed": 7,
        "dropped": 0,
        "waiting": 2,
    }
    assert (found[0]["last_success"], found[2]["up"]) == ("2023-11-14T22:13:08.000Z", None)


def test_alerts_may_be_narrowed_to_a_phase_a_target_and_a_model() -> None:
    assert alerts(phase=AlertPhase.PENDING) == ["TritonNotReady"]
    assert alerts(target="gpu-8") == ["TritonNotReady", "TritonTargetDown"]
    assert alerts(model="ranker", target="gpu-7") == ["TritonCanaryFailing", "TritonErrorBudgetBurn"]
    assert alerts(model="nobody") == []


def test_alerts_that_have_ended_are_told_apart_and_narrowed_alike() -> None:
    view = AlertsView(states=VIEW.states[:1], ended=VIEW.states[1:])
    found = alert_list(source(alert_view=view), NOW, target="gpu-8", phase=AlertPhase.FIRING)
    assert ([one.name for one in found.alerts], [one.name for one in found.recent]) == (
        [],
        ["TritonNotReady", "TritonTargetDown"],
    )


def test_the_status_counts_alerts_by_what_they_ask_for() -> None:
    counts = status(source(alert_view=VIEW), NOW).alerts
    assert (counts.page, counts.ticket, counts.info, counts.pending) == (1, 1, 0, 1)


def test_an_alert_links_to_the_dashboard_that_is_configured() -> None:
    settings = AlertSettings(dashboard_url="https://g/{dashboard}/{target}/{model}", runbook_url="https://r/{alert}")
    found = alert_list(source(alert_view=replace(VIEW, settings=settings)), NOW).alerts[0]
    assert (found.runbook_url, found.dashboard_url) == (
        "https://r/TritonCanaryFailing",
        "https://g/canary/gpu-7/ranker",
    )


def finding(severity: Severity, model: str | None = None, line: int = 1, *, red: bool = False) -> Finding:
    return Finding("TW1", "slug", severity, Confidence.HIGH, "It is\nwrong.", model, "f", line, red_line=red)


ERROR, WARNING, INFO = Severity
FOUND = {
    "t": (finding(INFO), finding(WARNING, "m", 9), finding(WARNING, "m", 2), finding(ERROR, "n")),
    "u": (finding(ERROR, "m", red=True),),
}


def findings(**query: Any) -> Any:
    state = source(snapshot([]), snapshot([], "u"), snapshot([], "v"), alert_view=AlertsView(findings=FOUND))
    return finding_list(state, NOW, **query)


def test_findings_are_sorted_by_weight_then_by_place() -> None:
    assert [(one.severity, one.target, one.model, one.line) for one in findings().findings] == [
        (ERROR, "u", "m", 1),
        (ERROR, "t", "n", 1),
        (WARNING, "t", "m", 2),
        (WARNING, "t", "m", 9),
        (INFO, "t", None, 1),
    ]
    assert findings().findings[0].message == "It is wrong."


def test_findings_are_counted_whatever_severity_is_asked_for() -> None:
    found = findings(severity=WARNING)
    assert (found.total, found.counts) == (2, FindingCounts(error=2, warning=2, info=1, red_lines=1))
    assert findings(model="m").counts == FindingCounts(error=1, warning=2, info=0, red_lines=1)
    assert findings(offset=1, limit=2).findings == findings().findings[1:3]


def test_targets_that_were_not_checked_are_named() -> None:
    assert findings().unchecked == ("v",)
    assert findings(target="t").unchecked == ()
    assert [one.target for one in findings(target="u").findings] == ["u"]


STATES = {
    "t": {
        key("a"): passing(key("a")),
        key("b"): undecided(key("b"), SkipReason.NO_INPUT),
        key("c", "10"): failing(key("c", "10")),
        key("c", "9"): failing(key("c", "9")),
    },
    "s": {key("a"): failing(key("a"))},
}


def canaries(**query: Any) -> list[tuple[str, str, str]]:
    found = canary_list(source(canary_states=STATES), NOW, **query)
    return [(one.target, one.model, one.version) for one in found.canaries]


def test_failing_canaries_come_first_then_those_that_have_not_decided() -> None:
    assert canaries() == [
        ("s", "a", "1"),
        ("t", "c", "9"),
        ("t", "c", "10"),
        ("t", "b", "1"),
        ("t", "a", "1"),
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"target": "s"}, [("s", "a", "1")]),
        ({"model": "a"}, [("s", "a", "1"), ("t", "a", "1")]),
        ({"verdict": CanaryVerdict.PASSING}, [("t", "a", "1")]),
        ({"offset": 3, "limit": 1}, [("t", "b", "1")]),
    ],
)
def test_canaries_may_be_narrowed(query: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert canaries(**query) == expected


def test_a_canary_is_told_whole() -> None:
    state = replace(
        failing(key("m")), interval=30.0, note="a\nb", runs={CanaryReason.OK: 3}, skipped={SkipReason.PENDING: 1}
    )
    (found,) = canary_list(source(snapshot([ready(key("m"))]), canary_states={"t": {key("m"): state}}), NOW).canaries
    assert (found.verdict, found.reason, found.detail) == (
        CanaryVerdict.FAILING,
        CanaryReason.NOT_FINITE,
        "Y holds NaN",
    )
    assert (found.availability, found.recent, found.note) == (0.0, (False, False), "a b")
    assert (found.runs, found.skipped, found.interval_seconds) == (
        {CanaryReason.OK: 3},
        {SkipReason.PENDING: 1},
        30.0,
    )
