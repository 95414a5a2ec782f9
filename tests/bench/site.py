"""What the status page and the API cost: size, time and memory of an agent that watches 1,000 models, beside /metrics.

    .venv/bin/python tests/bench/site.py --write

The peer is the agent's own metrics page, which programs ask for anyway: a page for people should not cost much more.
Each page is asked for anew after it is no longer shared, while the agent polls.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import measure
from performance_page import write_between
from rich.console import Console
from rich.table import Table

BEGIN, END = "<!-- site bench: begin -->", "<!-- site bench: end -->"
MOST_BYTES, MOST_SECONDS, MOST_MEMORY = 300_000, 0.150, 25.0
"""Of a page, and MB of resident memory that looking at all of them adds."""
NOT_SHARED = 1.1
"""Seconds after which an answer is made anew."""
COLUMNS = ("page", "size", "gzip", "median", "slowest", "x /metrics")


@dataclass(frozen=True)
class Result:
    """One page: bytes, bytes compressed, and seconds of each request."""

    name: str
    size: int
    packed: int
    seconds: tuple[float, ...]


def ask(url: str, *, gzip: bool = False) -> bytes:
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"} if gzip else {})
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def measured(name: str, url: str, rounds: int) -> Result:
    """Ask `rounds` times, each time for what nobody has asked for in the last second."""
    seconds = []
    for _ in range(rounds):
        time.sleep(NOT_SHARED)
        begin = time.perf_counter()
        body = ask(url)
        seconds.append(time.perf_counter() - begin)
    return Result(name, len(body), len(ask(url, gzip=True)), tuple(seconds))


def compare(models: int, rounds: int) -> tuple[list[Result], float]:
    """Return the pages, and the MB that they added to the agent's memory."""
    with ExitStack() as stack:
        source = stack.enter_context(measure.exporter(models, summaries=False, pages=rounds * 15 + 60))
        watched, url = stack.enter_context(measure.watcher(source, 1.0))
        time.sleep(10)  # configurations are fetched over several cycles
        found = [measured("/metrics", f"{url}/metrics", rounds)]
        before = measure.resident_mb(watched.pid)
        model = json.loads(ask(f"{url}/api/v1/models?limit=1"))["models"][0]
        page, target = model["links"]["page"], model["target"]
        paths = {
            "/": "/",
            "/?page=20": "/?page=20",
            "/models/{target}/{model}": page,
            "/targets/{target}": f"/targets/{target}",
            "/slo": "/slo",
            "/agent": "/agent",
            "/api/v1/status": "/api/v1/status",
            "/api/v1/models": "/api/v1/models",
        }
        found += [measured(name, url + path, rounds) for name, path in paths.items()]
        return found, measure.resident_mb(watched.pid) - before


def row(one: Result, peer: float) -> list[str]:
    median = statistics.median(one.seconds)
    return [
        one.name,
        f"{one.size / 1e3:.0f} KB",
        f"{one.packed / 1e3:.0f} KB",
        f"{median * 1e3:.0f} ms",
        f"{max(one.seconds) * 1e3:.0f} ms",
        f"{median / peer:.2f}",
    ]


def failures(found: list[Result], memory: float) -> list[str]:
    pages = [one for one in found if one.name != "/metrics"]
    large = [f"{one.name} has {one.size} bytes, over {MOST_BYTES}" for one in pages if one.size > MOST_BYTES]
    slow = [
        f"{one.name} takes {statistics.median(one.seconds):.3f} s, over {MOST_SECONDS}"
        for one in pages
        if statistics.median(one.seconds) > MOST_SECONDS
    ]
    return [*large, *slow, *([f"pages add {memory:.0f} MB, over {MOST_MEMORY}"] if memory > MOST_MEMORY else [])]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--write", action="store_true", help="write the figures into docs/performance.md")
    given = parser.parse_args()
    console = Console()
    with console.status("asking for pages: about a minute and a half"):
        found, memory = compare(given.models, given.rounds)
    peer = statistics.median(found[0].seconds)
    rows = [row(one, peer) for one in found]
    table = Table(*COLUMNS, title=f"{given.models} models")
    for cells in rows:
        table.add_row(*cells)
    console.print(table)
    console.print(f"looking at all of them added {memory:.1f} MB")
    wrong = failures(found, memory)
    for sentence in wrong:
        console.print(f"over the limit: {sentence}", style="red")
    if given.write:
        rule = "| " + " | ".join("---" for _ in COLUMNS) + " |"
        lines = [f"| {' | '.join(cells)} |" for cells in (COLUMNS, *rows)]
        write_between(BEGIN, END, [lines[0], rule, *lines[1:], "", f"Looking at all of them added {memory:.1f} MB."])
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
