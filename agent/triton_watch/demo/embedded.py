"""A real tritonserver beside this process, on the loopback address, cleaned up whatever happens.

`with EmbeddedTriton(example_repository()) as triton:` gives a server whose `http_url` answers.
"""

from __future__ import annotations

import http.client
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from triton_watch.demo.command import prepare_folder, server_command, server_environment, with_extra
from triton_watch.demo.errors import EmbeddedTritonError
from triton_watch.demo.kept import KeptProcess
from triton_watch.demo.machine import new_folder, require_machine, require_shared_memory
from triton_watch.demo.ports import LOOPBACK, Ports, choose_ports, require_free
from triton_watch.demo.wheel import find_server_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

START_SECONDS = 90.0
STOP_SECONDS = 45.0
FAILED_START_STOP_SECONDS = 5.0
POLL_SECONDS = 0.05
TAIL_LINES = 12
TAIL_LINE_LENGTH = 300


class EmbeddedTriton:
    """One tritonserver. Ports that are 0 are picked once, so a stopped server starts again where it was.

    `extra_args` are flags of tritonserver, and win over ours of the same name. The server's files go
    into a new folder inside `workdir` (default: the system's folder for temporary files) that ends with
    the server; so does the log, unless `log_file` says where to append it.
    """

    def __init__(
        self,
        repository: Path,
        *,
        http_port: int = 0,
        grpc_port: int = 0,
        metrics_port: int = 0,
        extra_args: Sequence[str] = (),
        log_file: Path | None = None,
        workdir: Path | None = None,
        strict_readiness: bool = True,
    ) -> None:
        self.repository = Path(repository).resolve()
        self.ports: Ports = choose_ports(http_port, grpc_port, metrics_port)
        self._extra_args = tuple(extra_args)
        self._given_log = log_file.resolve() if log_file is not None else None
        self._log = self._given_log
        self._workdir = workdir
        self._strict_readiness = strict_readiness
        self._process: KeptProcess | None = None

    @property
    def http_url(self) -> str:
        """Root of the HTTP API, without a slash at its end."""
        return f"http://{LOOPBACK}:{self.ports.http}"

    @property
    def grpc_address(self) -> str:
        """`host:port` of the gRPC API."""
        return f"{LOOPBACK}:{self.ports.grpc}"

    @property
    def metrics_url(self) -> str:
        """URL of the metrics page."""
        return f"http://{LOOPBACK}:{self.ports.metrics}/metrics"

    @property
    def pid(self) -> int:
        """Process id of tritonserver itself. Raises `EmbeddedTritonError` when it was never started."""
        return self._started.pid

    @property
    def running(self) -> bool:
        """Whether the server's process is there."""
        return self._process is not None and not self._process.ended

    @property
    def log_file(self) -> Path:
        """Where the server logs. Raises `EmbeddedTritonError` before the start when no file was given."""
        if self._log is None:
            raise EmbeddedTritonError("this embedded Triton was never started, so it has no log yet")
        return self._log

    def log_tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines of the server's log, after its end too."""
        if self.running:
            text = self.log_file.read_text(encoding="utf-8", errors="replace")
        else:
            text = self._started.tail
        return "\n".join(line[:TAIL_LINE_LENGTH] for line in text.splitlines()[-lines:])

    def start(self, timeout: float = START_SECONDS) -> Self:
        """Start the server and wait until it is live and serves metrics, at most `timeout` seconds.

        Raises `EmbeddedTritonError`, one sentence, when something is missing, the server ends early (with
        the last lines of its log) or is not live in time.
        """
        if self.running:
            raise EmbeddedTritonError(f"this embedded Triton runs already, as process {self.pid}")
        self._process = self._launch()
        try:
            self._wait_until_live(timeout)
        except BaseException:
            self.stop(FAILED_START_STOP_SECONDS)
            raise
        return self

    def stop(self, grace: float = STOP_SECONDS) -> None:
        """End the server in good order, or by SIGKILL after `grace` seconds; nothing of it is left."""
        if self._process is not None:
            self._process.stop(grace)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _started(self) -> KeptProcess:
        if self._process is None:
            raise EmbeddedTritonError("this embedded Triton was never started")
        return self._process

    def _launch(self) -> KeptProcess:
        """Check what the server needs, lay its folder out, start it."""
        require_machine()
        if not self.repository.is_dir():
            raise EmbeddedTritonError(f"the model repository {self.repository} is not a folder")
        require_shared_memory(sum(1 for path in self.repository.iterdir() if path.is_dir()))
        files = find_server_files()
        for purpose, port in self.ports._asdict().items():
            require_free(port, f"Triton's {purpose} port")
        folder = new_folder(self._workdir)
        self._log = self._given_log or folder / "tritonserver.log"
        prefix = f"triton_watch_{uuid.uuid4().hex[:12]}_"
        prepare_folder(files, folder, self.repository)
        command = with_extra(
            server_command(files, folder, self.ports, prefix, strict_readiness=self._strict_readiness),
            self._extra_args,
        )
        return KeptProcess(command, server_environment(files), folder=folder, log=self._log, shm_prefix=prefix)

    def _wait_until_live(self, timeout: float) -> None:
        """Return when the server answers; raise when it has ended or the time is up."""
        deadline = time.monotonic() + timeout
        while not (_answers(self.ports.http, "/v2/health/live") and _answers(self.ports.metrics, "/metrics")):
            if not self.running:
                end = _ending(self._started.exit_status)
                raise EmbeddedTritonError(f"tritonserver ended with {end}; its log ends:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise EmbeddedTritonError(f"not live after {timeout:g} seconds; its log ends:\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)


def _ending(status: int | None) -> str:
    """How a process ended, in words."""
    if status is not None and status < 0:
        return f"signal {-status}"
    return f"status {status}" if status is not None else "an unknown status"


def _answers(port: int, path: str) -> bool:
    """Whether GET of the path is answered with 200; the metrics port opens some 40 ms after HTTP."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
