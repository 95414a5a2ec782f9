"""No healthy model is ever reported: canaries under load, with every kind of model, for as long as one likes.

CI does it for less than a minute; `make soak` for ten.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

import requests

from support.canary_models import copied
from support.watched import watching
from triton_watch.demo import EmbeddedTriton

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = float(os.environ.get("TRITON_WATCH_SOAK", "25"))
HEALTHY = (
    *("bf16", "cached", "dynamic_dims", "every_type", "good", "good_no_batch", "noisy", "optional_in", "pipeline"),
    *("prompt", "random", "reshaped", "sequence", "sequence_no_id", "slow", "stream", "two_versions"),
)
X = {"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [4, 3, 2, 1]}
LOADED = ("cached", "good", "noisy", "pipeline", "random", "slow", "two_versions")


def send(url: str, model: str, stop: threading.Event, statuses: list[int]) -> None:
    body: dict[str, Any] = {"inputs": [X]}
    with requests.Session() as session:
        while not stop.is_set():
            statuses.append(session.post(f"{url}/v2/models/{model}/infer", json=body, timeout=30).status_code)


def test_under_load_no_canary_of_a_healthy_model_ever_fails(tmp_path: Path) -> None:
    repository = copied(tmp_path / "models", *HEALTHY)
    stop, statuses = threading.Event(), list[int]()
    with (
        EmbeddedTriton(repository, workdir=tmp_path) as triton,
        watching(tmp_path / "agent", triton, repository, interval="3s", timeout="2500ms", overrides=[]) as one,
    ):
        threads = [
            threading.Thread(target=send, args=(triton.http_url, model, stop, statuses), daemon=True)
            for model in LOADED
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + SECONDS
        verdicts = set()
        one.until(lambda: one.serving() == 200)
        while time.monotonic() < end:
            verdicts.add(one.agent.get("/-/serving").text)
            time.sleep(0.5)
        page = one.agent.get("/metrics").text
        stop.set()
        for thread in threads:
            thread.join()
    runs = [line for line in page.splitlines() if line.startswith("triton_watch_canary_runs_total")]
    ran = sum(float(line.rsplit(" ", 1)[1]) for line in runs)
    assert ran > SECONDS * len(HEALTHY) / 6, runs
    assert [line for line in runs if 'reason="ok"' not in line] == [], one.agent.log
    assert verdicts == {"serving\n"}
    assert set(statuses) == {200}
