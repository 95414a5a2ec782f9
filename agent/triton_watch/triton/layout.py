"""All of a page but its numbers, and reading the numbers of a page that has a known layout.

No line is looked at by itself here: the page is one array of bytes. What is not a value is compared with
the layout byte by byte, and the values are converted all at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from triton_watch.records import FloatArray
    from triton_watch.triton.series import Series

_PAD = b"#" * 16
"""Stands before a chunk's text, so that a window of digits never reaches over its start."""
_NAN = np.uint64(int.from_bytes(b"Nan", "little"))
"""How Triton writes the quantiles of a model without recent traffic: on some pages, most of the values."""

_ZEROS = np.uint64(0x3030303030303030)
_SIXES = np.uint64(0x0606060606060606)
_TENS = np.uint64(0xF0F0F0F0F0F0F0F0)
_THREES = np.uint64(0x3333333333333333)
_LOW_BITS = np.uint64(0x0F0F0F0F0F0F0F0F)
_FOREIGN = np.array([2 ** (64 - 8 * n) - 1 for n in range(9)], dtype=np.uint64)
"""For a value of n bytes at the end of a little-endian word: the bits that are not the value's …"""
_KEPT = _FOREIGN & np.uint64(0x0101010101010101)
"""… and the same for a word of eight booleans."""


_EXACT_DIGITS = 15
"""Decimal integers of up to 15 digits are exact in a double, so vector arithmetic gives the same float."""

_CHUNK_BYTES = 256 * 1024
"""Bytes of keys in a chunk, about: what the CPU's cache holds beside the arrays made from it."""

_BLANKS = bytes(range(33))
"""Bytes up to the space: the separators of the format, and control characters that regular pages lack."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A run of comment lines, and whether the sample lines that follow it are read."""

    header: bytes
    wanted: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Some blocks in a row that are read in one go: few numpy calls, and arrays that fit the CPU's cache.

    `keys` are the chunk's sample lines without their values; `roomy` says that all are at least 16 bytes
    long, as Triton's are. Of its `separators` (blanks and line ends),
    `space_at` says which stands before each line's value and `newline_at` which ends the line.
    """

    blocks: int
    keys: NDArray[np.uint8]
    roomy: bool
    separators: int
    space_at: NDArray[np.intp]
    newline_at: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """All of a page but its numbers. Two pages of one layout share this very object.

    `series` are those of the wanted families, in page order: the order of `Page.values`.
    """

    series: tuple[Series, ...]
    families: frozenset[str]
    blocks: tuple[Block, ...]
    hashes: int
    regular: bool
    """False when a line has a timestamp or unusual spacing: such pages are read line by line."""
    chunks: tuple[_Chunk, ...]


def fast_values(layout: Layout, body: bytes) -> FloatArray | None:
    """Return the page's values, or None unless everything else on the page is as `layout` says."""
    texts = _wanted_texts(layout, body)
    if texts is None:
        return None
    values = np.empty(len(layout.series))
    block = line = 0
    for chunk in layout.chunks:
        found = _chunk_values(chunk, b"".join([_PAD, *texts[block : block + chunk.blocks]]))
        if found is None:
            return None
        values[line : line + len(found)] = found
        block += chunk.blocks
        line += len(found)
    return values


def _chunk_values(chunk: _Chunk, text: bytes) -> FloatArray | None:
    page = np.frombuffer(text, dtype=np.uint8)
    blanks = np.flatnonzero(page <= 32)
    if len(blanks) != chunk.separators:
        return None
    spaces, ends = blanks[chunk.space_at], blanks[chunk.newline_at]
    if not ((page[spaces] == 32).all() and (page[ends] == 10).all()):
        return None
    starts = spaces + 1
    if not np.array_equal(_without(page, starts, ends, roomy=chunk.roomy), chunk.keys):
        return None
    values, odd = _digits(page, ends - starts, ends)
    for i in odd:
        value = number_of(text[starts[i] : ends[i]])
        if value is None:
            return None
        values[i] = value
    return values


def _without(
    page: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp], *, roomy: bool
) -> NDArray[np.uint8]:
    """Return the page without the bytes of its values. `roomy`: the 16 bytes before each end are of its line."""
    lengths = ends - starts
    keep = np.ones(len(page), dtype=np.bool_)
    if not roomy:
        before = np.cumsum(lengths) - lengths
        keep[np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)] = False
        return page[keep]
    words = _words(keep)
    words[ends - 8] = _KEPT[np.minimum(lengths, 8)]
    long = np.flatnonzero(lengths > 8)
    words[ends[long] - 16] = _KEPT[np.clip(lengths[long] - 8, 0, 8)]
    for i in np.flatnonzero(lengths > 16):
        keep[starts[i] : ends[i]] = False
    return page[keep]


