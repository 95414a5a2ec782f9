"""The exporter: a metrics page of what the daemon knows, made when it is scraped and only then."""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, Metric, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest as generate_text
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from triton_watch.daemon import exposition
from triton_watch.daemon.families import Family, families, view_of
from triton_watch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.daemon.state import StateSource


@dataclass(frozen=True, slots=True)
class Page:
    """A metrics page; `content_encoding` is "gzip" or, for a plain body, None."""

    content_type: str
    content_encoding: str | None
    body: bytes = field(repr=False)


class Exporter:
    """Renders the state of a daemon, and this process's own CPU, memory and garbage collection.

    `registry` is its own and holds those process metrics; nothing is in prometheus_client's global one.
    """

    def __init__(self, source: StateSource, version: str = __version__) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._source = source
        self._version = version

    def page(self, accept: str = "", accept_encoding: str = "") -> Page:
        """The page in the form that the two request headers ask for; classic text where they do not say.

        Compressed while it is made: of a page for Prometheus, which asks for gzip, only that is ever held.
        """
        return self.page_in(*self.form(accept, accept_encoding))

    @staticmethod
    def form(accept: str, accept_encoding: str) -> tuple[bool, bool]:
        """Whether the two request headers ask for OpenMetrics, and for gzip."""
        return exposition.wants_openmetrics(accept), exposition.accepts_gzip(accept_encoding)

    def page_in(self, openmetrics: bool, gzip: bool) -> Page:
        """The page in this form."""
        blocks = self._blocks(openmetrics=openmetrics)
        return Page(
            exposition.OPENMETRICS if openmetrics else exposition.TEXT,
            "gzip" if gzip else None,
            _joined(exposition.compressed(blocks) if gzip else blocks),
        )

    def _blocks(self, *, openmetrics: bool) -> Iterator[bytes]:
        ours = exposition.render(families(view_of(self._source, self._version)), openmetrics=openmetrics)
        generate = generate_openmetrics if openmetrics else generate_text
        # The process metrics come last: in OpenMetrics, theirs is the text that ends with "# EOF".
        return chain(ours, (generate(registry) for registry in [self.registry]))


def _joined(blocks: Iterable[bytes]) -> bytes:
    """The blocks as one, of which no second copy is made: b"".join would hold all of them beside it."""
    whole = BytesIO()
    for block in blocks:
        whole.write(block)
    return whole.getvalue()


class WatchCollector(Collector):
    """The daemon's state as prometheus_client's own types, for whoever has a registry of theirs to fill."""

    def __init__(self, source: StateSource, version: str = __version__) -> None:
        self._source = source
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """Every family that has series; all its samples are held at once."""
        for family in families(view_of(self._source, self._version)):
            metric = as_client_metric(family)
            if metric.samples:
                yield metric


def as_client_metric(family: Family) -> Metric:
    """The family as prometheus_client's type."""
    ours = family.metric
    metric = Metric(exposition.family_name(ours), ours.help, ours.type, ours.unit)
    for labels, value in family.series:
        metric.add_sample(ours.name + labels.suffix, labels.values, value)
    return metric
