"""`make bench`, second part: what objectives cost, beside ten recording rules of a Prometheus on the same pages.

1,000 models x 3 objectives. Our side is the CPU of counting one interval and judging all budgets; the peer is the
CPU that Prometheus spends on one evaluation of ten recording rules of 5m rates and ratios. Memory and file are
measured after 30 simulated days, in a process of their own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import measure
from performance_page import write_between
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from support.debian import tool

MODELS = 1000
CPU_LIMIT = 1 / 30
"""Most CPU of a cycle's counting and judging in units of the rules' CPU an evaluation."""
MEMORY_LIMIT = 25.0
"""Most resident MB that objectives add."""
FILE_LIMIT = 15.0
"""Most MB of the store after 30 days."""
SERIES_LIMIT = 4096.0
"""Most bytes of the store a series, on average."""
BEGIN, END = "<!-- slo bench: begin -->", "<!-- slo bench: end -->"
_RATE = "sum by (model, version) (rate(nv_inference_{0}[5m]))"
SUCCESS, FAILURE = _RATE.format("request_success"), _RATE.format("request_failure")
RULES = {
    "requests": SUCCESS,
    "failures": FAILURE,
    "error_ratio": f"{FAILURE} / ({SUCCESS} + {FAILURE} > 0)",
    "queue_seconds": f"{_RATE.format('queue_duration_us')} / ({SUCCESS} > 0) / 1e6",
    "request_seconds": f"{_RATE.format('request_duration_us')} / ({SUCCESS} > 0) / 1e6",
    "infer_seconds": f"{_RATE.format('compute_infer_duration_us')} / ({SUCCESS} > 0) / 1e6",
    "input_seconds": f"{_RATE.format('compute_input_duration_us')} / ({SUCCESS} > 0) / 1e6",
    "output_seconds": f"{_RATE.format('compute_output_duration_us')} / ({SUCCESS} > 0) / 1e6",
    "batch": f"{_RATE.format('count')} / ({_RATE.format('exec_count')} > 0)",
    "burn": f"({FAILURE} / ({SUCCESS} + {FAILURE} > 0)) / 0.001",
}
"""Ten recording rules as a Prometheus would need them for the same objectives, on Triton's own counters."""


@dataclass(frozen=True)
class Result:
    """CPU in seconds, memory and file in MB."""

    ours: float
    rules: float
    memory: float
    file: float
    series: int
    flush: float
    page: float

    @property
    def ratio(self) -> float:
        return self.ours / self.rules

    def failures(self) -> list[str]:
        each = self.file * 1e6 / self.series
        checks = (
            (f"a cycle's budgets take {self.ratio:.3f} of the rules' CPU", self.ratio, CPU_LIMIT),
            (f"objectives take {self.memory:.1f} MB of memory", self.memory, MEMORY_LIMIT),
            (f"the store has {self.file:.1f} MB", self.file, FILE_LIMIT),
            (f"the store has {each:.0f} bytes a series", each, SERIES_LIMIT),
        )
        return [f"{text}, over {limit:.3g}" for text, value, limit in checks if value > limit]


def rules_cpu(binary: str, seconds: float) -> float:
    """CPU seconds of one evaluation of `RULES`: two Prometheus on the same pages, one with them and one without."""
    groups = [{"name": "slo", "interval": "2s", "rules": [{"record": f"slo:{n}", "expr": e} for n, e in RULES.items()]}]
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        rules = folder / "rules.json"
        rules.write_text(json.dumps({"groups": groups}))
        source = stack.enter_context(measure.exporter(MODELS, summaries=False, pages=int(seconds) + 60))
        for side in ("with", "without"):
            (folder / side).mkdir()
        plain = stack.enter_context(measure.prometheus(source, 2.0, folder / "without", binary))
        ruled = stack.enter_context(measure.prometheus(source, 2.0, folder / "with", binary, rules=rules))
        time.sleep(20)
        before = [measure.cpu_seconds(one.pid) for one in (plain, ruled)]
        time.sleep(seconds)
        without, with_rules = (
            measure.cpu_seconds(one.pid) - used for one, used in zip((plain, ruled), before, strict=True)
        )
        return (with_rules - without) / (seconds / 2)


def simulated() -> dict[str, float]:
    """What `slo_month.py` measured in its own process."""
    script = Path(__file__).with_name("slo_month.py")
    done = subprocess.run([sys.executable, str(script), str(MODELS)], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def rows(r: Result) -> list[tuple[str, str, str]]:
    return [
        ("counting and judging a cycle, CPU", f"{r.ours * 1e3:.2f} ms", ""),
        ("ten recording rules in Prometheus, CPU an evaluation", f"{r.rules * 1e3:.0f} ms", ""),
        ("ratio", f"{r.ratio:.4f}", f"{CPU_LIMIT:.4f}"),
        ("resident memory that objectives add, after 30 days", f"{r.memory:.1f} MB", f"{MEMORY_LIMIT:.0f} MB"),
        ("store after 30 days", f"{r.file:.1f} MB", f"{FILE_LIMIT:.0f} MB"),
        ("store a series", f"{r.file * 1e6 / r.series:.0f} B", f"{SERIES_LIMIT:.0f} B"),
        ("writing a flush of 30 s, in a thread of its own", f"{r.flush * 1e3:.0f} ms", ""),
        ("objectives' part of /metrics, CPU a scrape", f"{r.page * 1e3:.0f} ms", ""),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=40, help="length of the measurement of the rules")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/performance.md")
    parser.add_argument("--prometheus", default=tool("prometheus"), help="Prometheus binary")
    arguments = parser.parse_args()
    if not arguments.prometheus:
        parser.error("no prometheus binary: install Debian's package prometheus, or give --prometheus")
    console = Console()
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("measuring objectives", total=2)
        month = simulated()
        progress.advance(task)
        rules = rules_cpu(str(arguments.prometheus), arguments.seconds)
        progress.advance(task)
    result = Result(
        month["cycle"], rules, month["memory"], month["file"], int(month["series"]), month["flush"], month["page"]
    )
    table = Table("1,000 models x 3 objectives", "measured", "limit")
    for row in rows(result):
        table.add_row(*row)
    console.print(table)
    for failure in result.failures():
        console.print(f"over the limit: {failure}", style="red")
    if arguments.write:
        head = ["| 1,000 models, 3 objectives | measured | limit |", "| --- | ---: | ---: |"]
        write_between(BEGIN, END, [*head, *("| " + " | ".join(row) + " |" for row in rows(result))])
    return int(bool(result.failures()))


if __name__ == "__main__":
    sys.exit(main())
