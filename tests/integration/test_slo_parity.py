"""The agent's burn rates beside those that a real Prometheus computes of the exported counters, in every phase."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from support.agent import Agent
from support.moods import FAIL, GOOD, REPOSITORY, SLOW, Callers
from support.prometheus_server import RealPrometheus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton

INTERVAL = 2.0
SCRAPE = 0.25
AGREE = 0.02
PHASES: tuple[tuple[str, int, dict[int, float]], ...] = (
    ("good", 40, {GOOD: 1.0}),
    ("slow", 35, {SLOW: 1.0}),
    ("failing", 30, {GOOD: 0.7, FAIL: 0.3}),
    ("idle", 25, {}),
    ("restart", 15, {GOOD: 1.0}),
    ("mixed", 40, {GOOD: 0.6, SLOW: 0.35, FAIL: 0.05}),
)
"""Name, seconds, what callers want. The server is stopped and started in the phase of that name."""
CONFIG = """
targets:
  - {{name: t, url: {http}, grpc: "{grpc}", metrics_url: {metrics}, interval: 2s, timeouts: {{total: 1s}}}}
web: {{listen: "LISTEN"}}
slo:
  flush_interval: 1s
  objectives:
    - {{name: availability, sli: availability, objective: 99.9%, period: 1d}}
    - {{name: queue-time, sli: queue_time, threshold: 50ms, objective: 99%, period: 1d}}
    - {{name: month, sli: availability, objective: 99%}}
"""
WINDOWS = {
    "1d": ("1m", "2m", "4m", "12m", "48m", "2h24m", "1d"),
    "30d": ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"),
}
"""By period; the two objectives of a day have windows that pass over the phases."""
LINE = re.compile(r'triton_watch_slo_burn_rate\{model="moody",slo="([^"]+)",.*window="([^"]+)"\} (\S+)')


@dataclass(frozen=True)
class Seen:
    """The agent's burn rates right after a cycle that ended at `at`."""

    phase: str
    at: float
    burn: dict[tuple[str, str], float]


def test_burn_rates_agree_with_prometheus_within_two_percent(
    triton_factory: Callable[..., EmbeddedTriton], prometheus_bin: Path, tmp_path: Path
) -> None:
    server = triton_factory(REPOSITORY)
    agent = agent_on(server, tmp_path)
    config = (
        f"global: {{scrape_interval: {SCRAPE * 1000:.0f}ms, scrape_timeout: {SCRAPE * 1000:.0f}ms}}\n"
        f"scrape_configs: [{{job_name: agent, static_configs: [{{targets: ['{agent.listen}']}}]}}]\n"
    )
    try:
        with RealPrometheus(prometheus_bin, tmp_path / "data", tmp_path / "p", config=config) as peer:
            agent.wait_ready()
            agent.wait(lambda: scrapes(peer.url) >= 4)  # what came before a first scrape, nobody could add up
            seen = played(server, agent)
            time.sleep(2)
            rows = [compared(peer.url, one, key, burn) for one in seen for key, burn in one.burn.items()]
    finally:
        agent.end()
    report(rows)
    agreeing = [row for row in rows if row.agrees]
    assert len(rows) > 500
    assert {row.window for row in rows} == {
        "1m",
        "2m",
        "4m",
        "12m",
        "48m",
        "2h24m",
        "1d",
        "5m",
        "30m",
        "1h",
        "2h",
        "6h",
        "3d",
        "30d",
    }
    assert all(row.agrees or row.is_edge for row in rows), [row for row in rows if not (row.agrees or row.is_edge)]
    assert len(agreeing) >= 0.95 * len(rows)
    assert agent.process.returncode == 0


def agent_on(server: EmbeddedTriton, folder: Path) -> Agent:
    file = folder / "triton-watch.yaml"
    agent = Agent(folder, "--config", str(file), start=False)
    file.write_text(
        CONFIG.format(http=server.http_url, grpc=server.grpc_address, metrics=server.metrics_url).replace(
            "LISTEN", agent.listen
        )
    )
    agent.start()
    return agent


