"""What the generated rules cost a real Prometheus that scrapes one agent: seconds for each evaluation, by group.

    .venv/bin/python tests/bench/rules.py --models 1000

The page is the exporter's own, of made-up models; its counters of events go on. The history is as long as this runs:
windows of days cost more in a Prometheus that has days.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from rich.console import Console
from rich.table import Table

from support.debian import tool
from support.prometheus_server import RealPrometheus
from support.slo_exporter import Exporter
from synthetic_state import SyntheticState, budgets_of, names, snapshot_of
from triton_watch.daemon.exposition import render
from triton_watch.daemon.families import families, view_of

GROWING = "triton_watch_slo_events_total{"
SCRAPE, EVALUATE = 5, 30
"""Seconds."""


class GrowingPage:
    """The page of an agent with so many models. Its counters of events gain a tenth of their first value a second."""

    def __init__(self, models: int) -> None:
        keys = names(models)
        state = SyntheticState({"triton": snapshot_of(keys)}, budget_view=budgets_of(keys))
        page = b"".join(render(families(view_of(state, "bench")), openmetrics=False))
        self.lines = page.decode().splitlines()
        self._begin = time.monotonic()

    def __call__(self) -> str:
        factor = 1 + (time.monotonic() - self._begin) / 10
        return "\n".join([*(_grown(line, factor) for line in self.lines), ""])


def _grown(line: str, factor: float) -> str:
    if not line.startswith(GROWING):
        return line
    head, value = line.rsplit(" ", 1)
    return f"{head} {float(value) * factor}"


def measured(models: int, seconds: float) -> list[dict[str, Any]]:
    """The groups of rules as Prometheus tells of them after so many seconds."""
    binary = tool("prometheus")
    if binary is None:
        sys.exit("prometheus is missing: run `make debian`")
    with Exporter(GrowingPage(models)) as exporter, tempfile.TemporaryDirectory() as name:
        scrape = {"targets": [exporter.address]}
        config = {
            "global": {"evaluation_interval": f"{EVALUATE}s"},
            "rule_files": [str(ROOT / "alerts" / "rules.yaml")],
            "scrape_configs": [
                {"job_name": "triton-watch", "scrape_interval": f"{SCRAPE}s", "static_configs": [scrape]}
            ],
        }
        folder = Path(name)
        with RealPrometheus(binary, folder / "data", folder / "work", config=json.dumps(config)) as server:
            time.sleep(seconds)
            with urlopen(f"{server.url}/api/v1/rules") as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["groups"]
    return found


def main() -> None:
    """Print a table of groups, and what they come to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=150)
    given = parser.parse_args()
    groups = measured(given.models, given.seconds)
    table = Table("group", "rules", "every", "evaluation", "share of a core", title=f"{given.models} models")
    for one in groups:
        spent, every = one["evaluationTime"], one["interval"]
        table.add_row(one["name"], str(len(one["rules"])), f"{every:g} s", f"{spent:.3f} s", f"{spent / every:.2%}")
    console = Console()
    console.print(table)
    console.print(f"in all: {sum(one['evaluationTime'] / one['interval'] for one in groups):.1%} of a core")


if __name__ == "__main__":
    main()