def _words(data: NDArray[np.uint8] | NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return a view of every 8 bytes of `data`, at whichever byte they begin, as little-endian words."""
    view: NDArray[np.uint64] = np.ndarray((len(data) - 7,), "<u8", data, 0, (1,))
    return view


def _wanted_texts(layout: Layout, body: bytes) -> list[memoryview] | None:
    """Return the sample lines of each wanted family, or None if the comment lines have changed.

    Families that nobody wants are stepped over unread. Counting the `#` of the whole page shows that no
    comment line, hence no family, has appeared among them.
    """
    if count_hashes(body) != layout.hashes or not body.endswith(b"\n"):
        return None
    texts: list[memoryview] = []
    whole = memoryview(body)
    position = 0
    following = [block.header for block in layout.blocks[1:]]
    for block, after in zip(layout.blocks, [*following, None], strict=True):
        if not body.startswith(block.header, position):
            return None
        position += len(block.header)
        end = _end_of_block(body, position, after)
        if end is None:
            return None
        if block.wanted:
            texts.append(whole[position:end])
        position = end
    return texts


def count_hashes(body: bytes) -> int:
    """Count the `#` of a page: there are few, and searching for the next one is faster than `count`."""
    count = 0
    position = body.find(b"#")
    while position >= 0:
        count += 1
        position = body.find(b"#", position + 1)
    return count


def _end_of_block(body: bytes, start: int, after: bytes | None) -> int | None:
    """Return where the next block's comment lines `after` begin, at `start` or at a later line."""
    if after is None:
        return len(body)
    if body.startswith(after, start):
        return start
    found = body.find(b"\n" + after, start)
    return None if found < 0 else found + 1


def _digits(page: NDArray[np.uint8], lengths: NDArray[np.intp], ends: NDArray[np.intp]) -> tuple[FloatArray, list[int]]:
    """Convert the values that are plain decimal integers, or `Nan`; name the lines of the others.

    `lengths` and `ends` are those of the values. The 8 bytes up to each value's end become a 64-bit word,
    and so do the 8 before them where it is longer.
    """
    words = _words(page)
    low = words[ends - 8]
    values, good = _word_digits(low, np.minimum(lengths, 8))
    long = np.flatnonzero(lengths > 8)
    if len(long):
        high, high_good = _word_digits(words[ends[long] - 16], np.clip(lengths[long] - 8, 0, 8))
        values[long] += high * 1e8
        good[long] &= high_good
    nan = (low >> np.uint64(40)) == _NAN
    values[nan] = np.nan
    odd = ~((good & (lengths > 0) & (lengths <= _EXACT_DIGITS)) | (nan & (lengths == 3)))
    return values, np.flatnonzero(odd).tolist()


def _word_digits(words: NDArray[np.uint64], lengths: NDArray[np.intp]) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Convert the last `lengths` bytes (0 to 8) of each word; say which are digits throughout.

    Eight digits are added up in three multiplications that work on pairs, then fours, then all of a word's
    bytes: the trick is old and widely known as SWAR (SIMD within a register).
    """
    foreign = _FOREIGN[lengths]
    words = (words & ~foreign) | (_ZEROS & foreign)
    good = (words & _TENS) | (((words + _SIXES) & _TENS) >> np.uint64(4)) == _THREES
    pairs = ((words & _LOW_BITS) * np.uint64(2561)) >> np.uint64(8)
    fours = ((pairs & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    eights = ((fours & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32)
    return eights.astype(np.float64), good


def number_of(text: bytes) -> float | None:
    """Return the value as prometheus_client reads it (no underscores), or None if it is none."""
    if b"_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def make_chunks(lines: Iterable[int], keys: Iterator[bytes]) -> Iterator[_Chunk]:
    """Group the wanted blocks, given by their numbers of lines; `keys` are those of all the lines, in order."""
    group: list[bytes] = []
    count = size = 0
    for here in lines:
        mine = list(islice(keys, here))
        length = sum(map(len, mine))
        if count and size + length > _CHUNK_BYTES:
            yield _chunk(count, group)
            group, count, size = [], 0, 0
        group += mine
        count += 1
        size += length
    yield _chunk(count, group)


def _chunk(blocks: int, keys: list[bytes]) -> _Chunk:
    blanks = np.array([count_blanks(key) for key in keys], dtype=np.intp)
    last = np.cumsum(blanks + 2) - 1
    return _Chunk(
        blocks=blocks,
        keys=np.frombuffer(_PAD + b"".join(key + b" \n" for key in keys), dtype=np.uint8),
        roomy=min(map(len, keys), default=0) >= 16,
        separators=int(last[-1]) + 1 if len(last) else 0,
        space_at=last - 1,
        newline_at=last,
    )


def count_blanks(key: bytes) -> int:
    """Count the separators and control characters of a text."""
    return len(key) - len(key.translate(None, _BLANKS))
