"""All the ways in which a store can fail, as one tree; `kind` says which of `status.Failure` it is.

StoreError          cannot be written, or not now: no room, no permission, an error of the system
├── StoreBusyError  another process writes into the directory
├── NoStoreError    nothing is there to be read
├── CorruptError    a store of ours, damaged
├── ForeignError    the file is something else
└── NewerError      written by a newer triton-watch

The text is one sentence for a person: what failed, where, what to do.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from triton_watch.store.status import Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class StoreError(Exception):
    """The store cannot be used, or not now. `what` is the text without its advice."""

    kind = Failure.IO

    def __init__(self, what: str, advice: str, kind: Failure | None = None) -> None:
        self.what = what
        self.kind = kind or type(self).kind
        super().__init__(f"{what}: {advice}")


class StoreBusyError(StoreError):
    """Another process writes into the directory."""


class NoStoreError(StoreError):
    """There is no directory, or no store in it."""


class CorruptError(StoreError):
    """The file is a store of triton-watch, and damaged."""

    kind = Failure.CORRUPT


class ForeignError(StoreError):
    """The file has the store's name and is something else."""

    kind = Failure.FOREIGN


class NewerError(StoreError):
    """The file has a schema that this version does not know."""

    kind = Failure.NEWER


class DamageError(ValueError):
    """Bytes that were read are not what was written. It never leaves this package: see `decoding` and `storing`."""


_MESSAGES = {
    "database or disk is full": Failure.FULL,
    "attempt to write a readonly database": Failure.READ_ONLY,
    "unable to open database file": Failure.IO,
    "disk I/O error": Failure.IO,
    "database is locked": Failure.IO,
    "database table is locked": Failure.IO,
    "locking protocol": Failure.IO,
    "access permission denied": Failure.READ_ONLY,
    "interrupted": Failure.IO,
}
"""SQLite's own texts (sqlite3ErrStr in main.c). Python has the codes only since 3.11, and we start at 3.10."""

_ERRNOS = {
    errno.ENOSPC: Failure.FULL,
    errno.EDQUOT: Failure.FULL,
    errno.EROFS: Failure.READ_ONLY,
    errno.EACCES: Failure.READ_ONLY,
    errno.EPERM: Failure.READ_ONLY,
}

_ADVICE = {
    Failure.FULL: "make room there",
    Failure.READ_ONLY: "make it writable for this user, or give another state directory (--state DIR)",
    Failure.IO: "look at the file system",
}

_UNREADABLE = (TypeError, ValueError, KeyError, OverflowError)
"""What damaged bytes end in when they are decoded."""


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Raise `CorruptError` for whatever damaged bytes of the file at `path` end in."""
    try:
        yield
    except _UNREADABLE as error:
        raise corrupt(path, str(error)) from error


@contextmanager
def storing(path: Path) -> Iterator[None]:
    """Raise a `StoreError` for every error of SQLite or the system while working at `path`."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # ours, not the disk's
    except DamageError as error:
        raise corrupt(path, str(error)) from error
    except sqlite3.Error as error:
        raise _of_sqlite(path, error) from error
    except OSError as error:
        kind = _ERRNOS.get(error.errno or 0, Failure.IO)
        raise _unwritable(path, error.strerror or str(error), kind) from error


def corrupt(path: Path, why: str) -> CorruptError:
    """The error for a damaged store; `why` is what was found."""
    return CorruptError(f"{path} is damaged ({why})", "restore it from a backup, or remove it to begin anew")


def foreign(path: Path) -> ForeignError:
    """The error for a file that is something else."""
    return ForeignError(f"{path} is not a store of triton-watch", "move it away, or name another directory")


def _of_sqlite(path: Path, error: sqlite3.Error) -> StoreError:
    text = str(error)
    if "file is not a database" in text:
        return foreign(path)
    kind = _MESSAGES.get(text)
    if kind is Failure.IO and not os.access(path.parent, os.W_OK, effective_ids=True):
        kind = Failure.READ_ONLY  # SQLite does not say why it cannot make a log beside the file
    # What SQLite says besides (malformed, no such table, a constraint failed) no healthy file of ours makes it say.
    return corrupt(path, text) if kind is None else _unwritable(path, text, kind)


def _unwritable(path: Path, why: str, kind: Failure) -> StoreError:
    return StoreError(f"{path} cannot be used ({why})", _ADVICE[kind], kind)
