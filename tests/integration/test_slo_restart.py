"""An agent that is killed loses one flush at most, and Prometheus reads its new counters for what they are."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import requests

from support.agent import Agent
from support.moods import FAIL, GOOD, REPOSITORY, Callers
from support.prometheus_server import RealPrometheus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton

KILLS = 6
RUN = 4.0
"""Seconds between two kills."""
CONFIG = """
targets:
  - {{name: t, url: {http}, grpc: "{grpc}", metrics_url: {metrics}, interval: 500ms, timeouts: {{total: 400ms}}}}
web: {{listen: "{listen}"}}
slo:
  flush_interval: 1s
  state_dir: {state}
  {more}
"""


def write(file: Path, server: EmbeddedTriton, listen: str, state: str, more: str = "") -> None:
    urls = {"http": server.http_url, "grpc": server.grpc_address, "metrics": server.metrics_url}
    file.write_text(CONFIG.format(**urls, listen=listen, state=state, more=more))


def test_kill_9_in_a_loop_under_load_loses_one_flush_at_most_and_prometheus_counts_nothing_twice(
    triton_factory: Callable[..., EmbeddedTriton], prometheus_bin: Path, tmp_path: Path
) -> None:
    server = triton_factory(REPOSITORY)
    state, file = tmp_path / "kept", tmp_path / "triton-watch.yaml"
    agent = Agent(tmp_path, "--config", str(file), "--state", str(state), start=False)
    write(file, server, agent.listen, "none")
    config = (
        "global: {scrape_interval: 250ms, scrape_timeout: 250ms}\n"
        f"scrape_configs: [{{job_name: agent, static_configs: [{{targets: ['{agent.listen}']}}]}}]\n"
    )
    unwatched = 0.0
    with RealPrometheus(prometheus_bin, tmp_path / "data", tmp_path / "p", config=config) as peer:
        agent.start()
        agent.wait_ready()
        agent.wait(lambda: scalar(peer.url, "min(count_over_time(triton_watch_slo_events_total[1m]))") >= 4)
        begin = time.monotonic()
        with Callers(server.http_url, workers=4, period=0.05) as callers:
            callers.want({GOOD: 0.8, FAIL: 0.2})
            for _ in range(KILLS):
                time.sleep(RUN)
                killed = time.monotonic()
                agent.process.send_signal(signal.SIGKILL)
                agent.process.wait()
                agent.start()
                agent.wait_ready()
                unwatched += time.monotonic() - killed
            time.sleep(RUN)
        lasted = time.monotonic() - begin
        time.sleep(1.5)  # the last poll and the last scrape
        query = f"sum(increase(triton_watch_slo_events_total{{slo='availability'}}[{lasted + 60:.0f}s]))"
        seen = scalar(peer.url, query)
    assert agent.end() == 0
    sent, kept = counted_by(server), reported(state)
    lost_at_most = (unwatched + KILLS * (1.0 + 2 * 0.5)) / lasted * sent
    sys.stdout.write(
        f"\nserver {sent:.0f}, store {kept:.0f}, Prometheus {seen:.0f}; {KILLS} kills, "
        f"{unwatched:.1f} of {lasted:.1f} s without an agent\n"
    )
    assert sent - lost_at_most <= kept <= sent
    assert sent - lost_at_most <= seen <= sent * 1.02, "a counter that went down was taken for new events"


def counted_by(server: EmbeddedTriton) -> float:
    """Requests that the server counted, good and bad."""
    page = requests.get(server.metrics_url, timeout=10).text
    counters = re.findall(r"^nv_inference_request_(?:success|failure)\{.*\} (\S+)$", page, re.MULTILINE)
    return sum(map(float, counters))


def reported(state: Path) -> float:
    """Events of the availability objective that the stored budget is made of."""
    command = [sys.executable, "-m", "triton_watch", "slo", "report", "--state", str(state), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    rows = json.loads(done.stdout)["rows"]
    return float(sum(row["good"] + row["bad"] for row in rows if row["slo"] == "availability"))


def scalar(url: str, query: str) -> float:
    result = requests.get(f"{url}/api/v1/query", {"query": query}, timeout=30).json()["data"]["result"]
    return float(result[0]["value"][1]) if result else 0.0
