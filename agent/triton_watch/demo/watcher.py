"""The agent as a process of its own, as a user would start it, beside the demo's server."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from triton_watch.demo.errors import EmbeddedTritonError

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from triton_watch.demo.embedded import EmbeddedTriton

START_SECONDS = 20.0
STOP_SECONDS = 8.0
INTERVAL = "2s"


class WatcherProcess:
    """`triton-watch run` on an embedded Triton; `listen` is its host:port."""

    def __init__(self, triton: EmbeddedTriton, listen: str) -> None:
        self.url = f"http://{listen}"
        self._log = tempfile.NamedTemporaryFile(prefix="triton-watch-", suffix=".log")  # noqa: SIM115 - closed by stop
        self._command = [
            *(sys.executable, "-m", "triton_watch", "run"),
            *(
                "--target",
                triton.http_url,
                "--grpc",
                triton.grpc_address,
                "--metrics-url",
                triton.metrics_url,
            ),
            *("--interval", INTERVAL, "--timeout", "1s", "--listen", listen),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it has polled once. Raises `EmbeddedTritonError` when it does not."""
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            self._command, stdin=subprocess.DEVNULL, stderr=self._log, start_new_session=True
        )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            if _is_ready(self.url):
                return self
            time.sleep(0.1)
        log = Path(self._log.name).read_text(encoding="utf-8", errors="replace").strip()
        self.stop()
        raise EmbeddedTritonError(f"the watcher did not start on {self.url}: {log or 'it said nothing'}")

    def stop(self) -> None:
        """End it with SIGTERM."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        self._log.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def usual_or_free(port: int) -> str:
    """Return 127.0.0.1 with `port`, or with any free one where that is taken."""
    for candidate in (port, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return f"127.0.0.1:{probe.getsockname()[1]}"
    raise EmbeddedTritonError("there is no free port on 127.0.0.1 for the watcher")


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
