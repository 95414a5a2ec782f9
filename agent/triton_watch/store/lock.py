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
                os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)
            except BlockingIOError as error:
                owner = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
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
    who = f"the triton-watch with process id {owner}" if owner.isdigit() else "another triton-watch"
    return StoreBusyError(
        f"{folder} is in use by {who}", "stop it, or give this one another state directory (--state DIR)"
    )
