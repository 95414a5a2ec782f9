"""Protocol buffers without a schema: steps over the fields of a message that lies in a file.

What is not wanted is skipped by its length, so weights are never read. Steps are counted: a hostile file
ends in a FormatError, not in a long wait. The encoding: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.check.formats.model import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.formats.source import Source

MOST_STEPS: Final = 400_000
"""Fields looked at in one file: about a second. The largest graphs known have some 100 000 nodes."""
LONGEST_TEXT: Final = 1024
"""Bytes of a name that are read."""

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_LONGEST_HEAD: Final = 20
"""Bytes: two varints, of a field's number and of its length or value."""
_FIXED: Final = {FIXED64: 8, FIXED32: 4}


class Field(NamedTuple):
    """One field: its number, wire type, its value (of a varint) and where its content lies in the file."""

    number: int
    kind: int
    value: int
    start: int
    end: int


class Wire:
    """Reads messages of one source, and counts the steps over all of them."""

    def __init__(self, source: Source, most_steps: int = MOST_STEPS) -> None:
        self.source = source
        self.steps = 0
        self._most_steps = most_steps

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """Yield the fields between two positions. Raises FormatError where they are none, OSError."""
        read = self.source.read
        position = start
        while position < end:
            self.steps += 1
            if self.steps > self._most_steps:
                raise FormatError(f"has more than {self._most_steps:,} parts, more than any known model")
            head = read(position, min(_LONGEST_HEAD, end - position))
            field = self._field(head, position, end)
            yield field
            position = field.end

    def within(self, field: Field) -> Iterator[Field]:
        """Yield the fields of a field that is a message. Raises FormatError, OSError."""
        if field.kind != LENGTH:
            raise corrupt(field.start)
        return self.fields(field.start, field.end)

    def text(self, field: Field) -> str:
        """Return a field's text (its first LONGEST_TEXT bytes). Raises FormatError, OSError."""
        if field.kind != LENGTH:
            raise corrupt(field.start)
        count = min(field.end - field.start, LONGEST_TEXT)
        return self.source.read(field.start, count).decode("utf-8", "replace")

    def _field(self, head: bytes, position: int, end: int) -> Field:
        key, at = self._varint(head, 0, position, end)
        number, kind = key >> 3, key & 7
        value = 0
        if number == 0:
            raise corrupt(position)
        if kind == LENGTH:
            value, at = self._varint(head, at, position, end)
            start, stop, value = position + at, position + at + value, 0
        elif kind == VARINT:
            start = position + at
            value, at = self._varint(head, at, position, end)
            stop = position + at
        elif kind in _FIXED:
            start = position + at
            stop = start + _FIXED[kind]
        else:
            raise corrupt(position)
        if stop > end:
            raise self._too_short(stop, end)
        return Field(number, kind, value, start, stop)

    def _varint(self, head: bytes, at: int, position: int, end: int) -> tuple[int, int]:
        """Return the number at an index of `head`, which stands at `position`, and the index behind it."""
        value = shift = 0
        for index, byte in enumerate(head[at : at + 10], at):
            value |= (byte & 127) << shift
            if byte < 128:
                return value & 0xFFFF_FFFF_FFFF_FFFF, index + 1
            shift += 7
        if len(head) < at + 10:
            raise self._too_short(position + len(head) + 1, end)
        raise corrupt(position)

    def _too_short(self, stop: int, end: int) -> FormatError:
        if end < self.source.size:
            return corrupt(end)
        return truncated(stop, self.source.size)


def signed(value: int) -> int:
    """Return a varint as an int64."""
    return value - (1 << 64) if value >> 63 else value


def corrupt(position: int) -> FormatError:
    """Return the error for bytes that make no sense."""
    return FormatError(f"is corrupt: what stands at byte {position:,} makes no sense there")


def truncated(needed: int, size: int) -> FormatError:
    """Return the error for a file that ends too early; both in bytes."""
    return FormatError(f"is truncated: it must be at least {needed:,} bytes long and has {size:,}")
