"""`make bench`: CPU, memory and start-up of the watcher beside Prometheus, in one run, as ratios.

Prometheus and `triton-watch run` scrape the same pages from the same exporter at the same time; CPU is what
/proc says of each process, divided by its scrapes. The machine may be noisy: the ratio is what counts.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import measure
import pages
from performance_page import write_between
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from support.debian import tool

MODELS = (10, 100, 1000, 5000)
# Until November 2026 the limits were 0.6 and 0.25 (with summaries), and 60, 85, 110 MB. They were older than canaries
# and alerts, which do work for each model and bring modules of their own; they were held against 20 s in which hardly a
# canary was due; and they were of a machine where Prometheus took some two times the CPU for the same pages. These are
# the figures of docs/performance.md with some fifth of room for noise, and a tenth for memory: they are there to notice
# what gets worse, and are no aim.
LIMITS = {(1000, False): 2.0, (5000, False): 2.0, (1000, True): 0.5, (5000, True): 0.5}
"""Most CPU of a cycle in units of Prometheus's CPU a scrape."""
MEMORY_LIMITS = {(10, False): 68.0, (1000, False): 95.0, (1000, True): 110.0}
"""Most resident MB of `run`."""
VERSION_LIMIT = 6.0
"""Most wall time of `triton-watch --version` in units of `python3 -c pass`."""
CANARY_ROUND = 30.0
"""Seconds after which each model's canary is due again: in a shorter measurement hardly any of them are."""
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


@dataclass(frozen=True)
class Result:
    """One size of page. CPU in seconds a scrape, memory in MB."""

    models: int
    summaries: bool
    page_mb: float
    watcher_cpu: float
    prometheus_cpu: float
    parser_cpu: float
    watcher_mb: float
    watcher_scraped_mb: float
    prometheus_mb: float

    @property
    def ratio(self) -> float:
        return self.watcher_cpu / self.prometheus_cpu

    def failures(self) -> list[str]:
        size = f"{self.models} models{' with summaries' if self.summaries else ''}"
        limit, memory = (table.get((self.models, self.summaries)) for table in (LIMITS, MEMORY_LIMITS))
        found = []
        if limit is not None and self.ratio > limit:
            found.append(f"{size}: CPU is {self.ratio:.2f} x Prometheus's, over {limit}")
        if memory is not None and self.watcher_scraped_mb > memory:
            found.append(f"{size}: resident memory is {self.watcher_scraped_mb:.0f} MB, over {memory:.0f}")
        return found


def compare(models: int, *, summaries: bool, seconds: float, prometheus_bin: str) -> Result:
    interval = 1.0 if models <= 1000 else 3.0
    window = seconds if models <= 1000 else seconds * 2
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        source = stack.enter_context(measure.exporter(models, summaries=summaries, pages=_pages(models, seconds)))
        watched, url = stack.enter_context(measure.watcher(source, interval))
        peer = stack.enter_context(measure.prometheus(source, interval, Path(folder), prometheus_bin))
        _settle(url, interval)
        window_end = time.monotonic() + window
        before = [
            (p.pid, c, source.scrapes(c), measure.cpu_seconds(p.pid))
            for p, c in ((watched, "watcher"), (peer, "prometheus"))
        ]
        time.sleep(max(0.0, window_end - time.monotonic()))
        cpu = [
            (measure.cpu_seconds(pid) - used) / (source.scrapes(client) - scrapes)
            for pid, client, scrapes, used in before
        ]
        unscraped = measure.resident_mb(watched.pid)
        for _ in range(3):
            with urllib.request.urlopen(f"{url}/metrics") as answer:
                answer.read()
        return Result(
            models,
            summaries,
            source.page_bytes / 1e6,
            cpu[0],
            cpu[1],
            _parser_cpu(models, summaries=summaries),
            unscraped,
            measure.resident_mb(watched.pid),
            measure.resident_mb(peer.pid),
        )


def _pages(models: int, seconds: float) -> int:
    """Enough pages that the counters do not start again, as if the server had restarted, while we measure."""
    return int(seconds) + 20 if models <= 1000 else int(seconds * 2 / 3) + 20


