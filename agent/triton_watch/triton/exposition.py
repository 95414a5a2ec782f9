"""Reading a Prometheus text page fast, and exactly as prometheus_client's parser reads it.

The text of every series is parsed once, by prometheus_client. What that told us about a page is kept
as its `Layout`: the comment lines, the text of each series, and where the separators lie. While the next
page has the same layout, which is compared byte by byte, only the numbers are converted, all at once
in numpy. Any difference leads to the line-by-line path, which looks each series up by its text and
asks prometheus_client about the ones it has not seen.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from triton_watch.records import FloatArray

_PAD = b"#" * 16
"""Stands before a chunk's text, so that a window of digits never reaches over its start."""
_NAN = np.frombuffer(b"Nan", dtype=np.uint8)
"""How Triton writes the quantiles of a model without recent traffic: on some pages, most of the values."""

_EXACT_DIGITS = 15
"""Decimal integers of up to 15 digits are exact in a double, so vector arithmetic gives the same float."""

_CHUNK_BYTES = 256 * 1024
_BATCH = 1000
"""Series that prometheus_client parses in one go: bounds the memory that a first sight takes."""

_BLANKS = bytes(range(33))
"""Bytes up to the space: the separators of the format, and control characters that regular pages lack."""


class ExpositionError(ValueError):
    """The page is not in the text format. The message names the line and what is wrong with it."""


class TruncatedPageError(ExpositionError):
    """The page ends inside a line."""


class Series(NamedTuple):
    """A sample's name and labels as on the page; labels in page order."""

    name: str
    labels: tuple[tuple[str, str], ...]

    def label(self, name: str) -> str:
        """Return the label's value, or an empty string, which Prometheus holds to be the same."""
        return next((value for label, value in self.labels if label == name), "")


class Sample(NamedTuple):
    """One line's series, value, and timestamp in seconds where the line has one."""

    series: Series
    value: float
    timestamp: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """A run of comment lines, and whether the sample lines that follow it are read."""

    header: bytes
    wanted: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Some blocks in a row that are read in one go: few numpy calls, and arrays that fit the CPU's cache.

    `keys` are the chunk's sample lines without their values. Of its `separators` (blanks and line ends),
    `space_at` says which stands before each line's value and `newline_at` which ends the line.
    """

    blocks: int
    keys: NDArray[np.uint8]
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
    blocks: tuple[_Block, ...]
    hashes: int
    regular: bool
    """False when a line has a timestamp or unusual spacing: such pages are read line by line."""
    chunks: tuple[_Chunk, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One page: `values[i]` belongs to `layout.series[i]`; `timestamps` only where a line has one."""

    layout: Layout
    values: FloatArray
    timestamps: dict[int, float]

    def samples(self) -> Iterator[Sample]:
        """Yield every sample of the wanted families in page order."""
        for i, series in enumerate(self.layout.series):
            yield Sample(series, float(self.values[i]), self.timestamps.get(i))


class PageReader:
    """Reads successive pages of one exporter. `wanted` says which families to read; None reads all.

    Samples that follow no comment line belong to the family named "".
    """

    def __init__(self, wanted: Callable[[str], bool] | None = None) -> None:
        self._wanted = wanted
        self._layout: Layout | None = None
        self._known: dict[bytes, Series] = {}

    def read(self, body: bytes) -> Page:
        """Parse one page.

        Raises:
            ExpositionError: a line is not in the format, or the page is not UTF-8.
            TruncatedPageError: the last line has no end.
        """
        layout = self._layout
        if layout is not None and layout.regular:
            values = _fast_values(layout, body)
            if values is not None:
                return Page(layout, values, {})
        return self._read_lines(body)

    def _read_lines(self, body: bytes) -> Page:
        if body and not body.endswith(b"\n"):
            tail = body[body.rfind(b"\n") + 1 :]
            raise TruncatedPageError(f"the metrics page ends inside a line: {_shown(tail)}")
        if not body.isascii():
            _require_utf8(body)
        lines = _Lines(self._known, self._wanted)
        lines.read(body)
        self._known = lines.seen
        layout = lines.layout(body)
        self._layout = layout
        return Page(layout, np.array(lines.values, dtype=np.float64), lines.timestamps)


