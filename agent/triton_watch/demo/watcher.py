"""The agent as a process of its own, as a user would start it, beside the demo's server."""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from triton_watch.conventions.canary import CANARY_REASON
from triton_watch.demo.errors import EmbeddedTritonError
from triton_watch.demo.kept import KeptProcess
from triton_watch.demo.ports import LOOPBACK, is_free, pick_free

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from triton_watch.demo.embedded import EmbeddedTriton

START_SECONDS = 20.0
STOP_SECONDS = 8.0
CONFIG = """\
targets:
  - name: demo
    url: {http}
    grpc: "{grpc}"
    metrics_url: {metrics}
    interval: 2s
    timeouts: {{total: 1s}}
    model_repository: {repository}
web: {{listen: "{listen}"}}
slo: {{state_dir: {state}, flush_interval: 1s}}
canary: {{interval: 3s, timeout: 2s}}
"""


class WatcherProcess:
    """`triton-watch run` on an embedded Triton; `listen` is its host:port, `state` where it keeps budgets.

    Like the server, it has a keeper.
    """

    def __init__(self, triton: EmbeddedTriton, listen: str, state: Path) -> None:
        self.url = f"http://{listen}"
        self._config = CONFIG.format(
            http=triton.http_url,
            grpc=triton.grpc_address,
            metrics=triton.metrics_url,
            repository=json.dumps(str(triton.repository)),
            listen=listen,
            state=json.dumps(str(state)),
        )
        self._process: KeptProcess | None = None

    def start(self) -> Self:
        """Start it and wait until it has polled once. Raises `EmbeddedTritonError` when it does not."""
        folder = Path(tempfile.mkdtemp(prefix="triton-watch-"))
        file = folder / "triton-watch.yaml"
        file.write_text(self._config)
        command = [sys.executable, "-m", "triton_watch", "run", "--config", str(file)]
        self._process = KeptProcess(
            command, os.environ, folder=folder, log=folder / "agent.log", shm_prefix=f"{folder.name}-none"
        )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and not self._process.ended:
            if _is_ready(self.url):
                return self
            time.sleep(0.1)
        self._process.stop(STOP_SECONDS)
        words = self._process.tail.strip().removeprefix("triton-watch: ")
        raise EmbeddedTritonError(f"the watcher did not start on {self.url}: {words or 'it said nothing'}")

    def canaries(self) -> dict[str, str]:
        """How the last canary of each model ended, by model, as the watcher's metrics say."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=5) as answer:  # noqa: S310 - as below
            page = answer.read().decode()
        families = text_string_to_metric_families(page)
        return {
            sample.labels["model"]: sample.labels["reason"]
            for family in families
            if family.name == CANARY_REASON.name
            for sample in family.samples
        }

    def stop(self) -> None:
        """End it with SIGTERM."""
        if self._process is not None and not self._process.ended:
            self._process.stop(STOP_SECONDS)
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def free_address(listen: str | None, usual_port: int) -> str:
    """Return `listen` if it can be had; by default 127.0.0.1 with `usual_port`, or with a free one.

    Raises:
        EmbeddedTritonError: `listen` is no host:port, or is taken.

    """
    if listen is None:
        return next(f"{LOOPBACK}:{port}" for port in (usual_port, pick_free(set())) if is_free(port))
    host, _, port = listen.rpartition(":")
    try:
        with socket.create_server((host, int(port))):
            return listen
    except (OSError, OverflowError, ValueError) as error:
        words = str(error).rstrip(".")
        raise EmbeddedTritonError(
            f"the watcher cannot listen on {listen} ({words}): choose another host:port"
        ) from None


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
