"""The pages of alerts over real sockets: the JSON that other programs read, and the runbooks that people read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.alert_pages import AT, served, some_alerts
from synthetic_state import SyntheticState, alerts_of
from triton_watch.conventions.alerts import ALERT_NAMES
from triton_watch.daemon.app import PLAIN
from triton_watch.daemon.state import AlertsView
from triton_watch.records import AlertKey, AlertMode, AlertPhase, AlertSettings, AlertSeverity, AlertState

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def state() -> SyntheticState:
    return some_alerts()


@pytest.fixture
def url(state: SyntheticState) -> Iterator[str]:
    with served(state) as where:
        yield where


def get(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=5)


def read(url: str) -> Any:
    answer = get(url)
    assert answer.status_code == 200
    return answer.json()


def names(url: str) -> list[str]:
    return [one["name"] for one in read(url)["alerts"]]


def said(answer: requests.Response) -> str:
    """The sentence of an answer that is an error, which has nothing else."""
    assert list(answer.json()) == ["error"]
    return str(answer.json()["error"])


# The alerts


def test_an_alert_has_all_that_is_known_of_it(url: str) -> None:
    assert read(f"{url}/api/v1/alerts")["alerts"][0] == {
        "name": "TritonCanaryFailing",
        "severity": "page",
        "phase": "firing",
        "labels": {"model": "ranker", "target": "gpu-7", "version": "1"},
        "since": "2026-11-28T00:23:42.250Z",
        "firing_since": "2026-11-28T00:24:06.750Z",
        "resolved_at": None,
        "summary": "Canaries of model ranker on gpu-7 fail",
        "detail": "ranker:1 on gpu-7: 3 of 3 canaries failed: SCORES holds NaN.",
        "advice": read(f"{url}/api/v1/alerts")["alerts"][0]["advice"],
        "value": 3.0,
        "known": True,
        "not_seen_for_seconds": 0.0,
        "runbook_url": "http://watch:8003/runbooks/TritonCanaryFailing",
        "dashboard_url": "http://watch:8003/models/gpu-7/ranker?version=1",
    }
    assert read(f"{url}/api/v1/alerts")["alerts"][0]["advice"].endswith(".")


def test_the_page_says_when_it_is_of_and_who_is_told(url: str) -> None:
    page = read(f"{url}/api/v1/alerts")
    assert (page["version"], page["mode"]) == (1, "agent")
    assert (page["at"], page["evaluated_at"]) == ("2026-11-28T00:36:12.250Z", "2026-11-28T00:36:11.500Z")
    one, two, three = page["alertmanagers"]
    assert one == {
        "url": "http://one:9093",
        "up": True,
        "error": "",
        "last_success": "2026-11-28T00:36:00.250Z",
        "sent": 1234,
        "refused": 0,
        "failed": 0,
        "dropped": 0,
        "waiting": 0,
    }
    assert (two["up"], two["error"], two["waiting"]) == (False, "http://two:9093 refused the connection.", 2)
    assert (three["up"], three["last_success"]) == (None, None)


def test_what_is_not_known_is_null_and_never_nan(url: str) -> None:
    """NaN is no JSON."""
    answer = get(f"{url}/api/v1/alerts")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    budget = json.loads(answer.text, parse_constant=pytest.fail)["alerts"][1]
    assert (budget["value"], budget["known"]) == (None, False)


def test_before_anything_was_evaluated_the_page_says_so(url: str, state: SyntheticState) -> None:
    """No alert is then no good news."""
    state.alert_view = AlertsView(AlertSettings(mode=AlertMode.OFF))
    page = read(f"{url}/api/v1/alerts")
    assert (page["mode"], page["evaluated_at"], page["alerts"], page["alertmanagers"]) == ("off", None, [], [])


def test_links_are_those_of_the_settings(url: str, state: SyntheticState) -> None:
    settings = AlertSettings(runbook_url="https://wiki/{alert}", dashboard_url="https://grafana/d/{dashboard}")
    state.alert_view = alerts_of(AT, settings)
    first = read(f"{url}/api/v1/alerts")["alerts"][0]
    assert first["runbook_url"] == "https://wiki/TritonCanaryFailing"
    assert first["dashboard_url"].removeprefix("https://grafana/d/") not in ("", "{dashboard}")


def test_an_alert_that_was_kept_and_is_not_defined_any_more_is_told(url: str, state: SyntheticState) -> None:
    """An older agent may have left it in the store."""
    key = AlertKey("TritonOld", AlertSeverity.PAGE, ())
    state.alert_view = replace(state.alert_view, states=(AlertState(key, AlertPhase.RESOLVED, AT),))
    (old,) = read(f"{url}/api/v1/alerts")["alerts"]
    assert (old["name"], old["advice"]) == ("TritonOld", "")


def test_half_a_character_in_a_name_does_not_break_the_page(url: str, state: SyntheticState) -> None:
    """A server's JSON may name a model with half of a surrogate pair."""
    key = AlertKey("TritonModelWedged", AlertSeverity.PAGE, (("model", "m\ud800"), ("target", 'größe"\\')))
    state.alert_view = replace(state.alert_view, states=(AlertState(key, AlertPhase.FIRING, AT),))
    assert read(f"{url}/api/v1/alerts")["alerts"][0]["labels"] == {"model": "m\ufffd", "target": 'größe"\\'}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["TritonCanaryFailing", "TritonErrorBudgetBurn", "TritonNotReady", "TritonTargetDown"]),
        ("?phase=firing", ["TritonCanaryFailing", "TritonErrorBudgetBurn"]),
        ("?phase=pending", ["TritonNotReady"]),
        ("?phase=resolved", ["TritonTargetDown"]),
        ("?target=gpu-8", ["TritonNotReady", "TritonTargetDown"]),
        ("?target=gpu-7&phase=pending", []),
        ("?phase=firing&phase=pending", ["TritonNotReady"]),
    ],
)
def test_a_query_leaves_the_alerts_of_a_phase_and_a_target(url: str, query: str, found: list[str]) -> None:
    """In the order in which they are kept; of several the last one counts."""
    assert names(f"{url}/api/v1/alerts{query}") == found


