"""The directory of a zip archive, read without the archive's data and without trusting its numbers.

The layout: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT (4.3.12 to 4.3.16).
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.check.formats.model import FormatError, quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triton_watch.check.formats.source import Source

MOST_ENTRIES: Final = 50_000
_HEAD: Final = 1 << 16
_LARGEST_DIRECTORY: Final = 8 << 20
_END: Final = struct.Struct("<4s4H2LH")
_END64_AT: Final = struct.Struct("<4sLQL")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8


class Entry(NamedTuple):
    """One file of an archive. Sizes in bytes; `start` is where its local header stands."""

    name: str
    method: int
    packed: int
    size: int
    start: int


def directory(source: Source) -> dict[str, Entry]:
    """Return the archive's files by name. Raises FormatError when its directory is missing or wrong, OSError."""
    start, size, count = _where(source)
    if start + size > source.size or size > _LARGEST_DIRECTORY or count > MOST_ENTRIES:
        raise FormatError("is corrupt: its zip directory does not fit the file")
    entries = list(_entries(source, start, start + size))
    if len(entries) != count:
        raise FormatError(f"is corrupt: its zip directory shows {len(entries):,} files of {count:,}")
    return {entry.name: entry for entry in entries}


def first_names(source: Source) -> Iterator[str]:
    """Yield names of the first files, from their local headers: what is left of an archive without its end."""
    head = source.read(0, _HEAD)
    for header in re.finditer(rb"PK\x03\x04", head):
        if header.start() + _LOCAL.size <= len(head):
            length = _LOCAL.unpack_from(head, header.start())[9]
            name = head[header.start() + _LOCAL.size :][: min(length, 1024)]
            yield name.decode("utf-8", "replace")


def content(source: Source, entry: Entry, most: int) -> bytes:
    """Return at most `most` bytes of a file's content, inflated no further than that. Raises FormatError, OSError."""
    header = source.read(entry.start, _LOCAL.size)
    if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
        raise FormatError(f"is corrupt: the zip directory's entry {quoted(entry.name)} leads nowhere")
    name, extra = _LOCAL.unpack(header)[9:]
    packed = source.read(entry.start + _LOCAL.size + name + extra, min(entry.packed, most))
    if entry.method == _STORED:
        return packed
    if entry.method != _DEFLATED:
        raise FormatError(f"has {quoted(entry.name)} packed in a way (method {entry.method}) that PyTorch cannot read")
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, most)
    except zlib.error:
        raise FormatError(f"is corrupt: {quoted(entry.name)} in it cannot be inflated") from None


def damage(source: Source, files: Mapping[str, Entry]) -> str | None:
    """Return what is wrong with an archive whose directory names more data than the file has."""
    wrong = next((entry for entry in files.values() if entry.start + entry.packed > source.size), None)
    return wrong and f"is corrupt: {quoted(wrong.name)} in it lies beyond its end"


def _where(source: Source) -> tuple[int, int, int]:
    """Return start, size and number of entries of the central directory."""
    tail = source.tail(_END.size + 0xFFFF)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise FormatError("is truncated: it is a zip archive without its end")
    count, size, start = _END.unpack_from(tail, at)[4:7]
    if at >= _END64_AT.size and tail.startswith(b"PK\x06\x07", at - _END64_AT.size):
        where = _END64_AT.unpack_from(tail, at - _END64_AT.size)[2]
        record = source.read(where, _END64.size)
        if len(record) == _END64.size and record.startswith(b"PK\x06\x06"):
            count, size, start = _END64.unpack(record)[7:]
    return start, size, count


def _entries(source: Source, position: int, end: int) -> Iterator[Entry]:
    for _ in range(MOST_ENTRIES):
        header = source.read(position, _ENTRY.size)
        if position + _ENTRY.size > end or len(header) < _ENTRY.size or not header.startswith(b"PK\x01\x02"):
            return
        method, packed, size, name, extra, comment, start = (
            _ENTRY.unpack(header)[index] for index in (4, 8, 9, 10, 11, 12, 16)
        )
        text = source.read(position + _ENTRY.size, name).decode("utf-8", "replace")
        if 0xFFFF_FFFF in (packed, size, start):
            more = source.read(position + _ENTRY.size + name, extra)
            size, packed, start = _zip64(more, size, packed, start)
        yield Entry(text, method, packed, size, start)
        position += _ENTRY.size + name + extra + comment


def _zip64(extra: bytes, *values: int) -> tuple[int, ...]:
    """Replace each value that did not fit 32 bits by its 64-bit one from the extra field 1."""
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            rest = extra[position + 4 : position + 4 + length]
            wide = iter(struct.unpack(f"<{len(rest) // 8}Q", rest[: len(rest) // 8 * 8]))
            return tuple(next(wide, value) if value == 0xFFFF_FFFF else value for value in values)
        position += 4 + length
    return values