def _settle(url: str, interval: float) -> None:
    """Wait until the agent has done its first cycles: configurations are fetched over several of them."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/-/ready") as answer:
                if answer.status == 200:
                    break
        except OSError:
            time.sleep(0.2)
    time.sleep(6 * interval)


def _parser_cpu(models: int, *, summaries: bool) -> float:
    text = pages.render(models, summaries=summaries, tick=1).decode()
    begin = time.process_time()
    for _ in text_string_to_metric_families(text):
        pass
    return time.process_time() - begin


def version_ratio(rounds: int = 15) -> tuple[float, float, float]:
    """Return median wall seconds of `triton-watch --version` and of `python3 -c pass`, and their ratio."""
    command = str(Path(sys.executable).with_name("triton-watch"))
    ours, bare = [], []
    for _ in range(rounds):
        ours.append(_wall([command, "--version"]))
        bare.append(_wall([sys.executable, "-c", "pass"]))
    return statistics.median(ours), statistics.median(bare), statistics.median(ours) / statistics.median(bare)


def _wall(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


COLUMNS = (
    "models",
    "page",
    "lines/model",
    "cycle CPU",
    "Prometheus CPU",
    "ratio",
    "limit",
    "prometheus_client parse",
    "RSS",
    "RSS after /metrics",
    "Prometheus RSS",
)


def row(r: Result) -> list[str]:
    limit = LIMITS.get((r.models, r.summaries))
    return [
        f"{r.models}",
        f"{r.page_mb:.2f} MB",
        "48" if r.summaries else "13",
        f"{r.watcher_cpu * 1e3:.1f} ms",
        f"{r.prometheus_cpu * 1e3:.1f} ms",
        f"{r.ratio:.2f}",
        "" if limit is None else f"{limit:.2f}",
        f"{r.parser_cpu * 1e3:.0f} ms",
        f"{r.watcher_mb:.0f} MB",
        f"{r.watcher_scraped_mb:.0f} MB",
        f"{r.prometheus_mb:.0f} MB",
    ]


def write(results: list[Result], version: tuple[float, float, float]) -> None:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " ---: |" * len(COLUMNS)]
    lines += ["| " + " | ".join(row(r)) + " |" for r in results]
    lines += [
        "",
        f"`triton-watch --version`: {version[0] * 1e3:.0f} ms, `python3 -c pass`: {version[1] * 1e3:.0f} ms, "
        f"ratio {version[2]:.1f} (limit {VERSION_LIMIT:.0f}).",
    ]
    write_between(BEGIN, END, lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=CANARY_ROUND, help="length of each measurement")
    parser.add_argument("--models", type=int, nargs="*", default=list(MODELS))
    parser.add_argument("--write", action="store_true", help="write the figures into docs/performance.md")
    parser.add_argument("--prometheus", default=tool("prometheus"), help="Prometheus binary")
    arguments = parser.parse_args()
    if not arguments.prometheus:
        parser.error("no prometheus binary: install Debian's package prometheus, or give --prometheus")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    results = []
    console = Console()
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("measuring", total=2 * len(arguments.models))
        for models in arguments.models:
            for summaries in (False, True):
                results.append(
                    compare(
                        models,
                        summaries=summaries,
                        seconds=arguments.seconds,
                        prometheus_bin=str(arguments.prometheus),
                    )
                )
                progress.advance(task)
    version = version_ratio()
    table = Table(*COLUMNS)
    for result in results:
        table.add_row(*row(result))
    Console(width=170).print(table)
    console.print(f"--version: {version[0] * 1e3:.0f} ms, python: {version[1] * 1e3:.0f} ms, ratio {version[2]:.1f}")
    failures = [text for r in results for text in r.failures()]
    if version[2] > VERSION_LIMIT:
        failures.append(f"--version takes {version[2]:.1f} x python's start, over {VERSION_LIMIT}")
    for failure in failures:
        console.print(f"over the limit: {failure}", style="red")
    if arguments.write:
        write(results, version)
    return int(bool(failures))


if __name__ == "__main__":
    sys.exit(main())
