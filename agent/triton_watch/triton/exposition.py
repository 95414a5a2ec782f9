"""Reading a Prometheus text page fast, and exactly as prometheus_client's parser reads it.

The text of every series is parsed once, by prometheus_client. What that told us about a page is kept
as its `Layout`: the comment lines, the text of each series, and where the separators lie. While the next
page has the same layout, which is compared byte by byte, only the numbers are converted, all at once
in numpy. Any difference leads to the line-by-line path, which looks each series up by its text and
asks prometheus_client about the ones it has not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from prometheus_client.parser import text_string_to_metric_families

from triton_watch.records import FloatArray

_EXACT_DIGITS = 15
"""Decimal integers of up to 15 digits are exact in a double, so vector arithmetic gives the same float."""

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
    """A run of comment lines and the sample lines that follow it."""

    header: bytes
    wanted: bool


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
    keys: NDArray[np.uint8]
    """The wanted sample lines without their values."""
    separators: int
    space_at: NDArray[np.intp]
    """For each sample line, which of the page's separators stands before its value …"""
    newline_at: NDArray[np.intp]
    """… and which one ends it."""


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
        try:
            body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ExpositionError(f"the metrics page is not UTF-8 (byte {error.start})") from None
        lines = _Lines(self._known, self._wanted)
        lines.read(body)
        self._known = lines.seen
        layout = lines.layout(body)
        self._layout = layout
        return Page(layout, np.array(lines.values, dtype=np.float64), lines.timestamps)


def _fast_values(layout: Layout, body: bytes) -> FloatArray | None:
    """Return the page's values, or None unless everything else on the page is as `layout` says."""
    text = _wanted_text(layout, body)
    if text is None:
        return None
    page = np.frombuffer(text, dtype=np.uint8)
    blanks = np.flatnonzero(page <= 32)
    if len(blanks) != layout.separators:
        return None
    spaces, ends = blanks[layout.space_at], blanks[layout.newline_at]
    if not ((page[spaces] == 32).all() and (page[ends] == 10).all()):
        return None
    starts = spaces + 1
    values, odd, keys = _digits(page, starts, ends)
    if not np.array_equal(keys, layout.keys):
        return None
    for i in odd:
        value = _number(text[starts[i] : ends[i]])
        if value is None:
            return None
        values[i] = value
    return values


def _wanted_text(layout: Layout, body: bytes) -> bytes | None:
    """Return the sample lines of the wanted families, or None if the comment lines have changed.

    Families that nobody wants are stepped over unread. Counting the `#` of the whole page shows that no
    comment line, hence no family, has appeared among them.
    """
    if body.count(b"#") != layout.hashes or not body.endswith(b"\n"):
        return None
    parts = []
    position = 0
    for i, block in enumerate(layout.blocks):
        if not body.startswith(block.header, position):
            return None
        position += len(block.header)
        end = len(body)
        if i + 1 < len(layout.blocks):
            following = layout.blocks[i + 1].header
            if not body.startswith(following, position):
                end = body.find(b"\n" + following, position) + 1
            else:
                end = position
            if end == 0:
                return None
        if block.wanted:
            parts.append(body[position:end])
        position = end
    return b"".join(parts)


def _digits(
    page: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> tuple[FloatArray, Iterable[int], NDArray[np.uint8]]:
    """Convert the values that are plain decimal integers; name the others; return the page without values.

    `starts`, `ends`: (n,) byte positions of each value. One step handles the k-th digit of all values.
    """
    lengths = ends - starts
    longest = int(lengths.max(initial=0))
    values = np.zeros(len(starts))
    odd = (lengths == 0) | (lengths > _EXACT_DIGITS)
    rest = page.copy()
    live: NDArray[np.intp] | slice = slice(None)
    for k in range(longest):
        if k:
            live = np.flatnonzero(lengths > k)
        at = starts[live] + k
        digit = page[at] - np.uint8(48)
        odd[live] |= digit > 9
        values[live] = values[live] * 10 + digit
        rest[at] = 0
    return values, np.flatnonzero(odd).tolist(), rest[rest != 0]


def _number(text: bytes) -> float | None:
    """Return the value as prometheus_client reads it (no underscores), or None if it is none."""
    if b"_" in text:
        return None
    try:
        return float(text)
    except ValueError:
        return None


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
        self._keys: list[bytes] = []
        self._blocks: list[_Block] = []
        self._families: set[str] = set()
        self._regular = True

    def read(self, body: bytes) -> None:
        samples = list(self._split(body))
        self._learn([line for _, line in samples])
        for number, line in samples:
            self._sample(line, number)

    def _split(self, body: bytes) -> Iterator[tuple[int, bytes]]:
        """Note the blocks and families; yield the sample lines of the wanted ones with their numbers."""
        header: list[bytes] = []
        in_header, family, wanted = True, "", False
        for number, line in enumerate(body.split(b"\n")[:-1], start=1):
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
        return wanted

    def _family(self, comment: bytes, number: int) -> str:
        parts = comment.decode().split(None, 3)
        if len(parts) < 3 or parts[0] != "#" or parts[1] not in ("HELP", "TYPE"):
            return ""
        _strict(comment.decode(), number)
        self._families.add(parts[2])
        return parts[2]

    def _learn(self, lines: list[bytes]) -> None:
        """Ask prometheus_client about the series not seen before, all in one go."""
        keys = dict.fromkeys(line.rpartition(b" ")[0] for line in lines)
        unknown = [key for key in keys if key not in self._known]
        for key, parsed in zip(unknown, _parse_keys(unknown), strict=True):
            self._learned[key] = parsed

    def _sample(self, line: bytes, number: int) -> None:
        key, _, text = line.rpartition(b" ")
        series, value = self._known.get(key) or self._learned.get(key), _number(text)
        if series is None or value is None or _blanks(text):
            self._irregular(line, number)
            return
        self.seen[key] = series
        self._add(series, value)
        self._keys.append(key)

    def _irregular(self, line: bytes, number: int) -> None:
        self._regular = False
        for sample in _strict(line.decode(), number):
            if sample.timestamp is not None:
                self.timestamps[len(self.series)] = sample.timestamp
            self._add(sample.series, sample.value)

    def _add(self, series: Series, value: float) -> None:
        self.series.append(series)
        self.values.append(value)

    def layout(self, body: bytes) -> Layout:
        blanks = np.array([_blanks(key) for key in self._keys], dtype=np.intp)
        last = np.cumsum(blanks + 2) - 1
        return Layout(
            series=tuple(self.series),
            families=frozenset(self._families),
            blocks=tuple(self._blocks),
            hashes=body.count(b"#"),
            regular=self._regular,
            keys=np.frombuffer(b"".join(key + b" \n" for key in self._keys), dtype=np.uint8),
            separators=int(last[-1]) + 1 if len(last) else 0,
            space_at=last - 1,
            newline_at=last,
        )


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
            yield Sample(Series(sample.name, tuple(sample.labels.items())), float(sample.value), _seconds(sample.timestamp))


def _seconds(timestamp: object) -> float | None:
    return None if timestamp is None else float(str(timestamp))


def _shown(line: bytes, limit: int = 80) -> str:
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= limit else text[:limit] + "…")
