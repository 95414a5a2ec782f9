"""`make bench`, fourth part: what canaries cost, on the real tritonserver with 100 models at the default interval.

The server's CPU with canaries beside the same server with an agent that only polls; the agent's own CPU for
canaries; the client's overhead beside bare calls of tritonclient; resident memory with gRPC at 10 models.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import measure
import numpy as np
from performance_page import write_between
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from tritonclient.grpc import InferenceServerClient, InferInput

from triton_watch.demo import EmbeddedTriton
from triton_watch.probes.canary.memory import Memory
from triton_watch.probes.canary.plan import plan_of
from triton_watch.probes.canary.run import Run
from triton_watch.records import CanaryOptions, ModelKey, Target
from triton_watch.triton.client import TritonClient
from triton_watch.triton.infer.grpc import GrpcInfer

if TYPE_CHECKING:
    from collections.abc import Iterator

MODELS = 100
FEW = 10
CALLS = 400
SERVER_LIMIT = 0.01
"""Most of one core that canaries of 100 models take of the server."""
AGENT_LIMIT = 0.02
"""Most of one core that they take of the agent."""
OVERHEAD_LIMIT = 2.0
"""Most CPU of a canary in units of a bare call."""
MEMORY_LIMIT = 90.0
"""Most resident MB of an agent with canaries over gRPC on 10 models."""
MODEL = Path(__file__).resolve().parents[1] / "fixtures" / "canary_repository" / "good"
BEGIN, END = "<!-- canary bench: begin -->", "<!-- canary bench: end -->"


@dataclass(frozen=True)
class Result:
    """CPU in seconds a second, memory in MB, calls in seconds of CPU and of wall time."""

    server_before: float
    server: float
    agent_before: float
    agent: float
    ours: float
    bare: float
    ours_wall: float
    bare_wall: float
    memory: float

    @property
    def overhead(self) -> float:
        return self.ours / self.bare

    def failures(self) -> list[str]:
        checks = (
            ("canaries' share of a core in the server", self.server - self.server_before, SERVER_LIMIT),
            ("canaries' share of a core in the agent", self.agent - self.agent_before, AGENT_LIMIT),
            ("CPU of a canary beside a bare call", self.overhead, OVERHEAD_LIMIT),
            ("resident MB with gRPC at 10 models", self.memory, MEMORY_LIMIT),
        )
        return [f"{text}: {value:.4g}, over {limit:g}" for text, value, limit in checks if value > limit]


def repository(folder: Path, models: int) -> Path:
    for number in range(models):
        name = f"model_{number:03d}"
        shutil.copytree(MODEL, folder / name)
        config = folder / name / "config.pbtxt"
        config.write_text(config.read_text().replace('"good"', f'"{name}"'))
    return folder


@contextmanager
def agent(triton: EmbeddedTriton, canary: str) -> Iterator[int]:
    """Run the agent at its default intervals; yield its process id."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "triton-watch.yaml"
        file.write_text(
            f"targets: [{{url: '{triton.http_url}', grpc: '{triton.grpc_address}', "
            f"metrics_url: '{triton.metrics_url}'}}]\n"
            f"web: {{listen: '127.0.0.1:{measure.free_port()}'}}\nslo: {{state_dir: none}}\ncanary: {canary}\n"
        )
        command = [sys.executable, "-m", "triton_watch", "run", "--config", str(file)]
        with measure.process(command, stderr=subprocess.DEVNULL) as running:
            yield running.pid


