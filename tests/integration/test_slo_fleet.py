"""A fleet: two agents on two real Tritons, one real Prometheus, and one report that adds their events up."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from support.agent import Agent
from support.moods import FAIL, GOOD, REPOSITORY, Callers
from support.prometheus_server import RealPrometheus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton

LOAD_SECONDS = 12.0
AGREE = 0.02
CONFIG = """
targets:
  - {{name: {name}, url: {http}, grpc: "{grpc}", metrics_url: {metrics}, interval: 1s, timeouts: {{total: 800ms}}}}
web: {{listen: "{listen}"}}
slo:
  flush_interval: 1s
  state_dir: none
"""
SERIES = "triton_watch_slo_events_total"


def agent_on(server: EmbeddedTriton, folder: Path, name: str, *more: str) -> Agent:
    folder.mkdir()
    file = folder / "triton-watch.yaml"
    agent = Agent(folder, "--config", str(file), "--state", "none", *more, start=False)
    urls = {"http": server.http_url, "grpc": server.grpc_address, "metrics": server.metrics_url}
    file.write_text(CONFIG.format(name=name, listen=agent.listen, **urls))
    agent.start()
    return agent


def counted(agent: Agent, target: str) -> tuple[float, float]:
    """Good and bad requests of the model `moody` by the agent's own counters."""
    labels = f'model="moody",result="{{}}",slo="availability",target="{target}",version="1"'
    good, bad = (agent.metric(f"{SERIES}{{{labels.format(result)}}}") or 0.0 for result in ("good", "bad"))
    return good, bad


def report(url: str, *more: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "triton_watch", "slo", "report", "--prometheus", url, "--format", "json", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def row_of(found: dict[str, Any], *targets: str) -> dict[str, Any]:
    rows = [r for r in found["rows"] if r["slo"] == "availability" and sorted(r["targets"]) == sorted(targets)]
    (row,) = rows
    return dict(row)


def test_one_report_adds_up_the_events_of_two_agents_and_never_averages_their_ratios(
    triton_factory: Callable[..., EmbeddedTriton], prometheus_bin: Path, tmp_path: Path
) -> None:
    busy, quiet = triton_factory(REPOSITORY), triton_factory(REPOSITORY)
    agents = {"busy": agent_on(busy, tmp_path / "busy", "busy"), "quiet": agent_on(quiet, tmp_path / "quiet", "quiet")}
    listens = ", ".join(f"'{agent.listen}'" for agent in agents.values())
    config = (
        "global: {scrape_interval: 250ms, scrape_timeout: 250ms}\n"
        f"scrape_configs: [{{job_name: agents, static_configs: [{{targets: [{listens}]}}]}}]\n"
    )
    with RealPrometheus(prometheus_bin, tmp_path / "data", tmp_path / "p", config=config) as peer:
        for agent in agents.values():
            agent.wait_ready()
        agents["busy"].wait(lambda: series_in(peer.url) == 2)
        time.sleep(1)
        with Callers(busy.http_url, workers=8, period=0.05) as many, Callers(quiet.http_url, workers=1) as few:
            many.want({GOOD: 1.0})
            few.want({GOOD: 0.5, FAIL: 0.5})
            time.sleep(LOAD_SECONDS)
        time.sleep(2.5)
        counts = {name: counted(agent, name) for name, agent in agents.items()}
        fleet, apart = report(peer.url), report(peer.url, "--per-target")
        in_history_mode(quiet, tmp_path, peer.url, counts["quiet"])
    for agent in agents.values():
        assert agent.end() == 0
    good, bad = (sum(parts) for parts in zip(*counts.values(), strict=True))
    row = row_of(fleet, "busy", "quiet")
    sys.stdout.write(f"\nagents {counts}; Prometheus {row['good']:.1f} good, {row['bad']:.1f} bad\n")
    assert row["good"] == pytest.approx(good, rel=AGREE)
    assert row["bad"] == pytest.approx(bad, rel=AGREE)
    assert row["remaining"] == pytest.approx(1 - bad / ((good + bad) * 0.001), rel=AGREE)
    average = sum(b / (g + b) for g, b in counts.values()) / 2
    assert bad / (good + bad) < average / 2, "the load must be such that an average would be wrong"
    for name, (alone_good, alone_bad) in counts.items():
        assert row_of(apart, name)["good"] == pytest.approx(alone_good, rel=AGREE)
        assert row_of(apart, name)["bad"] == pytest.approx(alone_bad, rel=AGREE)


def in_history_mode(server: EmbeddedTriton, folder: Path, url: str, counts: tuple[float, float]) -> None:
    """An agent without a store and with `--history` knows what others of its target counted before it began."""
    agent = agent_on(server, folder / "history", "quiet", "--history", f"prometheus={url}")
    labels = 'model="moody",slo="availability",target="quiet",version="1"'
    remaining = f"triton_watch_slo_budget_remaining_ratio{{{labels}}}"
    agent.wait(lambda: agent.metric("triton_watch_slo_history_up") == 1 and agent.metric(remaining) is not None)
    good, bad = counts
    assert agent.metric(remaining) == pytest.approx(1 - bad / ((good + bad) * 0.001), rel=AGREE)
    assert counted(agent, "quiet") == (0.0, 0.0), "its own counters begin with itself"
    assert agent.metric("triton_watch_slo_store_up") is None
    assert agent.end() == 0


def series_in(url: str) -> int:
    query = {"query": f'count({SERIES}{{slo="availability",result="bad"}})'}
    result = requests.get(f"{url}/api/v1/query", query, timeout=30).json()["data"]["result"]
    return int(result[0]["value"][1]) if result else 0
