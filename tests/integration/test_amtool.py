"""The generated configuration of Alertmanager, before amtool and a real Alertmanager: checked, routed, inhibited."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.alertmanager_server import RealAlertmanager
from support.needed import needed
from triton_watch.alerting.runbooks import runbook
from triton_watch.config import from_flags
from triton_watch.conventions.alerts import ALERT_NAMES
from triton_watch.generate.alerts import alertmanager_yaml
from triton_watch.records import AlertSettings, AlertSeverity, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEFAULT = from_flags(["http://localhost:8000"])
CONFIGURATIONS = {
    "default": DEFAULT.alerts,
    "renamed": AlertSettings(severities={AlertSeverity.PAGE: "critical", AlertSeverity.TICKET: "warning"}),
    "odd names": AlertSettings(severities={AlertSeverity.PAGE: 'very "bad" \\ (1.0)', AlertSeverity.TICKET: "wärning"}),
    "same names": AlertSettings(severities=dict.fromkeys(AlertSeverity, "alert")),
    "external labels": AlertSettings(external_labels=(("cluster", "a"), ("region", "eu"))),
}
MODEL = {"target": "gpu-7", "model": "encoder", "version": "1"}
GPU = {"target": "gpu-7", "gpu_uuid": "GPU-1"}
Alert = dict[str, str]


def amtool(*words: str) -> str:
    done = subprocess.run([needed("amtool"), *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def written(folder: Path, alerts: AlertSettings) -> Path:
    file = folder / "alertmanager.yaml"
    file.write_text(alertmanager_yaml(Settings(targets=DEFAULT.targets, slo=DEFAULT.slo, alerts=alerts)))
    return file


def receivers(file: Path, **labels: str) -> str:
    words = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()]
    return amtool("config", "routes", "test", f"--config.file={file}", *words).strip()


@pytest.mark.parametrize("alerts", CONFIGURATIONS.values(), ids=CONFIGURATIONS.keys())
def test_amtool_accepts_the_configuration(tmp_path: Path, alerts: AlertSettings) -> None:
    said = amtool("check-config", str(written(tmp_path, alerts)))
    assert "SUCCESS" in said
    assert "4 receivers" in said


@pytest.mark.parametrize("name", ["default", "renamed", "odd names", "external labels"])
def test_each_severity_reaches_its_receiver(tmp_path: Path, name: str) -> None:
    settings = CONFIGURATIONS[name]
    file = written(tmp_path, settings)
    for severity in AlertSeverity:
        label = settings.severity_label(severity)
        for alert in ("TritonTargetDown", "TritonCanaryFailing"):
            assert receivers(file, alertname=alert, severity=label) == severity.value


def test_the_heartbeat_goes_to_its_service_and_what_nobody_expected_makes_a_ticket(tmp_path: Path) -> None:
    file = written(tmp_path, DEFAULT.alerts)
    assert receivers(file, alertname="TritonWatchdog", severity="info") == "watchdog"
    assert receivers(file, alertname="TritonWatchTest", severity="info") == "info"
    assert receivers(file, alertname="TritonCanaryFailing", severity="catastrophe") == "ticket"
    assert receivers(file, alertname="TritonCanaryFailing") == "ticket"
    assert receivers(file, alertname="NodeDown", instance="gpu-7") == "ticket"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAlertmanager]:
    folder = tmp_path_factory.mktemp("amtool")
    config = written(folder, DEFAULT.alerts).read_text()
    with RealAlertmanager(needed("prometheus-alertmanager"), folder, config=config) as running:
        yield running


def alert(name: str, severity: str = "page", **labels: str) -> Alert:
    return {"alertname": name, "severity": severity, **labels}


CAUSES: dict[str, tuple[Alert, list[Alert], list[Alert]]] = {
    "a server that is down hides all that hangs on it": (
        alert("TritonTargetDown", target="gpu-7"),
        [
            alert("TritonNotReady", target="gpu-7"),
            alert("TritonCanaryFailing", **MODEL),
            alert("TritonErrorBudgetBurn", slo="availability", window="1h", **MODEL),
            alert("TritonGpuMemoryHigh", "ticket", **GPU),
        ],
        [alert("TritonNotReady", target="gpu-8"), alert("TritonWatchDown", job="triton-watch")],
    ),
    "a model that is not there hides the server's unreadiness and what follows": (
        alert("TritonModelUnavailable", target="gpu-7", model="encoder"),
        [
            alert("TritonNotReady", target="gpu-7"),
            alert("TritonModelWedged", **MODEL),
            alert("TritonConfigErrors", "ticket", target="gpu-7", model="encoder"),
            alert("TritonConfigErrors", "ticket", target="gpu-7"),  # by TritonNotReady, hidden as it is
        ],
        [
            alert("TritonConfigErrors", "ticket", target="gpu-7", model="ranker"),
            alert("TritonCanaryFailing", **{**MODEL, "model": "ranker"}),
        ],
    ),
    "an unready server hides its own findings, not those about models": (
        alert("TritonNotReady", target="gpu-7"),
        [alert("TritonConfigErrors", "ticket", target="gpu-7")],
        [alert("TritonConfigErrors", "ticket", target="gpu-7", model="encoder"), alert("TritonSilentFailure", **MODEL)],
    ),
    "a hanging model hides its canaries, queue and budgets": (
        alert("TritonModelWedged", **MODEL),
        [
            alert("TritonCanaryFailing", **MODEL),
            alert("TritonQueueGrowing", "ticket", **MODEL),
            alert("TritonErrorBudgetBurn", slo="queue-time", window="1h", **MODEL),
        ],
        [alert("TritonCanaryFailing", **{**MODEL, "version": "2"})],
    ),
    "a silent failure hides the canaries that showed it": (
        alert("TritonSilentFailure", **MODEL),
        [alert("TritonCanaryFailing", **MODEL), alert("TritonCanaryWrongOutput", **MODEL)],
        [alert("TritonErrorBudgetBurn", slo="availability", window="1h", **MODEL)],
    ),
    "a page hides the ticket about the same budget": (
        alert("TritonErrorBudgetBurn", slo="availability", window="1h", **MODEL),
        [alert("TritonErrorBudgetBurn", "ticket", slo="availability", window="3d", **MODEL)],
        [
            alert("TritonErrorBudgetBurn", slo="availability", window="6h", **MODEL),
            alert("TritonErrorBudgetBurn", "ticket", slo="queue-time", window="3d", **MODEL),
        ],
    ),
    "without metrics old tickets are hidden, and no page is": (
        alert("TritonMetricsMissing", "ticket", target="gpu-7"),
        [alert("TritonErrorBudgetBurn", "ticket", slo="availability", window="1d", **MODEL)],
        [alert("TritonErrorBudgetBurn", slo="availability", window="1h", **MODEL)],
    ),
    "one silent indicator hides nothing": (
        alert("TritonMetricsMissing", "ticket", slo="availability", **MODEL),
        [],
        [alert("TritonQueueGrowing", "ticket", **MODEL), alert("TritonGpuSaturated", "ticket", **GPU)],
    ),
    "a growing queue hides the ticket about time, not the page": (
        alert("TritonQueueGrowing", "ticket", **MODEL),
        [alert("TritonErrorBudgetBurn", "ticket", slo="queue-time", window="1d", **MODEL)],
        [
            alert("TritonErrorBudgetBurn", slo="queue-time", window="1h", **MODEL),
            alert("TritonErrorBudgetBurn", "ticket", slo="availability", window="1d", **MODEL),
        ],
    ),
}


def states(server: RealAlertmanager, wanted: dict[str, str]) -> dict[str, str]:
    """What the server makes of these alerts, each with its labels as JSON, once that is what is wanted or has not
    become it in time: the cause may be looked at after what it hides.
    """
    labels = [{"labels": json.loads(one)} for one in wanted]
    asked = requests.post(f"{server.url}/api/v2/alerts", json=labels, timeout=10)
    assert asked.status_code == 200, asked.text
    end, known = time.monotonic() + 20, dict[str, str]()
    while known != wanted and time.monotonic() < end:
        time.sleep(0.1)
        found: list[dict[str, Any]] = server.alerts()
        every = {json.dumps(one["labels"], sort_keys=True): one["status"]["state"] for one in found}
        known = {one: every.get(one, "unknown") for one in wanted}
    return known


@pytest.mark.parametrize("case", CAUSES)
def test_the_cause_of_a_fault_is_told_and_what_follows_is_held_back(server: RealAlertmanager, case: str) -> None:
    cause, hidden, told = CAUSES[case]
    place = f"-{list(CAUSES).index(case)}"  # so that cases share a server and nothing else
    wanted = {**_all(place, "active", [cause, *told]), **_all(place, "suppressed", hidden)}
    assert states(server, wanted) == wanted


def _all(place: str, state: str, alerts: list[Alert]) -> dict[str, str]:
    moved = ({name: value + place if name == "target" else value for name, value in one.items()} for one in alerts)
    return {json.dumps(one, sort_keys=True): state for one in moved}


def test_the_silences_of_the_runbooks_are_taken(server: RealAlertmanager) -> None:
    ids = set()
    for name in ALERT_NAMES:
        for line in re.findall(r"^amtool silence add.*?[^\\]$", runbook(name), re.MULTILINE | re.DOTALL):
            words = shlex.split(line.replace("\\\n", " ").replace("http://localhost:9093", server.url))
            ids.add(amtool(*words[1:]).strip())
    assert len(ids) == len(ALERT_NAMES) - 1
    silences = requests.get(f"{server.url}/api/v2/silences", timeout=10).json()
    assert ids == {one["id"] for one in silences}
    for one in silences:
        requests.delete(f"{server.url}/api/v2/silence/{one['id']}", timeout=10).raise_for_status()
