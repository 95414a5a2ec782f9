"""The load as a process of its own, so that its work does not slow down what watches the server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from triton_watch.demo.tally import ClientView, read_views

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from triton_watch.demo.embedded import EmbeddedTriton

STOP_SECONDS = 10.0


class Load:
    """Sends requests to the example models of an embedded Triton, from `start` to `stop`."""

    def __init__(self, triton: EmbeddedTriton, *, duration: float = 0.0) -> None:
        """`duration` is in seconds; 0 sends until `stop`."""
        self._folder = tempfile.TemporaryDirectory(prefix="triton-watch-load-")
        self._out = Path(self._folder.name) / "clients.json"
        self._command = [
            *(sys.executable, "-m", "triton_watch.demo.load"),
            *("--http", triton.http_url),
            *("--grpc", triton.grpc_address),
            *("--out", str(self._out)),
            *("--duration", str(duration)),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._last: tuple[ClientView, ...] = ()

    @property
    def pid(self) -> int | None:
        """The process id; None when it is not running."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def start(self) -> Self:
        """Start sending."""
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            self._command, stdin=subprocess.DEVNULL, start_new_session=True
        )
        return self

    def clients(self) -> tuple[ClientView, ...]:
        """What clients saw so far, by model; at most a second old. After `stop`: all that they saw."""
        if self._out.exists():
            self._last = read_views(self._out)
        return self._last

    def stop(self) -> tuple[ClientView, ...]:
        """End the load in good order; what its clients saw."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self.clients()
            self._process = None
            self._folder.cleanup()
        return self._last

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
