"""A model that is wrong on its second instance alone, watched by canaries: run by hand on a GPU machine.

Triton counts nothing but successes for it. The script makes a torch model with one instance on each of two GPUs
(or two on one), records goldens, runs two agents beside clients, one with the default verdict (2 of 3 canaries)
and one with 2 of 10, and corrupts and heals a layer of the second instance while everything runs. At its end it
measures how far right answers differ between GPUs and batch sizes. What came of it is in docs/performance.md.

    python tests/gpu/canary_instances.py OUT
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gpu.canary_figures import of_corruption, of_good, table
from gpu.canary_model import Model
from gpu.canary_precision import measure, torch
from gpu.canary_watching import Clients, Sampler, all_answers, ask, counts, excess, page_of
from triton_watch.demo import EmbeddedTriton

QUICK = bool(os.environ.get("CANARY_INSTANCES_QUICK"))
"""Short phases, to see whether the script itself works."""
GOOD, HOLD, IDLE, ROUNDS = (10, 10, 10, 2) if QUICK else (60, 40, 20, 5)
"""Seconds that the instances are good, that one is corrupted, that it is so without clients; corruptions."""
AGENTS = {"2 of 3": (8003, {}), "2 of 10": (8004, {"failures": 2, "window": 10})}


def devices() -> tuple[list[str], str]:
    """Devices to compare, and the instance group."""
    count = torch.cuda.device_count()
    if count > 1:
        return ["cuda:0", "cuda:1"], "kind: KIND_GPU count: 1 gpus: [ 0, 1 ]"
    if count:
        return ["cuda:0"], "kind: KIND_GPU count: 2 gpus: [ 0 ]"
    return ["cpu"], "kind: KIND_CPU count: 2"


def triton_watch(*arguments: str) -> str:
    command = [sys.executable, "-m", "triton_watch", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout or done.stderr


def record(triton: EmbeddedTriton, folder: Path, repeats: int) -> dict[str, Any]:
    urls = ["--target", triton.http_url, "--grpc", triton.grpc_address, "--metrics-url", triton.metrics_url]
    said = triton_watch("canary", "record", *urls, "--goldens", str(folder), "--repeats", str(repeats), "--json")
    models: list[dict[str, Any]] = json.loads(said)["models"]
    return models[0]


def start_agent(triton: EmbeddedTriton, folder: Path, out: Path, name: str) -> subprocess.Popen[bytes]:
    port, verdict = AGENTS[name]
    target = {
        "name": "gpu", "url": triton.http_url, "grpc": triton.grpc_address, "metrics_url": triton.metrics_url,
        "interval": "1s", "timeouts": {"total": "900ms"},
    }  # fmt: skip
    canary = {"interval": "3s", "goldens": str(folder / "goldens"), **verdict}
    config = folder / f"{port}.yaml"
    config.write_text(json.dumps({"targets": [target], "canary": canary, "web": {"listen": f"127.0.0.1:{port}"}}))
    with (out / f"agent_{port}.log").open("w") as log:
        command = [
            sys.executable,
            "-m",
            "triton_watch",
            "run",
            "--config",
            str(config),
            "--state",
            str(folder / f"state_{port}"),
        ]
        return subprocess.Popen(command, stdout=log, stderr=log)


def triton_counts(triton: EmbeddedTriton) -> dict[str, int]:
    page = page_of(triton.metrics_url)
    names = ("nv_inference_request_success", "nv_inference_request_failure")
    return {name: sum(counts(page, name).values()) for name in names}


class Experiment:
    """Runs the phases one after the other; `result` grows and is written after each."""

    def __init__(self, out: Path, stack: ExitStack) -> None:
        self.out = out
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.devices, group = devices()
        self.model = Model(self.folder / "models", group)
        log = out / "tritonserver.log"
        self.triton = stack.enter_context(EmbeddedTriton(self.folder / "models", log_file=log))
        self.agents: dict[str, subprocess.Popen[bytes]] = {}
        names = [torch.cuda.get_device_name(one) for one in self.devices if one != "cpu"]
        self.result: dict[str, Any] = {"gpus": names, "torch": torch.__version__, "instances": self.model.instances()}

    def keep(self, **found: Any) -> None:
        self.result.update(found)
        (self.out / "canary_instances.json").write_text(json.dumps(self.result, indent=1))
        (self.out / "canary_instances.txt").write_text(table(self.result))

    def before(self) -> None:
        """Without agents: who answers in turn on an idle server, and what `record` says of unlike instances."""
        expected = all_answers(self.triton.http_url)
        self.expected = expected
        self.model.corrupt()
        with requests.Session() as session:
            apart = [excess(expected[0], ask(session, self.triton.http_url, 0)) for _ in range(60)]
        pattern = "".join("x" if one > 1 else "." for one in apart)
        bad = [record(self.triton, self.folder / "bad", repeats) for repeats in (2, 5, 5, 5, 10)]
        self.model.heal()
        good = record(self.triton, self.folder / "goldens", 10)
        golden = next((self.folder / "goldens").rglob("1.json")).read_text()
        (self.out / "golden.json").write_text(golden)
        self.keep(idle_pattern=pattern, wrong_excess=max(apart), recorded_corrupted=bad, recorded=good)

    def watched(self) -> None:
        """Good for a while, then corrupted and healed in turn; at the end corrupted without clients."""
        self.agents = {name: start_agent(self.triton, self.folder, self.out, name) for name in AGENTS}
        clients = Clients(self.triton.http_url, self.expected)
        sampler = Sampler(
            {name: f"http://127.0.0.1:{port}" for name, (port, _) in AGENTS.items()}, self.triton.http_url
        )
        clients.start()
        sampler.start()
        self.keep(became_serving=sampler.wait_serving(1, 40))
        self.keep(good=self.phase(sampler, clients, GOOD, "good"), right_excess=clients.worst)
        rounds = []
        for _ in range(ROUNDS):
            time.sleep(random.uniform(0, 3))
            self.model.corrupt()
            corrupted = self.phase(sampler, clients, HOLD, "corrupted")
            self.model.heal()
            healed = time.monotonic()
            served = sampler.wait_serving(6, 90)
            rounds.append({**corrupted, "healed": of_corruption(sampler.samples, healed)["healed"], "served": served})
            self.keep(rounds=rounds, refusal=sampler.first_refusal)
        self.model.corrupt()
        busy = [record(self.triton, self.folder / f"busy_{number}", 5) for number in range(3)]
        self.keep(recorded_busy=busy)
        clients.stop()
        self.keep(idle_both=self.phase(sampler, clients, IDLE, "idle"))
        self.end_agent("2 of 10")
        sampler.agents = {name: url for name, url in sampler.agents.items() if name in self.agents}
        time.sleep(2)
        self.keep(idle=self.phase(sampler, clients, IDLE, "idle"))
        self.model.heal()
        sampler.stop()
        self.keep(samples=[asdict(sample) for sample in sampler.samples])

    def end_agent(self, name: str) -> None:
        agent = self.agents.pop(name)
        agent.terminate()
        agent.wait(20)

    def phase(self, sampler: Sampler, clients: Clients, seconds: float, kind: str) -> dict[str, Any]:
        began, seen, said = time.monotonic(), clients.seen(), triton_counts(self.triton)
        time.sleep(seconds)
        samples = [sample for sample in list(sampler.samples) if sample.at >= began]
        found = of_good(samples) if kind == "good" else of_corruption(samples, began)
        now = triton_counts(self.triton)
        return {
            "seconds": time.monotonic() - began,
            "agents": found["agents"],
            "clients": {name: count - seen[name] for name, count in clients.seen().items()},
            "triton": {name: now[name] - count for name, count in said.items()},
            "ready": sorted({sample.triton_ready for sample in samples}),
            "model_ready": sorted({sample.model_ready for sample in samples}),
        }


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        experiment = Experiment(out, stack)
        try:
            experiment.before()
            experiment.watched()
        finally:
            for name in list(experiment.agents):
                experiment.end_agent(name)
    experiment.keep(precision=measure(experiment.devices))
    sys.stdout.write((out / "canary_instances.txt").read_text())


if __name__ == "__main__":
    main()
