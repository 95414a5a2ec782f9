"""An alert as Alertmanager takes it: its labels, its texts, its times."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.alerting.definition import AlertDefinition
from triton_watch.alerting.effective import definition_of
from triton_watch.alerting.manager.payload import AHEAD, Payload, generator_url, label_pairs, merged, payload_of
from triton_watch.records import AlertKey, AlertOverride, AlertPhase, AlertSettings, AlertSeverity, AlertState

NOW = 1_760_000_000.0
URL = "https://watch.example.net/gpu"
DEFINITION = AlertDefinition(
    name="TritonModelWedged",
    severity=AlertSeverity.PAGE,
    summary="",
    description="",
    advice="Load it again.",
    expr="",
    condition=None,
    dashboard="model",
)
STATE = AlertState(
    AlertKey("TritonModelWedged", AlertSeverity.PAGE, (("model", "ranker"), ("target", "gpu-7"))),
    AlertPhase.FIRING,
    active_at=NOW - 60,
    fired_at=NOW - 30,
    summary="ranker on gpu-7 hangs",
    detail="3 requests wait.",
    value=3.0,
)


def wire(state: AlertState = STATE, *, external_url: str = URL, **settings: Any) -> dict[str, Any]:
    made: dict[str, Any] = payload_of(state, DEFINITION, AlertSettings(**settings), external_url).wire(NOW, 60)
    json.dumps(made, ensure_ascii=False).encode()
    return made


def labels(state: AlertState = STATE, **settings: Any) -> dict[str, str]:
    found: dict[str, str] = wire(state, **settings)["labels"]
    return found


def test_a_firing_alert_ends_four_intervals_ahead() -> None:
    assert wire() == {
        "labels": {"alertname": "TritonModelWedged", "model": "ranker", "severity": "page", "target": "gpu-7"},
        "annotations": {
            "summary": "ranker on gpu-7 hangs",
            "description": "3 requests wait. Load it again.",
            "runbook_url": f"{URL}/runbooks/TritonModelWedged",
            "dashboard_url": f"{URL}/models/gpu-7/ranker",
            "value": "3",
        },
        "startsAt": "2025-10-09T08:52:50.000Z",
        "endsAt": "2025-10-09T08:57:20.000Z",
        "generatorURL": f"{URL}/?alert=TritonModelWedged&target=gpu-7",
    }


def test_a_resolved_alert_ends_when_it_resolved() -> None:
    found = wire(replace(STATE, phase=AlertPhase.RESOLVED, resolved_at=NOW - 10.5))
    assert (found["startsAt"], found["endsAt"]) == ("2025-10-09T08:52:50.000Z", "2025-10-09T08:53:09.500Z")


@given(fired=st.floats(0, 4e9), resolved=st.none() | st.floats(0, 4e9), interval=st.floats(1, 86_400))
def test_no_alert_ends_before_it_starts_whatever_the_clock_does(
    fired: float, resolved: float | None, interval: float
) -> None:
    alert = Payload((("alertname", "A"),), (), fired, resolved).wire(NOW, interval)
    starts, ends = (datetime.fromisoformat(alert[name].replace("Z", "+00:00")) for name in ("startsAt", "endsAt"))
    assert starts <= ends
    if resolved is None:
        assert ends.timestamp() >= NOW + AHEAD * interval - 0.01


def test_severities_take_the_names_that_the_configuration_gives_them() -> None:
    assert labels(severities={AlertSeverity.PAGE: "critical"})["severity"] == "critical"


def test_labels_that_are_added_never_replace_an_alerts_own() -> None:
    added = (("alertname", "x"), ("severity", "x"), ("target", "x"), ("team", "serving"))
    outer = (*added[:3], ("region", "eu"), ("team", "nobody"))
    found = labels(overrides=(AlertOverride(models=("rank*",), labels=added),), external_labels=outer)
    assert found == {**labels(), "team": "serving", "region": "eu"}
    assert labels(overrides=(AlertOverride(models=("other",), labels=added),)) == labels()


def test_empty_labels_and_texts_are_left_out() -> None:
    key = STATE.key._replace(labels=(("model", ""), ("target", "gpu-7")))
    found = wire(replace(STATE, key=key, value=None), external_labels=(("region", ""),))
    assert set(found["labels"]) == {"alertname", "severity", "target"}
    assert "value" not in found["annotations"]
    assert "value" not in wire(replace(STATE, value=float("nan")))["annotations"]


def test_texts_are_cut_and_cannot_break_the_encoding() -> None:
    found = wire(replace(STATE, detail="\ud800" + "x" * 100_000))
    text = found["annotations"]["description"]
    assert len(text) == 4000
    assert text.startswith("?xxx")
    assert text.endswith("…")
    assert label_pairs({"model": "\udfff" * 2000})[0][1] == "?" * 1023 + "…"


def test_links_are_those_of_the_configuration() -> None:
    found = wire(runbook_url="https://wiki/{alert}", dashboard_url="https://grafana/d/{dashboard}")["annotations"]
    assert found["runbook_url"] == "https://wiki/TritonModelWedged"
    assert found["dashboard_url"] == "https://grafana/d/model"


@given(target=st.text(), alert=st.text())
def test_any_name_can_stand_in_the_url_of_the_status_page(target: str, alert: str) -> None:
    query = parse_qs(urlsplit(generator_url("http://[::1]:8003", alert, target)).query, keep_blank_values=True)
    fit = [text.encode(errors="replace").decode() for text in (alert, target)]
    assert [query["alert"], query["target"]] == [[fit[0]], [fit[1]]]


@pytest.mark.parametrize("url", ["", "watch.example.net", "http://a b", "http://müller", "file:///etc"])
def test_an_address_that_alertmanager_would_refuse_costs_the_link_and_not_the_alert(url: str) -> None:
    assert "generatorURL" not in wire(external_url=url)


def test_of_two_alerts_with_the_same_labels_the_one_that_fires_is_told() -> None:
    base = Payload((("alertname", "A"),), (), NOW)
    resolved, older = replace(base, resolved_at=NOW + 5), replace(base, starts_at=NOW - 5)
    for order in ([base, resolved, older], [older, base, resolved], [resolved, older, base]):
        assert list(merged(order).values()) == [older]
    assert next(iter(merged([resolved, replace(base, resolved_at=NOW + 9)]).values())).resolved_at == NOW + 9


def test_a_sentence_names_an_alert_with_its_labels() -> None:
    assert payload_of(STATE, None, AlertSettings(), URL).name() == (
        'TritonModelWedged{model="ranker", severity="page", target="gpu-7"}'
    )


def test_of_two_definitions_of_a_name_that_of_the_severity_counts_and_else_the_first() -> None:
    def severity_of(name: str, severity: AlertSeverity) -> AlertSeverity | None:
        found = definition_of(AlertKey(name, severity, ()))
        return None if found is None else found.severity

    page, ticket, info = AlertSeverity
    assert [severity_of("TritonErrorBudgetBurn", one) for one in (page, ticket, info)] == [page, ticket, page]
    assert severity_of("TritonOld", page) is None
