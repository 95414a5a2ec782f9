"""The exporter: a metrics page of what the daemon knows, made when it is scraped and only then."""

from __future__ import annotations

from dataclasses import dataclass
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
    from collections.abc import Iterator

    from triton_watch.daemon.state import StateSource


@dataclass(frozen=True, slots=True)
class Page:
    """A metrics page: `blocks` joined are the body, `size` is its bytes."""

    content_type: str
    content_encoding: str | None
    blocks: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return sum(map(len, self.blocks))


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

        Compressed while it is made, so that a large page never stands in memory as a whole.
        """
        openmetrics = exposition.wants_openmetrics(accept)
        gzip = exposition.accepts_gzip(accept_encoding)
        blocks = self._blocks(openmetrics=openmetrics)
        return Page(
            exposition.OPENMETRICS if openmetrics else exposition.TEXT,
            "gzip" if gzip else None,
            tuple(exposition.compressed(blocks) if gzip else blocks),
        )

    def _blocks(self, *, openmetrics: bool) -> Iterator[bytes]:
        ours = exposition.render(families(view_of(self._source, self._version)), openmetrics=openmetrics)
        generate = generate_openmetrics if openmetrics else generate_text
        # The process metrics come last: in OpenMetrics, theirs is the text that ends with "# EOF".
        return chain(ours, (generate(registry) for registry in [self.registry]))


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
        metric.add_sample(ours.name, labels.values, value)
    return metric
