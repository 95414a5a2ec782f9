"""Many people look at a busy agent: they all get their pages, and it watches on as if nobody was there."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING

from support.agent import Agent
from support.readers import HEALTHY, READERS, Report, read_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton

SECONDS = 30.0
INTERVAL = 1.0
PATHS = ("/", "/metrics", "/models/t/ranker", "/api/v1/models?limit=50")


def test_a_hundred_readers_cost_no_cycle_and_health_is_told_within_a_second(
    triton_factory: Callable[..., EmbeddedTriton], tmp_path: Path
) -> None:
    agent = agent_on(triton_factory(), tmp_path)
    try:
        agent.wait_ready()
        before = cycles(agent)
        report = read_for(SECONDS, agent.listen, PATHS)
        after = cycles(agent)
    finally:
        agent.end()
    write(report, after[0] - before[0])
    assert report.bad == {}, agent.log
    assert after[1] == before[1] == 0, "a cycle did not start because the one before was still running"
    assert after[0] - before[0] >= report.seconds / INTERVAL - 2
    assert report.times[HEALTHY][1] < 1.0
    assert all(report.outcomes[f"{path} 200"] >= READERS for path in PATHS), "each page was read often"


def agent_on(server: EmbeddedTriton, folder: Path) -> Agent:
    """An agent that polls each second and sends canaries, too."""
    file = folder / "triton-watch.yaml"
    agent = Agent(folder, "--config", str(file), "--state", str(folder / "state"), start=False)
    urls = {"url": server.http_url, "grpc": server.grpc_address, "metrics_url": server.metrics_url}
    target = {"name": "t", **urls, "interval": f"{INTERVAL}s", "timeouts": {"total": "900ms"}}
    settings = {"targets": [target], "web": {"listen": agent.listen}, "canary": {"interval": "3s", "timeout": "2s"}}
    file.write_text(json.dumps(settings))
    agent.start()
    return agent


def cycles(agent: Agent) -> tuple[float, float]:
    """Poll cycles that ended, and those that were skipped."""
    page = agent.get("/metrics").text
    found = [
        re.search(rf'^triton_watch_cycles{kind}_total\{{target="t"\}} (\S+)$', page, re.MULTILINE)
        for kind in ("", "_skipped")
    ]
    ended, skipped = (float(one[1]) if one else 0.0 for one in found)
    return ended, skipped


def write(report: Report, ended: float) -> None:
    """The figures, for `pytest -rP`."""
    answers = sum(report.outcomes.values())
    sys.stdout.write(
        f"\n{answers} answers, {answers / report.seconds:.0f} a second, "
        f"{report.bytes / report.seconds / 1e6:.1f} MB a second; {ended:.0f} cycles in {report.seconds:.0f} s\n"
    )
    for path, (median, late, last) in report.times.items():
        sys.stdout.write(
            f"{path}: median {median * 1e3:.0f} ms, p99 {late * 1e3:.0f} ms, longest {last * 1e3:.0f} ms\n"
        )
