"""Series and samples of the text format, as prometheus_client's parser reads them: the strict path.

Everything that is known about the text of a series comes from here; nothing else looks into one.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARSER_ERRORS = (ValueError, IndexError)
"""What prometheus_client raises at lines that it cannot read; IndexError at some of those that end too early."""


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


class SharedLabels:
    """Keeps one copy of each string and label, of which a page has many: models times families."""

    def __init__(self) -> None:
        self._labels: dict[tuple[str, str], tuple[str, str]] = {}

    def series(self, series: Series) -> Series:
        """Return the same series made of the copies that are kept."""
        labels = (self._labels.setdefault(pair, (sys.intern(pair[0]), pair[1])) for pair in series.labels)
        return Series(sys.intern(series.name), tuple(labels))


def parse_keys(keys: list[bytes]) -> list[Series | None]:
    """Return each key's series, or None where `key + " 0"` is not one sample of value 0 without timestamp."""
    try:
        text = "".join(f"{key.decode()} 0\n" for key in keys)
        samples = list(_samples(text))
    except _PARSER_ERRORS:
        samples = []
    if len(samples) == len(keys) and all(s.value == 0 and s.timestamp is None for s in samples):
        return [sample.series for sample in samples]
    if len(keys) == 1:
        return [None]
    middle = len(keys) // 2
    return parse_keys(keys[:middle]) + parse_keys(keys[middle:]) if keys else []


def parse_line(line: str, number: int) -> list[Sample]:
    """Return the sample of one line, or none for a comment. Raises `ExpositionError` with the line's `number`."""
    try:
        return list(_samples(line + "\n"))
    except _PARSER_ERRORS as error:
        cause = f" ({error})" if str(error) else ""
        raise ExpositionError(
            f"line {number} of the metrics page is not in the text format{cause}: {shown(line.encode())}"
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


def shown(line: bytes, limit: int = 80) -> str:
    """Quote a line for a message, cut to `limit` characters."""
    text = line.decode("utf-8", "replace")
    return repr(text if len(text) <= limit else text[:limit] + "…")
