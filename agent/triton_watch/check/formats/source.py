"""A regular file that is read in bounded pieces. Devices, FIFOs and sockets are never opened."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.model import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST_PIECE: Final = 1 << 20
"""Bytes that one read may ask for."""
_SMALL: Final = 1 << 10
_LARGE: Final = 1 << 16
"""Bytes of the buffer after a jump, and of the largest that it grows to while reading goes on."""


class Source:
    """An open file: reads by position, with a small buffer. A mapping would die of SIGBUS when the file shrinks."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.size = size
        self.bytes_read = 0
        self._descriptor = descriptor
        self._start = 0
        self._buffer = b""
        self._ahead = _SMALL

    def read(self, start: int, count: int) -> bytes:
        """Return up to `count` bytes (at most LARGEST_PIECE) from `start`; fewer at the end. Raises OSError."""
        inside = start - self._start
        if inside < 0 or inside + count > len(self._buffer):
            count = min(count, LARGEST_PIECE, max(self.size - start, 0))
            if count == 0:
                return b""
            if inside < 0 or inside + count > len(self._buffer):
                self._fill(start, count)
                inside = 0
        return self._buffer[inside : inside + count]

    def tail(self, count: int) -> bytes:
        """Return the last `count` bytes (at most LARGEST_PIECE) or all there are. Raises OSError."""
        count = min(count, LARGEST_PIECE, self.size)
        return self.read(self.size - count, count)

    def _fill(self, start: int, count: int) -> None:
        going_on = self._start <= start <= self._start + len(self._buffer)
        self._ahead = min(2 * self._ahead, _LARGE) if going_on else _SMALL
        self._buffer = os.pread(self._descriptor, max(count, self._ahead), start)
        self._start = start
        self.bytes_read += len(self._buffer)


def status_of(path: Path) -> os.stat_result:
    """Return a path's status, links followed. Raises OSError, and FormatError for a path that cannot be one."""
    try:
        return path.stat()
    except ValueError as error:  # a NUL in it
        raise FormatError(f"cannot be read: {error}") from None


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a regular file, also behind a symbolic link. Raises OSError, and FormatError for anything else."""
    _refuse_special(status_of(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        _refuse_special(status)  # it may have been replaced in between
        yield Source(descriptor, status.st_size)
    finally:
        os.close(descriptor)


def _refuse_special(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise FormatError(f"is {_KINDS.get(stat.S_IFMT(status.st_mode), 'not a regular file')} and not a file")


_KINDS: Final = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
