"""The watcher on a real Triton with real GPUs: run by hand on a GPU machine, see docs/performance.md.

It makes two torch models in a Python backend, one on all GPUs and one on GPU 0 alone, loads both, runs
`triton-watch run` beside them, and writes what everybody said into a folder: Triton's pages, the agent's
page, the status table and JSON.

    python tests/gpu/watch_gpus.py OUT
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import requests

from triton_watch.demo import EmbeddedTriton

LOAD_SECONDS = 40
MODEL = """
import torch
import torch.utils.dlpack
import triton_python_backend_utils as pb

class TritonPythonModel:
    def initialize(self, args):
        self.device = torch.device("cuda", int(args["model_instance_device_id"]))
        self.weights = torch.randn({size}, {size}, device=self.device, dtype=torch.bfloat16)

    def execute(self, requests):
        answers = []
        x = self.weights
        for _ in range({rounds}):
            x = torch.nn.functional.normalize(x @ self.weights)
        torch.cuda.synchronize(self.device)
        for request in requests:
            values = pb.get_input_tensor_by_name(request, "X").as_numpy()
            answers.append(pb.InferenceResponse([pb.Tensor("Y", values)]))
        return answers
"""
CONFIG = """
backend: "python"
max_batch_size: 16
input [ {{ name: "X" data_type: TYPE_FP32 dims: [ 4 ] }} ]
output [ {{ name: "Y" data_type: TYPE_FP32 dims: [ 4 ] }} ]
dynamic_batching {{ max_queue_delay_microseconds: 2000 }}
instance_group [ {{ count: 1 kind: KIND_GPU {gpus} }} ]
"""
MODELS = {"encoder": ("", 8192, 40), "ranker": ("gpus: [ 0 ]", 4096, 40)}
"""Name -> which GPUs, size of the matrices, products a batch."""


def make_repository(folder: Path) -> Path:
    for name, (gpus, size, rounds) in MODELS.items():
        version = folder / name / "1"
        version.mkdir(parents=True)
        (version / "model.py").write_text(MODEL.format(size=size, rounds=rounds))
        (version.parent / "config.pbtxt").write_text(CONFIG.format(gpus=gpus))
    return folder


def send(url: str, model: str, end: float) -> None:
    body = {"inputs": [{"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}
    with requests.Session() as session:
        while time.monotonic() < end:
            session.post(f"{url}/v2/models/{model}/infer", json=body, timeout=30).raise_for_status()


def gpu_uuids() -> list[str]:
    listing = subprocess.run(
        ["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"], check=True, capture_output=True, text=True
    )
    return listing.stdout.split()


def fetch(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return str(answer.read().decode())


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    uuids = gpu_uuids()
    with tempfile.TemporaryDirectory() as folder, EmbeddedTriton(make_repository(Path(folder) / "models")) as triton:
        (out / "idle.txt").write_text(fetch(triton.metrics_url))
        config = Path(folder) / "triton-watch.yaml"
        target = {
            "name": "h200", "url": triton.http_url, "grpc": triton.grpc_address,
            "metrics_url": triton.metrics_url, "interval": "2s", "timeouts": {"total": "1s"},
        }  # fmt: skip
        untold, told = {**target, "name": "untold"}, {**target, "gpus": uuids}
        config.write_text(json.dumps({"targets": [untold, told], "web": {"listen": "127.0.0.1:8003"}}))
        agent = subprocess.Popen([sys.executable, "-m", "triton_watch", "run", "--config", str(config)])
        end = time.monotonic() + LOAD_SECONDS
        threads = [
            threading.Thread(target=send, args=(triton.http_url, name, end)) for name in MODELS for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        time.sleep(15)
        (out / "load_15s.txt").write_text(fetch(triton.metrics_url))
        urls = ["--target", triton.http_url, "--metrics-url", triton.metrics_url]
        for name, flags in (("status.txt", []), ("status.json", ["--json"])):
            command = [sys.executable, "-m", "triton_watch", "status", *urls, "--wait", "5s", *flags]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            (out / name).write_text(done.stdout + done.stderr)
        (out / "load_30s.txt").write_text(fetch(triton.metrics_url))
        (out / "agent.txt").write_text(fetch("http://127.0.0.1:8003/metrics"))
        for thread in threads:
            thread.join()
        agent.terminate()
        agent.wait(10)
    sys.stdout.write((out / "status.txt").read_text())
    for line in (out / "agent.txt").read_text().splitlines():
        if "gpu" in line or "energy" in line or "resident_memory" in line:
            sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
