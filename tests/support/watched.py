"""A real Triton whose models a test may break, and an agent that watches it with canaries."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import requests

from support.agent import Agent
from support.canary_models import Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from triton_watch.demo import EmbeddedTriton

INTERVAL = 4.0
"""Seconds between two canaries."""
POLL = 0.5
X = {"name": "X", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}


class Watched:
    """A server, its models, and an agent that watches it."""

    def __init__(self, triton: EmbeddedTriton, repository: Path, agent: Agent) -> None:
        self.triton = triton
        self.repository = repository
        self.agent = agent
        self.switch = Switch(repository)

    def serving(self, model: str | None = None) -> int:
        return self.agent.get("/-/serving" + (f"?model={model}" if model else "")).status_code

    def why(self, model: str) -> str:
        return self.agent.get(f"/-/serving?model={model}").text

    def metric(self, name: str, model: str, **labels: str) -> float | None:
        pairs = sorted({"model": model, "target": "t", "version": "1", **labels}.items())
        text = ",".join(f'{key}="{value}"' for key, value in pairs)
        return self.agent.metric(f"triton_watch_{name}{{{text}}}")

    def until(self, condition: Callable[[], bool], within: float = 30.0) -> float:
        """Seconds until the condition holds; fails after `within`."""
        begin = time.monotonic()
        while not condition():
            assert time.monotonic() - begin < within, self.agent.log
            time.sleep(0.1)
        return time.monotonic() - begin

    def ask(self, model: str, timeout: float = 20.0) -> int:
        url = f"{self.triton.http_url}/v2/models/{model}/infer"
        return requests.post(url, json={"inputs": [X]}, timeout=timeout).status_code

    def is_ready(self, model: str) -> bool:
        paths = ("health/ready", f"models/{model}/ready")
        return all(requests.get(f"{self.triton.http_url}/v2/{path}", timeout=5).status_code == 200 for path in paths)

    def repository_api(self, verb: str, model: str) -> None:
        url = f"{self.triton.http_url}/v2/repository/models/{model}/{verb}"
        assert requests.post(url, timeout=30).status_code == 200


def configuration(triton: EmbeddedTriton, **canary: Any) -> dict[str, Any]:
    target = {
        "name": "t",
        "url": triton.http_url,
        "grpc": triton.grpc_address,
        "metrics_url": triton.metrics_url,
        "interval": f"{POLL}s",
        "timeouts": {"total": "400ms"},
    }
    canaries = {"name": "canaries", "sli": "canary", "objective": "90%", "min_events": 1}
    up = {"name": "up", "sli": "availability", "objective": "90%"}
    return {
        "targets": [target],
        "web": {"listen": "LISTEN"},
        "canary": {
            "interval": f"{INTERVAL}s",
            "timeout": "2s",
            "overrides": [{"models": "overloaded", "timeout": "3500ms"}],  # it takes 2 s
            **canary,
        },
        "slo": {
            "state_dir": "none",
            "objectives": [canaries, up],
        },
    }


@contextmanager
def watching(folder: Path, triton: EmbeddedTriton, repository: Path, **canary: Any) -> Iterator[Watched]:
    folder.mkdir(exist_ok=True)
    config = folder / "triton-watch.yaml"
    agent = Agent(folder, "--config", str(config), "--state", "none", start=False)
    config.write_text(json.dumps(configuration(triton, **canary)).replace("LISTEN", agent.listen))
    agent.start()
    try:
        agent.wait_ready()
        yield Watched(triton, repository, agent)
    finally:
        agent.end()
