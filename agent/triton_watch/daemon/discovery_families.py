"""The series of discovery: one builder for each metric of `conventions.discovery`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from triton_watch.conventions import discovery as d
from triton_watch.daemon.labels import LabelSet
from triton_watch.records import SourceStatus

if TYPE_CHECKING:
    from triton_watch.conventions import Metric

Series: TypeAlias = tuple[LabelSet, float]
Builder: TypeAlias = Callable[[Sequence[SourceStatus]], Iterable[Series]]


def _of(read: Callable[[SourceStatus], float | None]) -> Builder:
    def build(sources: Sequence[SourceStatus]) -> Iterator[Series]:
        for source in sources:
            value = read(source)
            if value is not None:
                yield LabelSet(source=source.label), float(value)

    return build


DISCOVERY_BUILDERS: dict[Metric, Builder] = {
    d.DISCOVERY_TARGETS: _of(lambda source: source.targets),
    d.DISCOVERY_SUCCESS: _of(lambda source: source.last_success),
    d.DISCOVERY_FAILURES: _of(lambda source: source.failures),
}
