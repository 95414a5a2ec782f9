"""One agent and many servers that it found in a file: CPU, memory and threads, by number of targets.

Run as `.venv/bin/python tests/bench/fleet.py --targets 50 200 500 --write`. All servers are one process, at addresses
of the loopback of their own, with 10 models each and the agent's default interval, objectives and canaries. It
belongs to no limit: docs/fleet.md has the figures.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import measure
from performance_page import write_between

if TYPE_CHECKING:
    from collections.abc import Callable

DOC = Path(__file__).parents[2] / "docs" / "fleet.md"
BEGIN, END = "<!-- fleet bench: begin -->", "<!-- fleet bench: end -->"
MODELS = 10


@dataclass(frozen=True)
class Result:
    """CPU in seconds a second, memory in MB, a scrape in seconds and bytes."""

    targets: int
    settled: float
    cpu: float
    memory: float
    threads: int
    skipped: float
    scrape: float
    page: int
    churned: float
    churned_threads: int

    def row(self) -> str:
        return (
            f"| {self.targets} | {self.settled:.0f} s | {100 * self.cpu:.0f} % | {self.memory:.0f} MB | "
            f"{self.threads} | {self.skipped:.0f} | "
            f"{1000 * self.scrape:.0f} ms, {self.page / 1e6:.1f} MB | {self.churned:.0f} MB, {self.churned_threads} |"
        )


HEAD = (
    "| targets | all polled after | CPU, of a core | RSS | threads | cycles skipped "
    "| a scrape of /metrics | RSS and threads after 20 changes |\n"
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def address(number: int) -> str:
    return f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"


def write(folder: Path, port: str, numbers: range) -> None:
    groups = [
        {
            "targets": [f"{address(number)}:{port}"],
            "labels": {"__metrics_url__": f"http://{address(number)}:{port}/metrics/{number}"},
        }
        for number in numbers
    ]
    fresh = folder / "targets.new"
    fresh.write_text(json.dumps(groups))
    fresh.replace(folder / "targets.json")


def run(targets: int, seconds: float) -> Result:
    server = [sys.executable, str(Path(__file__).with_name("exporter.py")), f"--models={MODELS}", "--pages=60"]
    with (
        tempfile.TemporaryDirectory() as name,
        measure.process([*server, "--address=0.0.0.0"], stdout=subprocess.PIPE) as serving,
    ):
        assert serving.stdout is not None
        port, folder = serving.stdout.readline().split()[0], Path(name)
        listen = f"127.0.0.1:{measure.free_port()}"
        config = {
            "discovery": {"files": [{"paths": "targets.json"}]},
            "web": {"listen": listen},
            "slo": {"state_dir": f"{name}/state"},
        }
        (folder / "triton-watch.yaml").write_text(json.dumps(config))
        write(folder, port, range(targets))
        command = [sys.executable, "-m", "triton_watch", "run", "--config", str(folder / "triton-watch.yaml")]
        with measure.process(command, stderr=subprocess.DEVNULL) as agent:
            return _measured(agent.pid, f"http://{listen}", targets, seconds, lambda n: write(folder, port, n))


def _measured(pid: int, url: str, targets: int, seconds: float, change: Callable[[range], None]) -> Result:
    begun = time.monotonic()
    while _sum(url, "triton_watch_target_heard") < targets:
        assert time.monotonic() - begun < 180, "not all were polled in time"
        time.sleep(1.0)
    settled = time.monotonic() - begun
    time.sleep(20.0)
    used, at = measure.cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    cpu = (measure.cpu_seconds(pid) - used) / (time.monotonic() - at)
    at = time.monotonic()
    page = _get(url)
    scrape = time.monotonic() - at
    memory, threads = measure.resident_mb(pid), _threads(pid)
    skipped = _sum(url, "triton_watch_cycles_skipped_total")
    for turn in range(1, 21):  # each time a tenth of the targets is another
        change(range(turn * targets // 10, turn * targets // 10 + targets))
        time.sleep(3.0)
    time.sleep(20.0)
    after = measure.resident_mb(pid), _threads(pid)
    return Result(targets, settled, cpu, memory, threads, skipped, scrape, len(page), *after)


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=60) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def _sum(url: str, metric: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in _get(url).splitlines() if line.startswith(metric + "{"))


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, nargs="+", default=[50, 200, 500])
    parser.add_argument("--seconds", type=float, default=45.0)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    lines = HEAD.splitlines()
    for targets in chosen.targets:
        lines.append(run(targets, chosen.seconds).row())
        sys.stdout.write(lines[-1] + "\n")
        sys.stdout.flush()
    if chosen.write:
        write_between(BEGIN, END, lines, DOC)


if __name__ == "__main__":
    main()
