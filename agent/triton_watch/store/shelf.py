"""The state directory with its lock and its file: opened as often as it takes, bad files put out of the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.store.aside import set_aside
from triton_watch.store.errors import CorruptError, ForeignError, StoreError, storing
from triton_watch.store.lock import DirectoryLock
from triton_watch.store.sqlite import SqliteStore
from triton_watch.store.status import Failure
from triton_watch.store.stored import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BAD_FILES = (Failure.CORRUPT, Failure.FOREIGN)


class Shelf:
    """What of `folder` this process holds. `on_aside` is told why a file was set aside, and where it is now.

    `now` gives Unix seconds. Every method raises `StoreError`.
    """

    def __init__(self, folder: Path, *, now: Callable[[], float], on_aside: Callable[[StoreError, Path], None]) -> None:
        self.path = folder / FILE_NAME
        self.store: SqliteStore | None = None
        self._folder = folder
        self._now = now
        self._on_aside = on_aside
        self._lock: DirectoryLock | None = None

    def open(self) -> SqliteStore:
        """Make what is missing, lock the directory, open the file; a bad one is set aside and a new one begun.

        Raises `StoreBusyError` where another process writes, `NewerError` for a file that must be left alone.
        """
        self._take()
        try:
            self.store = SqliteStore(self.path)
        except (CorruptError, ForeignError) as error:
            self.set_aside(error)
            self.store = SqliteStore(self.path)
        return self.store

    def mend(self, error: StoreError) -> None:
        """After an error of the open file: close it, and begin a new one if the file was to blame."""
        self.shut()
        if error.kind in _BAD_FILES:
            self.set_aside(error)
            self.open()

    def set_aside(self, error: StoreError, reason: str = "") -> None:
        """Put the file out of the way because of `error`; `reason` is what its new name says, else the error's kind."""
        self.shut()
        with storing(self.path):
            self._on_aside(error, set_aside(self.path, reason or error.kind.value, self._now()))

    def shut(self) -> None:
        """Close the file; the directory stays ours."""
        if self.store is not None:
            self.store.close()
            self.store = None

    def close(self) -> None:
        """Close the file and give the directory back."""
        self.shut()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _take(self) -> None:
        if self._lock is not None and not self._lock.holds():
            self.close()
        if self._folder.exists() and not self._folder.is_dir():
            raise StoreError(f"{self._folder} is no directory", "give another state directory (--state DIR)")
        with storing(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = self._lock or DirectoryLock(self._folder)