def _fast_values(layout: Layout, body: bytes) -> FloatArray | None:
    """Return the page's values, or None unless everything else on the page is as `layout` says."""
    texts = _wanted_texts(layout, body)
    if texts is None:
        return None
    values = np.empty(len(layout.series))
    block = line = 0
    for chunk in layout.chunks:
        found = _chunk_values(chunk, _PAD + b"".join(texts[block : block + chunk.blocks]))
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
    if not np.array_equal(_without(page, starts, ends), chunk.keys):
        return None
    values, odd = _digits(page, ends - starts, ends)
    for i in odd:
        value = _number(text[starts[i] : ends[i]])
        if value is None:
            return None
        values[i] = value
    return values


def _without(page: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.uint8]:
    """Return the page without the bytes of its values."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    inside = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    keep = np.ones(len(page), dtype=np.bool_)
    keep[inside] = False
    return page[keep]


def _wanted_texts(layout: Layout, body: bytes) -> list[bytes] | None:
    """Return the sample lines of each wanted family, or None if the comment lines have changed.

    Families that nobody wants are stepped over unread. Counting the `#` of the whole page shows that no
    comment line, hence no family, has appeared among them.
    """
    if _hashes(body) != layout.hashes or not body.endswith(b"\n"):
        return None
    texts = []
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
            texts.append(body[position:end])
        position = end
    return texts


def _hashes(body: bytes) -> int:
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

    `lengths` and `ends` are those of the values. Each value becomes a row of digits, set flush right.
    """
    width = min(int(lengths.max(initial=1)), _EXACT_DIGITS)
    rows = sliding_window_view(page, width)[ends - width]
    outside = np.arange(width) < width - lengths[:, np.newaxis]
    digits = np.where(outside, 0, rows - np.uint8(48))
    odd = (digits > 9).any(axis=1) | (lengths == 0) | (lengths > width)
    values: FloatArray = digits @ (10.0 ** np.arange(width - 1, -1, -1))
    if width >= len(_NAN):
        nan = (lengths == len(_NAN)) & (rows[:, -len(_NAN) :] == _NAN).all(axis=1)
        values[nan] = np.nan
        odd &= ~nan
    return values, np.flatnonzero(odd).tolist()


def _number(text: bytes) -> float | None:
    """Return the value as prometheus_client reads it (no underscores), or None if it is none."""
    if b"_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


def _require_utf8(body: bytes) -> None:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ExpositionError(f"the metrics page is not UTF-8 (byte {error.start})") from None


