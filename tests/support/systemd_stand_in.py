"""What systemd does with a service of Type=notify, done by a test: start it, hear it, reload it, end it."""

from __future__ import annotations

import os
import signal
import socket
import struct
import time
from typing import TYPE_CHECKING, NamedTuple

from support.machine import IS_ROOT, NOTIFY, Machine
from support.systemd_unit import settings

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

PATIENCE = 30.0
_CREDENTIALS = struct.Struct("3i")


class Said(NamedTuple):
    """One datagram, and the process and user that the kernel names as its sender."""

    lines: tuple[str, ...]
    pid: int
    uid: int


class Service:
    """The service of a unit on a machine, from `start` to the end of the block. Signals go to its main process."""

    def __init__(self, machine: Machine, unit: Path) -> None:
        self.machine = machine
        self.unit = unit
        # Seen from here, all users of the machine of somebody who is not root are that somebody.
        self.uid = machine.user(settings(unit)["User"][0])[0] if IS_ROOT else os.geteuid()
        self.main = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._log = machine.root.parent / f"{machine.root.name}.log"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        path = machine.root / NOTIFY
        path.unlink(missing_ok=True)
        self._socket.bind(str(path))
        path.chmod(0o666)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what still runs of it."""
        self._socket.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text()

    def start(self) -> Said:
        """Start it, and wait until it says that it is ready."""
        with self._log.open("w") as log:
            self.process = self.machine.service(self.unit, log)
        said = self.hear("READY=1")
        self.main = said.pid
        return said

    def run(self, *command: str) -> str:
        """What another command says in the service's place."""
        with self._log.open("w") as log:
            self.machine.service(self.unit, log, list(command)).wait(PATIENCE)
        return self.log

    def hear(self, line: str, within: float = PATIENCE) -> Said:
        """Wait for a datagram with this line; others before it are passed over."""
        end = time.monotonic() + within
        while True:
            self._socket.settimeout(max(0.01, end - time.monotonic()))
            try:
                text, attached, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
            except TimeoutError:
                raise AssertionError(f"no {line} in {within:.0f} s; its log:\n{self.log}") from None
            pid, uid, _ = _CREDENTIALS.unpack(attached[0][2])
            said = Said(tuple(text.decode().splitlines()), pid, uid)
            if line in said.lines:
                return said

    def reload(self) -> Said:
        os.kill(self.main, signal.SIGHUP)
        self.hear("RELOADING=1")
        return self.hear("READY=1")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it; return the exit code."""
        assert self.process is not None
        os.kill(self.main, number)
        return self.process.wait(PATIENCE)