def played(server: EmbeddedTriton, agent: Agent) -> list[Seen]:
    """Play the phases; look at the agent after each of its cycles."""
    seen: list[Seen] = []
    with Callers(server.http_url) as callers:
        for phase, seconds, shares in PHASES:
            callers.want(shares)
            if phase == "restart":
                server.stop()
                server.start()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                one = look(agent, phase)
                if one.burn and (not seen or one.at > seen[-1].at):
                    seen.append(one)
                time.sleep(0.1)
    return seen


def look(agent: Agent, phase: str) -> Seen:
    page = agent.get("/metrics").text
    stamp = re.search(r'last_cycle_timestamp_seconds\{target="t"\} (\S+)', page)
    burn = {(slo, window): float(value) for slo, window, value in LINE.findall(page)}
    return Seen(phase, float(stamp[1]) if stamp else 0.0, burn)


@dataclass(frozen=True)
class Row:
    """One comparison; `low` and `high` are Prometheus's rates for windows a poll shorter and longer."""

    phase: str
    slo: str
    window: str
    ours: float
    theirs: float
    low: float
    high: float

    @property
    def agrees(self) -> bool:
        return close(self.ours, self.theirs)

    @property
    def is_edge(self) -> bool:
        """The poll at the window's edge makes the difference: with or without it, the two agree."""
        return self.low * (1 - AGREE) - 1e-6 <= self.ours <= self.high * (1 + AGREE) + 1e-6


def close(one: float, other: float) -> bool:
    return abs(one - other) <= AGREE * max(abs(one), abs(other)) + 1e-9


def compared(url: str, seen: Seen, key: tuple[str, str], ours: float) -> Row:
    slo, window = key
    allowed = 0.001 if slo == "availability" else 0.01
    seconds = length(window)
    # The cycle's counters are on the page only after it ended; two scrapes later they are in Prometheus.
    at = seen.at + 2 * SCRAPE
    values = [burn_of(url, slo, seconds, allowed, at)]
    if not close(ours, values[0]):
        values += [burn_of(url, slo, seconds + more, allowed, at) for more in (-INTERVAL, INTERVAL)]
    return Row(seen.phase, slo, window, ours, values[0], min(values), max(values))


def burn_of(url: str, slo: str, window: float, allowed: float, at: float) -> float:
    def increase(result: str) -> str:
        return f'sum(increase(triton_watch_slo_events_total{{slo="{slo}"{result}}}[{window * 1000:.0f}ms]))'

    query = increase(',result="bad"') + f" / {increase('')} / {allowed}"
    answer = requests.get(f"{url}/api/v1/query", {"query": query, "time": f"{at:.3f}"}, timeout=30).json()
    result = answer["data"]["result"]
    return float(result[0]["value"][1]) if result else float("nan")


def scrapes(url: str) -> int:
    """How often Prometheus has seen the counters."""
    query = {"query": "min(count_over_time(triton_watch_slo_events_total[1m]))"}
    result = requests.get(f"{url}/api/v1/query", query, timeout=30).json()["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def length(window: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return float(sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([smhd])", window)))


def report(rows: list[Row]) -> None:
    """Print the parity table: the worst comparison of each window in each phase."""
    worst: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        place = (row.phase, row.slo, row.window)
        if place not in worst or abs(row.ours - row.theirs) > abs(worst[place].ours - worst[place].theirs):
            worst[place] = row
    sys.stdout.write("\nphase    objective     window      agent  Prometheus  difference\n")
    for (phase, slo, window), row in worst.items():
        share = abs(row.ours - row.theirs) / (max(abs(row.ours), abs(row.theirs)) or 1.0)
        edge = "" if row.agrees else "  a poll at the window's edge"
        sys.stdout.write(f"{phase:8} {slo:13} {window:7} {row.ours:9.3f}  {row.theirs:10.3f}  {share:9.2%}{edge}\n")
    agreeing = sum(row.agrees for row in rows)
    sys.stdout.write(f"{len(rows)} comparisons, {agreeing} within {AGREE:.0%}\n")
