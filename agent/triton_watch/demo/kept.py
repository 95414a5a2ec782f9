"""A server process in the hands of `keeper.py`, seen from the parent."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from triton_watch.demo.errors import EmbeddedTritonError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEEPER = Path(__file__).with_name("keeper.py")
ORPHAN_GRACE_SECONDS = 45.0
"""How long the keeper waits for an orderly end before SIGKILL; Triton's own limit is 30 seconds."""


class KeptProcess:
    """A started server. It ends with `stop`, or by itself, or soon after this process has ended.

    `pid` is the server's process id. `exit_status` and `tail` (the end of its log) are known once `ended`.
    """

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], *, folder: Path, log: Path, shm_prefix: str
    ) -> None:
        self.exit_status: int | None = None
        self.tail = ""
        self._keeper = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", str(KEEPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        order = {
            "command": list(command),
            "env": dict(env),
            "folder": str(folder),
            "log": str(log),
            "shm_prefix": shm_prefix,
            "grace": ORPHAN_GRACE_SECONDS,
        }
        with contextlib.suppress(BrokenPipeError):
            self._stdin.write(json.dumps(order).encode() + b"\n")
            self._stdin.flush()
        answer = self._answer()
        if "pid" not in answer:
            self._close()
            raise EmbeddedTritonError(f"tritonserver did not start: {answer.get('error', 'its keeper died')}")
        self.pid = int(answer["pid"])

    @property
    def ended(self) -> bool:
        """Whether the server has ended and all that it left is removed."""
        if self._keeper.poll() is not None and not self._stdout.closed:
            self._close()
        return self._stdout.closed

    def stop(self, grace: float) -> None:
        """Ask for an orderly end, kill the server after `grace` seconds, return when all is cleaned up."""
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        try:
            self._keeper.wait(grace)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self._close()

    def _close(self) -> None:
        """Take the keeper's last words and wait for its end."""
        if not self._stdout.closed:
            with self._stdout:
                end = self._answer()
            self.exit_status = end.get("status")
            self.tail = end.get("tail", "")
        with contextlib.suppress(BrokenPipeError):
            self._stdin.close()
        self._keeper.wait()

    def _answer(self) -> dict[str, Any]:
        """The keeper's next line; empty when it died without one."""
        line = self._stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {}
        return answer

    @property
    def _stdin(self) -> IO[bytes]:
        return _pipe(self._keeper.stdin)

    @property
    def _stdout(self) -> IO[bytes]:
        return _pipe(self._keeper.stdout)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    """A pipe that Popen was asked for."""
    if pipe is None:
        raise AssertionError("the keeper was started with pipes")
    return pipe
