"""Reading a repository's files without ever leaving it, blocking on a device or reading too much."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

MOST_ENTRIES = 20_000
"""Entries of one directory that are looked at; beyond it the directory is reported and cut."""
MOST_CONFIG_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """One name in a directory. Symbolic links are followed once, when this is made.

    `link` is the text of a symbolic link, or None. `problem` says why nothing can be read of it: broken
    link, loop, no permission. `size` is in bytes.
    """

    name: str
    path: Path
    is_dir: bool = False
    is_file: bool = False
    size: int = 0
    link: str | None = None
    problem: str | None = None

    @property
    def special(self) -> bool:
        """A device, a pipe or a socket: never opened."""
        return not (self.is_dir or self.is_file or self.problem)

    def folder(self) -> Folder:
        """Read the directory (an empty one when it is none)."""
        return read_folder(self.path)


@dataclass(frozen=True)
class Folder:
    """The entries of one directory in the order of their names. `problem`: why it could not be read whole."""

    path: Path
    entries: tuple[Entry, ...] = ()
    problem: str | None = None
    cut: bool = False

    @cached_property
    def by_name(self) -> dict[str, Entry]:
        """Name -> entry."""
        return {entry.name: entry for entry in self.entries}

    def get(self, name: str) -> Entry | None:
        """Return the entry of a name."""
        return self.by_name.get(name)


def read_entry(path: Path, name: str | None = None) -> Entry:
    """Describe one path. Never raises."""
    name = path.name if name is None else name
    link = None
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            link = str(path.readlink())
            status = path.stat()
    except OSError as error:
        return Entry(name, path, link=link, problem=error.strerror or str(error))
    mode = status.st_mode
    return Entry(name, path, stat.S_ISDIR(mode), stat.S_ISREG(mode), status.st_size, link)


def read_folder(path: Path) -> Folder:
    """List a directory, sorted by name. Never raises; at most `MOST_ENTRIES` entries are described."""
    try:
        with os.scandir(path) as found:
            names: list[str] = []
            for item in found:
                if len(names) >= MOST_ENTRIES:
                    return Folder(path, _entries(path, names), f"more than {MOST_ENTRIES:,} entries", cut=True)
                names.append(item.name)
    except OSError as error:
        return Folder(path, problem=error.strerror or str(error))
    return Folder(path, _entries(path, names))


def _entries(path: Path, names: list[str]) -> tuple[Entry, ...]:
    return tuple(read_entry(Path(path, name), name) for name in sorted(names))


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a regular file, at most `limit` bytes and one more, so that the caller sees when it is longer.

    Raises `OSError` when it cannot be read or is no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "not a regular file", str(path))
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit + 1)
    finally:
        os.close(handle)