def family(pid: int) -> list[int]:
    """The process and all below it."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, todo = [], [pid]
    while todo:
        one = todo.pop()
        found.append(one)
        todo += parents.get(one, [])
    return found


def used(pids: list[int]) -> float:
    return sum(measure.cpu_seconds(pid) for pid in pids)


def shares(triton: EmbeddedTriton, canary: str, warm: float, seconds: float) -> tuple[float, float]:
    """CPU seconds a second of the server with its stubs, and of the agent."""
    with agent(triton, canary) as pid:
        time.sleep(warm)
        server = family(triton.pid)
        begin, before, mine = time.monotonic(), used(server), measure.cpu_seconds(pid)
        time.sleep(seconds)
        length = time.monotonic() - begin
        return (used(server) - before) / length, (measure.cpu_seconds(pid) - mine) / length


def calls(triton: EmbeddedTriton) -> tuple[float, float, float, float]:
    """CPU and wall seconds of one canary and of one bare call, in turn, the medians of blocks."""
    target = Target("bench", triton.http_url, triton.metrics_url, triton.grpc_address)
    with TritonClient(target) as client:
        config = client.model_config("model_000")
    plan = plan_of(ModelKey("model_000", "1"), config, CanaryOptions())
    run, memory = Run(GrpcInfer(target), random.Random(1)), Memory()
    bare = InferenceServerClient(triton.grpc_address)
    times: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}

    def one_of_ours(number: int) -> None:
        assert run.once(plan, number % 2, memory).ok

    def one_bare(number: int) -> None:
        tensor = InferInput("X", [1, 4], "FP32")
        tensor.set_data_from_numpy(np.full((1, 4), number % 2, dtype=np.float32))
        bare.infer("model_000", [tensor], client_timeout=5).as_numpy("Y")

    for block in range(CALLS // 20):
        for name, call in (("ours", one_of_ours), ("bare", one_bare)):
            cpu, wall = time.process_time(), time.perf_counter()
            for number in range(20):
                call(number)
            if block > 1:  # both are warm
                times[name].append(((time.process_time() - cpu) / 20, (time.perf_counter() - wall) / 20))
    medians = {
        name: [statistics.median(column) for column in zip(*found, strict=True)] for name, found in times.items()
    }
    return medians["ours"][0], medians["bare"][0], medians["ours"][1], medians["bare"][1]


def memory_of(triton: EmbeddedTriton) -> float:
    """Resident MB of an agent with canaries over gRPC, after a while."""
    with agent(triton, "{interval: 2s, timeout: 1s}") as pid:
        time.sleep(20)
        return measure.resident_mb(pid)


def measured(seconds: float, progress: Progress) -> Result:
    task = progress.add_task("measuring canaries", total=4)
    with tempfile.TemporaryDirectory() as folder:
        with EmbeddedTriton(repository(Path(folder) / "many", MODELS), workdir=Path(folder)) as triton:
            progress.advance(task)
            without = shares(triton, "{enabled: false}", 15, seconds)
            progress.advance(task)
            with_canaries = shares(triton, "{}", 35, seconds)
            progress.advance(task)
            ours, bare, ours_wall, bare_wall = calls(triton)
        with EmbeddedTriton(repository(Path(folder) / "few", FEW), workdir=Path(folder)) as triton:
            memory = memory_of(triton)
        progress.advance(task)
    return Result(without[0], with_canaries[0], without[1], with_canaries[1], ours, bare, ours_wall, bare_wall, memory)


def rows(r: Result) -> list[tuple[str, str, str]]:
    percent = "{:.2%} of a core".format
    return [
        ("server with its 100 models, polled only", percent(r.server_before), ""),
        ("the same with canaries", percent(r.server), ""),
        ("canaries add to the server", percent(r.server - r.server_before), percent(SERVER_LIMIT)),
        ("agent, polling only", percent(r.agent_before), ""),
        ("canaries add to the agent", percent(r.agent - r.agent_before), percent(AGENT_LIMIT)),
        ("a canary, client's CPU", f"{r.ours * 1e6:.0f} µs", ""),
        ("a bare tritonclient call, client's CPU", f"{r.bare * 1e6:.0f} µs", ""),
        ("ratio", f"{r.overhead:.2f}", f"{OVERHEAD_LIMIT:g}"),
        ("wall time of the two", f"{r.ours_wall * 1e6:.0f} and {r.bare_wall * 1e6:.0f} µs", ""),
        ("resident memory, 10 models, gRPC", f"{r.memory:.1f} MB", f"{MEMORY_LIMIT:.0f} MB"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="length of each measurement")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/performance.md")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    console = Console()
    with Progress(console=console, transient=True) as progress:
        result = measured(arguments.seconds, progress)
    if arguments.json:
        sys.stdout.write(json.dumps({name: getattr(result, name) for name in Result.__dataclass_fields__}) + "\n")
    table = Table("100 models, a canary every 30 s", "measured", "limit")
    for row in rows(result):
        table.add_row(*row)
    console.print(table)
    for failure in result.failures():
        console.print(f"over the limit: {failure}", style="red")
    if arguments.write:
        head = ["| 100 models, a canary every 30 s | measured | limit |", "| --- | ---: | ---: |"]
        write_between(BEGIN, END, [*head, *("| " + " | ".join(row) + " |" for row in rows(result))])
    return int(bool(result.failures()))


if __name__ == "__main__":
    sys.exit(main())
