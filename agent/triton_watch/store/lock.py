"""One writer a state directory."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from triton_watch.store.errors import StoreBusyError, storing

if TYPE_CHECKING:
    from pathlib import Path

LOCK_NAME = "slo.lock"
_LONGEST = 288
"""Bytes of a lock's file: a process id, and a name of a host, of which POSIX has 255."""


class DirectoryLock:
    """The right to write into a directory, until `release` or the end of the process, however it ends.

    Raises `StoreBusyError` when another process has it, `StoreError` when the system gives none.
    """

    # flock, not lockf: a lock of lockf is gone as soon as the process closes the file anywhere else.
    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        with storing(self._path):
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, f"{os.getpid()} {os.uname().nodename}\n".encode(), 0)
            except BlockingIOError as error:
                owner = os.pread(self._file, _LONGEST, 0).decode("ascii", "replace").strip()
                self.release()
                raise _busy(folder, owner) from error
            except OSError:
                self.release()
                raise

    def holds(self) -> bool:
        """Whether the file that is locked still has its name: else others can lock another one."""
        try:
            return os.fstat(self._file).st_ino == self._path.stat().st_ino
        except OSError:
            return False

    def release(self) -> None:
        """Give the right back. The file stays: to remove it would let two processes lock two files of its name."""
        with suppress(OSError):
            os.close(self._file)


def _busy(folder: Path, owner: str) -> StoreBusyError:
    """The error, with what the file says of who has it: `4711 gpu-7`, or `4711` of versions before.

    In containers process ids are alike, and the name of the host is the container's or the pod's.
    """
    number, _, host = owner.partition(" ")
    who = f"the triton-watch with process id {number}" if number.isdigit() else "another triton-watch"
    if number.isdigit() and host and host.isprintable():
        who += f" on {host}"
    return StoreBusyError(
        f"{folder} is in use by {who}", "stop it, or give this one another state directory (--state DIR)"
    )