@pytest.mark.parametrize("query", ["?phsae=firing", "?phase=", "?target=", "?phase=firing&x"])
def test_a_question_that_is_not_known_is_no_empty_list(url: str, query: str) -> None:
    answer = get(f"{url}/api/v1/alerts{query}")
    assert answer.status_code == 400
    assert said(answer).endswith(("there are: phase, target, model.", ", or leave it out."))


def test_a_phase_that_there_is_not_is_400_in_one_sentence(url: str) -> None:
    answer = get(f"{url}/api/v1/alerts?phase=burning")
    assert answer.status_code == 400
    assert said(answer) == "There is no phase 'burning'; there are: pending, firing, resolved."


@pytest.mark.parametrize("target", ["gpu-9", "%00%0aX: y", "x" * 300])
def test_a_target_that_there_is_not_is_404_in_one_sentence(url: str, target: str) -> None:
    answer = get(f"{url}/api/v1/alerts?target={target}")
    assert answer.status_code == 404
    assert said(answer).startswith("There is no target '")
    assert said(answer).endswith("; there are: gpu-7, gpu-8.")
    assert answer.text.count("\n") == 1


# Runbooks


@pytest.mark.parametrize("name", ALERT_NAMES)
def test_every_alert_has_its_runbook_as_text_that_a_browser_shows(url: str, name: str) -> None:
    answer = get(f"{url}/runbooks/{name}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, PLAIN)
    assert answer.text.startswith(f"# {name}\n")


def test_a_runbook_is_markdown_for_whoever_asks_for_it(url: str) -> None:
    answer = get(f"{url}/runbooks/TritonTargetDown", Accept="text/markdown, text/plain;q=0.5")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize(
    "name", ["TritonTargetUp", "tritontargetdown", "../__init__", "TritonTargetDown.md", "%2e%2e/x"]
)
def test_a_runbook_that_there_is_not_names_those_that_there_are(url: str, name: str) -> None:
    session = requests.Session()
    request = requests.Request("GET", url).prepare()
    request.url = f"{url}/runbooks/{name}"
    with session:
        answer = session.send(request, timeout=5)
    assert answer.status_code == 404
    assert answer.text.startswith("There is no runbook '")
    assert all(name in answer.text for name in ALERT_NAMES)
    assert answer.text.count("\n") == 1


def test_the_index_links_to_every_runbook(url: str) -> None:
    page = get(f"{url}/runbooks/").text
    assert all(f'<a href="../runbooks/{name}">{name}</a>' in page for name in ALERT_NAMES)
