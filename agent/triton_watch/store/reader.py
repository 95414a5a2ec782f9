"""Read a store without writing, whether its owner runs, was killed, or never comes back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from triton_watch.store.errors import CorruptError, NoStoreError, StoreError, decoding, foreign, storing
from triton_watch.store.load import load
from triton_watch.store.schema import STEPS, Steps, migrate, version_of
from triton_watch.store.status import Failure
from triton_watch.store.stored import FILE_NAME, StoredState

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADVICE = "name the state directory of a triton-watch (--state DIR)"
_BUSY = 2.0
"""Seconds to wait while the writer opens or closes the file."""


def read(folder: Path, steps: Steps = STEPS) -> StoredState:
    """The state in a directory, as of its last flush. It takes no lock and writes nothing there.

    Raises `NoStoreError`, `CorruptError`, `ForeignError`, `NewerError` or `StoreError`, with a sentence.
    """
    path = folder / FILE_NAME
    with storing(path):
        try:
            _look(folder, path)
        except PermissionError as error:
            raise StoreError(f"{path} may not be read", "do it as the user who owns it", Failure.READ_ONLY) from error
        alone = not _beside(path, "wal").exists()
        try:
            state = _read(path, steps)
        except CorruptError:
            if not (alone and _beside(path, "wal").exists()):
                raise
        else:
            if not (alone and _beside(path, "wal").exists()):
                return state
        return _read(path, steps)  # a writer has started meanwhile, and the file was not still while it was read


def identify(path: Path, steps: Steps = STEPS) -> None:
    """Say what is at `path` without touching it: SQLite would recover, and in the end checkpoint, a stranger's file.

    Raises `ForeignError`, `NewerError`, sqlite3.Error or OSError; nothing for a store of ours, or no file at all.
    """
    if path.exists() and not path.is_file():
        raise foreign(path)
    if path.exists() and not _is_empty(path):
        with opened(path) as connection:
            version_of(connection, path, steps)


def _look(folder: Path, path: Path) -> None:
    if not folder.is_dir():
        raise NoStoreError(f"{folder} is no directory", _ADVICE)
    if not path.exists():
        raise NoStoreError(f"{folder} has no {FILE_NAME}", _ADVICE)
    if not path.is_file():
        raise foreign(path)
    _is_empty(path)


def _is_empty(path: Path) -> bool:
    """Whether the file has no bytes. Raises OSError that says more than SQLite would."""
    with path.open("rb") as file:
        return not file.read(1)


def _read(path: Path, steps: Steps) -> StoredState:
    with opened(path) as connection, decoding(path):
        version = version_of(connection, path, steps)
        if version == len(steps):
            return load(connection).state
        if not version:
            return StoredState()
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
            connection.backup(copy)
            migrate(copy, path, steps)
            return load(copy).state


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing in the file's directory. Raises sqlite3.Error, OSError, `StoreError`.

    Without a log the file is complete, and is read as it is. With one, SQLite needs the index of the log: it is
    there while a writer lives and after it was killed. Where it is not, or may not be used, SQLite would have to
    write it; then a copy is read. To ignore the log would be to read half a checkpoint.
    """
    log, index = _beside(path, "wal"), _beside(path, "shm")
    if not log.exists():
        with _connected(path, "immutable=1") as connection:
            yield connection
    elif index.exists() and _works(path):
        with _connected(path, "mode=ro") as connection:
            yield connection
    else:
        with TemporaryDirectory(prefix="triton-watch-") as place:
            for file in (path, log):
                shutil.copyfile(file, Path(place) / file.name)
            with _connected(Path(place) / path.name, "mode=rw") as connection:
                yield connection


def _works(path: Path) -> bool:
    try:
        with _connected(path, "mode=ro") as connection:
            connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        return False
    return True


@contextmanager
def _connected(path: Path, how: str) -> Iterator[sqlite3.Connection]:
    address = f"{path.resolve().as_uri()}?{how}"
    with closing(sqlite3.connect(address, uri=True, timeout=_BUSY, isolation_level=None)) as connection:
        yield connection


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}-{suffix}")
