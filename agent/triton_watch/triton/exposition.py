"""Reading a Prometheus text page fast, and exactly as prometheus_client's parser reads it.

The text of every series is parsed once, by prometheus_client. What that told us about a page is kept
as its `Layout`: the comment lines, the text of each series, and where the separators lie. While the next
page has the same layout, which is compared byte by byte, only the numbers are converted, all at once
in numpy. Any difference leads to the line-by-line path, which looks each series up by its text and
asks prometheus_client about the ones it has not seen.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.triton.layout import (
    Block,
    Layout,
    count_blanks,
    count_hashes,
    fast_values,
    make_chunks,
    number_of,
)
from triton_watch.triton.series import (
    ExpositionError,
    Sample,
    Series,
    SharedLabels,
    TruncatedPageError,
    parse_keys,
    parse_line,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from triton_watch.records import FloatArray

__all__ = ["ExpositionError", "Layout", "Page", "PageReader", "Sample", "Series", "TruncatedPageError"]

_BATCH = 1000
"""Series that prometheus_client parses in one go: bounds the memory that a first sight takes."""


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
            values = fast_values(layout, body)
            if values is not None:
                return Page(layout, values, {})
        return self._read_lines(body)

    def _read_lines(self, body: bytes) -> Page:
        if body and not body.endswith(b"\n"):
            tail = body[body.rfind(b"\n") + 1 :]
            raise TruncatedPageError(f"the metrics page ends inside a line: {shown(tail)}")
        if not body.isascii():
            _require_utf8(body)
        lines = _Lines(self._known, self._wanted)
        lines.read(body)
        self._known = lines.seen
        layout = lines.layout(body)
        self._layout = layout
        return Page(layout, np.array(lines.values, dtype=np.float64), lines.timestamps)


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
        self._blocks: list[Block] = []
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
        self._blocks.append(Block(text, wanted))
        self._lines.append(0)
        return wanted

    def _family(self, comment: bytes, number: int) -> str:
        parts = comment.decode().split(None, 3)
        if len(parts) < 3 or parts[0] != "#" or parts[1] not in ("HELP", "TYPE"):
            return ""
        parse_line(comment.decode(), number)
        self._families.add(parts[2])
        return parts[2]

    def _learn(self, lines: Iterable[bytes]) -> None:
        """Ask prometheus_client about the series not seen before, a batch at a time."""
        shared = SharedLabels()
        keys = (line.rpartition(b" ")[0] for line in lines)
        unknown = (key for key in keys if key not in self._known)
        while batch := list(islice(unknown, _BATCH)):
            for key, parsed in zip(batch, parse_keys(batch), strict=True):
                self._learned[key] = None if parsed is None else shared.series(parsed)

    def _sample(self, line: bytes, number: int) -> None:
        key, _, text = line.rpartition(b" ")
        series, value = self._known.get(key) or self._learned.get(key), number_of(text)
        if series is None or value is None or count_blanks(text):
            self._irregular(line, number)
            return
        self.seen[key] = series
        self._add(series, value)

    def _irregular(self, line: bytes, number: int) -> None:
        self._regular = False
        for sample in parse_line(line.decode(), number):
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
            hashes=count_hashes(body),
            regular=regular,
            chunks=tuple(make_chunks(self._wanted_lines(), iter(self.seen))) if regular else (),
        )
