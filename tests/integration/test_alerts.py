"""Alerts of a running agent at two real Alertmanagers, of faults made on a real Triton: each once, and none lost."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from faults.ears import Ears, Watch
from faults.stage import Stage, staged, wait
from faults.table import ALONE, TOGETHER, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROLES = ("lies", "hangs", "leaves", "healthy")
SETTINGS: dict[str, Any] = {
    "defaults": {"interval": "1s"},
    "canary": {"interval": "2s", "timeout": "1s"},
    "slo": {"objectives": []},
    "alerts": {"resend_interval": "2s", "overrides": [{"alerts": "*", "for": "0s", "keep_firing_for": "2s"}]},
}
WITHIN = 30.0
"""Seconds: how soon it really is, `make faults` measures."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage"), ROLES) as one:
        yield one


@pytest.fixture
def watched(stage: Stage, tmp_path: Path) -> Iterator[tuple[Ears, Watch]]:
    """Nothing fires when it begins."""
    with ExitStack() as stack:
        ears = Ears(stack, tmp_path)
        watch = Watch(stack, tmp_path / "agent", stage, ears, SETTINGS, rules=False)
        wait(lambda: not watch.firing(), WITHIN, "a healthy beginning")
        yield ears, watch


def fault_of(model: str) -> Fault:
    return next(fault for fault in (*TOGETHER, *ALONE) if fault.alerts[0].model == model)


def test_each_alert_fires_once_and_resolves_once_at_every_peer(stage: Stage, watched: tuple[Ears, Watch]) -> None:
    ears, watch = watched
    faults = [fault_of(model) for model in ("lies", "hangs", "leaves")]
    begin = time.time()
    for fault in faults:
        fault.make(stage)
    alerts = [alert for fault in faults for alert in fault.alerts]
    for hook in (0, 1):
        for alert in alerts:
            wait(lambda: ears.when(hook, "firing", alert, begin), WITHIN + begin - time.time(), str(alert))  # noqa: B023
    for fault in faults:
        fault.mend(stage)
    for alert in alerts:
        wait(lambda: ears.when(1, "resolved", alert, begin), 2 * WITHIN, f"the end of {alert}")  # noqa: B023
    wait(lambda: not watch.firing(), WITHIN, "the end of all alerts")
    time.sleep(3)  # a resend interval and more
    assert {alert.alert: ears.counts(alert, begin) for alert in alerts} == {
        alert.alert: ["1+1", "1+1"] for alert in alerts
    }
    told = {(one.labels["alertname"], one.labels.get("model")): one for one in ears.hooks[0].told()}
    lie = told["TritonCanaryWrongOutput", "lies"]
    assert lie.labels["severity"] == "page"
    assert lie.labels["target"] == "stage"
    assert "Y has shape [1, 3]" in lie.annotations["description"]
    assert "runbooks/TritonCanaryWrongOutput" in lie.annotations["runbook_url"]
    assert not any(model == "healthy" for _, model in told)


def test_what_happens_while_a_peer_is_away_and_the_agent_is_killed_is_told_once_when_both_are_back(
    stage: Stage, watched: tuple[Ears, Watch]
) -> None:
    ears, watch = watched
    gone, stays = fault_of("leaves"), fault_of("lies")
    begin = time.time()
    ears.peers[0].stop()
    gone.make(stage)
    wait(lambda: ears.when(1, "firing", gone.alerts[0], begin), WITHIN, gone.name)
    gone.mend(stage)
    stays.make(stage)
    wait(lambda: ears.when(1, "firing", stays.alerts[0], begin), WITHIN, stays.name)
    wait(lambda: ears.when(1, "resolved", gone.alerts[0], begin), WITHIN, f"the end of {gone.name}")
    watch.agent.process.send_signal(signal.SIGKILL)
    watch.agent.process.wait(10)
    watch.agent.start()
    watch.agent.wait_ready()
    ears.peers[0].start()
    wait(lambda: ears.when(0, "firing", stays.alerts[0], begin), 30, stays.name)
    time.sleep(3)
    peers = watch.agent.get("/api/v1/alerts").json()["alertmanagers"]
    assert [(one["up"], one["waiting"]) for one in peers] == [(True, 0), (True, 0)]
    stays.mend(stage)
    wait(lambda: ears.when(0, "resolved", stays.alerts[0], begin), 2 * WITHIN, f"the end of {stays.name}")
    time.sleep(2)
    assert ears.counts(stays.alerts[0], begin) == ["1+1", "1+1"]
    assert ears.counts(gone.alerts[0], begin)[1] == "1+1"


def test_a_server_that_is_stopped_is_one_page_and_its_models_fire_nothing_of_their_own(
    stage: Stage, watched: tuple[Ears, Watch]
) -> None:
    ears, watch = watched
    fault = next(fault for fault in ALONE if fault.alerts[0].alert == "TritonTargetDown")
    begin = time.time()
    fault.make(stage)
    wait(lambda: ears.when(0, "firing", fault.alerts[0], begin), WITHIN, fault.name)
    time.sleep(5)
    assert watch.firing() == ["TritonTargetDown "]
    fault.mend(stage)
    wait(lambda: ears.when(0, "resolved", fault.alerts[0], begin), 60, f"the end of {fault.name}")
    assert ears.counts(fault.alerts[0], begin) == ["1+1", "1+1"]