class _Lines:
    """The line-by-line path: one page."""

    def __init__(self, known: Mapping[bytes, Series], wanted: Callable[[str], bool] | None) -> None:
        self._known = known
        self._learned: dict[bytes, Series | None] = {}
        self._wanted = wanted
        self.seen: dict[bytes, Series] = {}
        self.series: list[Series] = []
        self.values: list[float] = []
        self.timestamps: dict[int, float] = {}
        self._blocks: list[_Block] = []
        self._lines: list[int] = []
        self._families: set[str] = set()
        self._regular = True

    def read(self, body: bytes) -> None:
        self._learn(line for _, line in self._split(body))
        self._blocks, self._lines = [], []
        for number, line in self._split(body):
            self._sample(line, number)
            self._lines[-1] += 1

    def _split(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        """Note the blocks and families; yield the sample lines of the wanted ones with their numbers."""
        header: list[bytes] = []
        in_header, family, wanted = True, "", False
        for number, whole in enumerate(io.BytesIO(body), start=1):
            line = whole[:-1]
            bare = line.strip()
            if not bare or bare.startswith(b"#"):
                if not in_header:
                    header, in_header = [], True
                header.append(line)
                family = self._family(bare, number) or family
                continue
            if in_header:
                wanted, in_header = self._open(header, family), False
            if wanted:
                yield number, line
        if in_header:
            self._open(header, family)

    def _open(self, header: list[bytes], family: str) -> bool:
        text = b"".join(line + b"\n" for line in header)
        wanted = self._wanted is None or self._wanted(family)
        self._blocks.append(_Block(text, wanted))
        self._lines.append(0)
        return wanted

    def _family(self, comment: bytes, number: int) -> str:
        parts = comment.decode().split(None, 3)
        if len(parts) < 3 or parts[0] != "#" or parts[1] not in ("HELP", "TYPE"):
            return ""
        _strict(comment.decode(), number)
        self._families.add(parts[2])
        return parts[2]

    def _learn(self, lines: Iterable[bytes]) -> None:
        """Ask prometheus_client about the series not seen before, a batch at a time."""
        shared = _Shared()
        keys = (line.rpartition(b" ")[0] for line in lines)
        unknown = (key for key in keys if key not in self._known)
        while batch := list(islice(unknown, _BATCH)):
            for key, parsed in zip(batch, _parse_keys(batch), strict=True):
                self._learned[key] = None if parsed is None else shared.series(parsed)

    def _sample(self, line: bytes, number: int) -> None:
        key, _, text = line.rpartition(b" ")
        series, value = self._known.get(key) or self._learned.get(key), _number(text)
        if series is None or value is None or _blanks(text):
            self._irregular(line, number)
            return
        self.seen[key] = series
        self._add(series, value)

    def _irregular(self, line: bytes, number: int) -> None:
        self._regular = False
        for sample in _strict(line.decode(), number):
            if sample.timestamp is not None:
                self.timestamps[len(self.series)] = sample.timestamp
            self._add(sample.series, sample.value)

    def _add(self, series: Series, value: float) -> None:
        self.series.append(series)
        self.values.append(value)

    def _wanted_lines(self) -> list[int]:
        return [lines for block, lines in zip(self._blocks, self._lines, strict=True) if block.wanted]

    def layout(self, body: bytes) -> Layout:
        # A page that has one series twice is legal for prometheus_client; `seen` holds it once.
        regular = self._regular and len(self.seen) == len(self.series)
        return Layout(
            series=tuple(self.series),
            families=frozenset(self._families),
            blocks=tuple(self._blocks),
            hashes=_hashes(body),
            regular=regular,
            chunks=tuple(_chunks(self._wanted_lines(), iter(self.seen))) if regular else (),
        )


def _chunks(lines: Iterable[int], keys: Iterator[bytes]) -> Iterator[_Chunk]:
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
    blanks = np.array([_blanks(key) for key in keys], dtype=np.intp)
    last = np.cumsum(blanks + 2) - 1
    return _Chunk(
        blocks=blocks,
        keys=np.frombuffer(_PAD + b"".join(key + b" \n" for key in keys), dtype=np.uint8),
        separators=int(last[-1]) + 1 if len(last) else 0,
        space_at=last - 1,
        newline_at=last,
    )


class _Shared:
    """Keeps one copy of each string and label, of which a page has many: models times families."""

    def __init__(self) -> None:
        self._labels: dict[tuple[str, str], tuple[str, str]] = {}

    def series(self, series: Series) -> Series:
        labels = (self._labels.setdefault(pair, (sys.intern(pair[0]), pair[1])) for pair in series.labels)
        return Series(sys.intern(series.name), tuple(labels))


def _blanks(key: bytes) -> int:
    return len(key) - len(key.translate(None, _BLANKS))


def _parse_keys(keys: list[bytes]) -> list[Series | None]:
    """Return each key's series, or None where `key + " 0"` is not one sample of value 0 without timestamp."""
    try:
        text = "".join(f"{key.decode()} 0\n" for key in keys)
        samples = list(_samples(text))
    except ValueError:
        samples = []
    if len(samples) == len(keys) and all(s.value == 0 and s.timestamp is None for s in samples):
        return [sample.series for sample in samples]
    if len(keys) == 1:
        return [None]
    middle = len(keys) // 2
    return _parse_keys(keys[:middle]) + _parse_keys(keys[middle:]) if keys else []


def _strict(line: str, number: int) -> list[Sample]:
    try:
        return list(_samples(line + "\n"))
    except ValueError as error:
        cause = f" ({error})" if str(error) else ""
        raise ExpositionError(
            f"line {number} of the metrics page is not in the text format{cause}: {_shown(line.encode())}"
        ) from None


def _samples(text: str) -> Iterator[Sample]:
    """Yield the samples of lines without TYPE, so that prometheus_client leaves their names as they are."""
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield Sample(
                Series(sample.name, tuple(sample.labels.items())),
                float(sample.value),
                _seconds(sample.timestamp),
            )


def _seconds(timestamp: object) -> float | None:
    return None if timestamp is None else float(str(timestamp))


def _shown(line: bytes, limit: int = 80) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= limit else text[:limit] + "…")
