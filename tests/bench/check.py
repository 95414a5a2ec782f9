"""`make bench`, second part: time and memory of `triton-watch check` on repositories of 1 to 10,000 models.

The peer is the least that any linter must do in Python: google.protobuf.text_format on every configuration, in
one process of the same run. Machines are noisy: the ratio is what counts, the limits are the project's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]
import repositories
from performance_page import write_between
from rich.console import Console
from rich.table import Table

SECONDS = {1: 0.35, 1000: 3.0, 10_000: 30.0}
"""Longest wall time by models, start of the process included, on 2 cores."""
MEGABYTES = 200.0
"""Most memory of all processes of one check together."""
BEGIN, END = "<!-- check bench: begin -->", "<!-- check bench: end -->"
COLUMNS = ("models", "wall", "limit", "text_format alone", "ratio", "memory", "limit", "findings")
_PEER = """
import pathlib, sys, time
from google.protobuf import text_format
from triton_watch.check.pbtxt.messages import ModelConfig
begin = time.perf_counter()
for path in pathlib.Path(sys.argv[1]).glob("*/config.pbtxt"):
    text_format.Parse(path.read_text(), ModelConfig())
print(time.perf_counter() - begin)
"""


@dataclass(frozen=True)
class Result:
    """One repository: seconds of wall time, MB (10^6 bytes) at the highest."""

    models: int
    seconds: float
    parse_seconds: float
    megabytes: float
    findings: int

    def row(self) -> list[str]:
        return [
            f"{self.models:,}",
            f"{self.seconds:.2f} s",
            f"{SECONDS[self.models]:.2f} s",
            f"{self.parse_seconds:.2f} s",
            f"{self.seconds / self.parse_seconds:.1f}",
            f"{self.megabytes:.0f} MB",
            f"{MEGABYTES:.0f} MB",
            f"{self.findings:,}",
        ]

    def failures(self) -> list[str]:
        found = []
        if self.seconds > SECONDS[self.models]:
            found.append(f"{self.models} models take {self.seconds:.2f} s, over {SECONDS[self.models]} s")
        if self.megabytes > MEGABYTES:
            found.append(f"{self.models} models take {self.megabytes:.0f} MB, over {MEGABYTES:.0f} MB")
        return found


def measure(models: int, rounds: int) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder, "models")
        repositories.make(repository, models)
        runs = [_check(repository) for _ in range(rounds)]
        peer = subprocess.run(
            [sys.executable, "-c", _PEER, str(repository)], check=True, capture_output=True, text=True
        )
    best = min(runs)
    return Result(models, best[0], float(peer.stdout), max(run[1] for run in runs), best[2])


def _check(repository: Path) -> tuple[float, float, int]:
    command = [str(Path(sys.executable).with_name("triton-watch")), "check", str(repository), "--format", "json"]
    begin = time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/", env=environment) as running:
        watch = _Memory(running.pid)
        assert running.stdout is not None
        report = json.load(running.stdout)
        running.wait()
        seconds = time.perf_counter() - begin
    return seconds, watch.stop(), len(report["findings"])


class _Memory:
    """Samples the memory of a process and its children: proportional set size, so that shared pages count once."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._highest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()

    def _sample(self) -> None:
        while not self._over.wait(0.05):
            self._highest = max(self._highest, sum(_pss_mb(pid) for pid in [self._pid, *_children(self._pid)]))

    def stop(self) -> float:
        self._over.set()
        self._thread.join()
        return self._highest


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _pss_mb(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return 0.0


def write(results: list[Result]) -> None:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " ---: |" * len(COLUMNS)]
    lines += ["| " + " | ".join(result.row()) + " |" for result in results]
    write_between(BEGIN, END, lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, nargs="*", default=list(SECONDS), choices=list(SECONDS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write the figures into docs/performance.md")
    arguments = parser.parse_args()
    results = [measure(models, arguments.rounds) for models in arguments.models]
    table = Table(*COLUMNS)
    for result in results:
        table.add_row(*result.row())
    console = Console()
    console.print(table)
    failures = [text for result in results for text in result.failures()]
    for failure in failures:
        console.print(f"over the limit: {failure}", style="red")
    if arguments.write:
        write(results)
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
