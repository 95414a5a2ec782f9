"""The network between agent, Triton and Alertmanager is cut as a NetworkPolicy cuts it: packets vanish, nobody is told.

Each is in a network namespace of its own. What is measured is printed (`pytest -s`).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from support import sandbox
from support.sandbox_watch import AGENT, ALERTMANAGER, GRPC, HTTP, METRICS, POLL, TRITON, Stopwatch, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

CUT = 12.0
LONG_CUT = 30.0
"""Seconds. The kernel sends again on a connection after 25 s, and then not before 51 s: too late to recover by that."""
DETECT = 15 * POLL
RECOVER = 15.0
QUICK = 1.0
"""Seconds that a page of the agent may take on a busy machine."""
SILENCE = {"connect_timeout", "read_timeout", "deadline"}


@pytest.fixture(scope="module")
def pods(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    sandbox.require(tmp_path_factory.mktemp("probe"))
    with Watch(tmp_path_factory.mktemp("pods")) as watch:
        yield watch


@pytest.fixture
def watch(pods: Watch) -> Iterator[Watch]:
    """All is well when a test begins, and no cut is left when it ends."""
    pods.until(pods.is_well, "a good beginning")
    yield pods
    pods.mood.to("")
    pods.sandbox.heal()


def show(text: str) -> None:
    print(f"\n  {text}", end="", flush=True)  # noqa: T201 - figures, for pytest -s


def test_a_cut_between_agent_and_server_is_detected_and_heals_by_itself(watch: Watch) -> None:
    with Stopwatch(watch) as pages:
        watch.sandbox.cut(AGENT, TRITON)
        begin = time.monotonic()
        down = watch.until(lambda: not watch.is_up(), "target_up 0", DETECT)
        watch.until(lambda: "TritonTargetDown" in watch.firing(), "the alert in the agent", DETECT)
        fires = time.monotonic() - begin
        watch.until(lambda: "TritonTargetDown" in watch.told(), "the alert in Alertmanager", DETECT)
        told = time.monotonic() - begin
        outcomes = watch.outcomes()
        assert {outcomes["live"], outcomes["metrics"]} <= SILENCE
        assert set(outcomes.values()) <= SILENCE | {"not_tried"}
        assert watch.get("/-/serving").status_code == 503
        assert watch.firing() - {"TritonWatchdog"} == {"TritonTargetDown"}
        time.sleep(max(0.0, begin + CUT - time.monotonic()))
    watch.sandbox.heal()
    up = watch.until(watch.is_up, "target_up 1", RECOVER)
    well = up + watch.until(watch.is_well, "the end of all alerts", RECOVER)
    show(f"cut: down after {down:.1f} s, fires {fires:.1f} s, told {told:.1f} s; longest page {max(pages.waits):.2f} s")
    show(f"healed after {CUT:.0f} s: up after {up:.1f} s, canaries pass and alerts are resolved {well:.1f} s")
    assert pages.bad == []
    assert max(pages.waits) < QUICK


def test_a_cut_of_the_metrics_port_alone_is_missing_metrics_and_no_server_that_is_down(watch: Watch) -> None:
    watch.sandbox.cut(AGENT, TRITON, METRICS)
    fires = watch.until(lambda: "TritonMetricsMissing" in watch.firing(), "the alert", DETECT)
    time.sleep(5 * POLL)
    outcomes = watch.outcomes()
    assert outcomes.pop("metrics") in SILENCE
    assert set(outcomes.values()) == {"ok"}
    assert watch.is_up()
    assert watch.firing() - {"TritonWatchdog"} == {"TritonMetricsMissing"}
    assert watch.get("/-/serving").status_code == 200
    watch.sandbox.heal()
    well = watch.until(watch.is_well, "the end of the alert", RECOVER)
    show(f"metrics port: fires after {fires:.1f} s, resolved {well:.1f} s after it healed")


def test_a_cut_of_the_grpc_port_alone_fails_canaries_and_they_pass_soon_after_it_heals(watch: Watch) -> None:
    watch.sandbox.cut(AGENT, TRITON, GRPC)
    begin = time.monotonic()
    fires = watch.until(lambda: "TritonCanaryFailing" in watch.firing(), "the alert", DETECT)
    assert watch.is_up()
    assert watch.get("/-/serving").status_code == 503
    time.sleep(max(0.0, begin + LONG_CUT - time.monotonic()))
    assert watch.firing() - {"TritonWatchdog"} == {"TritonCanaryFailing"}
    watch.sandbox.heal()
    well = watch.until(watch.is_well, "passing canaries", RECOVER)
    show(f"gRPC port: fires after {fires:.1f} s, well {well:.1f} s after it healed ({LONG_CUT:.0f} s of cut)")


def test_what_fires_and_ends_while_alertmanager_is_cut_off_is_told_when_it_heals(watch: Watch) -> None:
    watch.sandbox.cut(AGENT, TRITON, METRICS)
    watch.until(lambda: "TritonMetricsMissing" in watch.told(), "the first alert in Alertmanager", DETECT)
    with Stopwatch(watch) as pages:
        watch.sandbox.cut(AGENT, ALERTMANAGER)
        begin = time.monotonic()
        watch.mood.to("error")
        watch.until(lambda: "TritonCanaryFailing" in watch.firing(), "the second alert", DETECT)
        time.sleep(max(0.0, begin + CUT - time.monotonic()))
        (peer,) = watch.get("/api/v1/alerts").json()["alertmanagers"]
        assert (peer["up"], peer["waiting"] > 0) == (False, True)
    assert "TritonCanaryFailing" not in watch.told()
    watch.sandbox.heal()
    watch.sandbox.cut(AGENT, TRITON, METRICS)
    told = watch.until(lambda: watch.told() >= {"TritonCanaryFailing", "TritonMetricsMissing"}, "both", RECOVER)
    watch.mood.to("")
    watch.sandbox.heal()
    watch.until(watch.is_well, "the end of both alerts", RECOVER)
    show(f"Alertmanager: told {told:.1f} s after it healed; longest page of the agent {max(pages.waits):.2f} s")
    assert pages.bad == []
    assert max(pages.waits) < QUICK


def test_a_server_that_comes_up_at_another_address_when_its_machine_is_lost_is_found_within_seconds(
    watch: Watch,
) -> None:
    """The old one says no farewell, and its name stands for the new one."""
    watch.sandbox.pod("elsewhere")
    watch.start_triton("elsewhere")
    ready = f"{watch.sandbox.url('elsewhere', HTTP)}/v2/health/ready"
    watch.until(lambda: requests.get(ready, timeout=5).status_code == 200, "another server")
    watch.sandbox.cut(AGENT, TRITON)
    watch.sandbox.point(TRITON, "elsewhere")
    try:
        fails = watch.until(lambda: not watch.passes(), "a canary that meets silence", DETECT)
        well = fails + watch.until(watch.is_well, "passing canaries", RECOVER)
        show(f"moved: the first canary fails after {fails:.1f} s, all is well {well:.1f} s after the move")
        assert watch.outcomes().keys() >= {"live", "metrics"}
        assert set(watch.outcomes().values()) == {"ok"}
    finally:
        watch.sandbox.point(TRITON, TRITON)
