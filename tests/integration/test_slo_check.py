"""`triton-watch slo check --target` on the real server: what its models have, and what it cannot know."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton

OBJECTIVES = """
slo:
  objectives:
    - {name: answers, sli: availability, objective: 99%}
    - {name: waits, sli: queue_time, threshold: 50ms, objective: 99%}
    - {name: served-p99, sli: request_time, quantile: 0.99, threshold: 1s, objective: 99%, models: ranker}
    - {name: odd-quantile, sli: request_time, quantile: 0.42, threshold: 1s, objective: 99%, models: ranker}
    - {name: token, sli: ttft, threshold: 500ms, objective: 99%, models: ranker}
    - {name: nobody, sli: availability, objective: 98%, models: no_such_*}
"""
BODY = {"inputs": [{"name": "FEATURES", "shape": [1, 12], "datatype": "FP32", "data": [0.5] * 12}]}


class _Traffic:
    """Asks `ranker` all the time while it is entered."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/v2/models/ranker/infer"
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(0.01):
            requests.post(self._url, json=BODY, timeout=10).raise_for_status()


def check(server: EmbeddedTriton, path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    urls = ("--target", server.http_url, "--metrics-url", server.metrics_url, "--timeout", "8s")
    command = [sys.executable, "-m", "triton_watch", "slo", "check", str(path), *urls, *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_a_real_server_is_asked_what_it_has(triton: EmbeddedTriton, tmp_path: Path) -> None:
    path = tmp_path / "slo.yaml"
    path.write_text(OBJECTIVES)
    with _Traffic(triton.http_url):
        done = check(triton, path, "--json")
    assert done.stderr == ""
    data = json.loads(done.stdout)
    found: dict[str, dict[str, Any]] = {
        one["name"]: {model["model"]: model for model in one["models_covered"]} for one in data["objectives"]
    }
    assert found["answers"]["ranker"]["value"] == 1.0
    assert 0 < found["waits"]["ranker"]["value"] < 1
    assert 0 < found["served-p99"]["ranker"]["value"] < 5
    assert {one["no_data"] for name, one in found["answers"].items() if name != "ranker"} == {"no traffic"}
    assert found["nobody"] == {}
    about = [warning.split()[0] for warning in data["warnings"]]
    assert about == ["odd-quantile", "token", "nobody"]
    assert done.returncode == 1


def test_objectives_that_a_real_server_has_the_data_for_are_good(triton: EmbeddedTriton, tmp_path: Path) -> None:
    path = tmp_path / "triton-watch.yaml"
    path.write_text("targets: [{host: not-asked}]\n")
    done = check(triton, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert " ".join(done.stdout.split()).endswith("as it has none; 1 of 1 servers answered, 0 warnings")
