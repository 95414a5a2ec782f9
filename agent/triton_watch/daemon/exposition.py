"""Metrics pages, streamed: families become text line by line, so that no whole page is held as objects.

prometheus_client holds every sample as an object and every line as a string before it joins them:
several times the page. The lines made here equal its own: tests/unit/daemon/test_metrics_page.py.
"""

from __future__ import annotations

import zlib
from itertools import chain, islice
from typing import TYPE_CHECKING

from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.conventions import Metric
    from triton_watch.daemon.families import Family, Series

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_LINES_AT_ONCE = 500
_GZIP = 31
"""zlib's number for a gzip header and trailer around the widest window."""


def render(families: Iterable[Family], *, openmetrics: bool) -> Iterator[bytes]:
    """The families as UTF-8 blocks of some hundred lines; a family without series leaves no line.

    The OpenMetrics form lacks the final `# EOF`: what follows on the page brings it.
    """
    for metric, all_series in families:
        series = iter(all_series)
        first = next(series, None)
        if first is not None:
            head = openmetrics_head(metric) if openmetrics else text_head(metric)
            lines = chain([head], _lines(metric.name, chain([first], series)))
            while block := "".join(islice(lines, _LINES_AT_ONCE)):
                yield block.encode()


def compressed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks as one gzip stream, at the fastest level: a page shrinks to some percent at any level."""
    squeeze = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    for block in blocks:
        if piece := squeeze.compress(block):
            yield piece
    yield squeeze.flush()


def text_head(metric: Metric) -> str:
    """HELP and TYPE of the classic text format, which knows no info type."""
    kind = "gauge" if metric.type == "info" else metric.type
    return f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {kind}\n"


def openmetrics_head(metric: Metric) -> str:
    """HELP, TYPE and UNIT of OpenMetrics, whose family names have no `_total` or `_info`."""
    name = family_name(metric)
    unit = f"# UNIT {name} {metric.unit}\n" if metric.unit else ""
    return f"# HELP {name} {metric.help}\n# TYPE {name} {metric.type}\n{unit}"


def family_name(metric: Metric) -> str:
    """The name of the metric's family in OpenMetrics."""
    suffix = {"counter": "_total", "info": "_info", "gauge": "", "histogram": ""}[metric.type]
    return metric.name.removesuffix(suffix)


def _lines(name: str, series: Iterable[Series]) -> Iterator[str]:
    for labels, value in series:
        # In this range Go and Python write alike; NaN and the infinities are outside of it.
        number = repr(value) if -1e6 < value < 1e6 else floatToGoString(value)  # type: ignore[no-untyped-call]
        yield f"{name}{labels.text} {number}\n"


def wants_openmetrics(accept: str) -> bool:
    """Whether an Accept header prefers OpenMetrics 1.0 to the classic text."""
    wishes = list(_weighted(accept))
    openmetrics = max((q for q, kind, version in wishes if _is_openmetrics(kind, version)), default=0.0)
    text = max((q for q, kind, _ in wishes if kind == "text/plain"), default=0.0)
    return openmetrics > 0 and openmetrics >= text


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header names gzip with a weight over 0."""
    return any(kind == "gzip" and q > 0 for q, kind, _ in _weighted(accept_encoding))


def _is_openmetrics(kind: str, version: str) -> bool:
    return kind == "application/openmetrics-text" and version in ("", "1.0.0")


def _weighted(header: str) -> Iterator[tuple[float, str, str]]:
    """(weight, kind, version) of each element of an Accept or Accept-Encoding header."""
    for element in header.lower().split(","):
        kind, *parameters = (part.strip() for part in element.split(";"))
        given = dict(part.split("=", 1) for part in parameters if "=" in part)
        yield _weight(given.get("q", "1")), kind, given.get("version", "")


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
