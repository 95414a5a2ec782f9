"""Since when series have been watched, and when their indicators last had a say.

Both are the extreme of a time over the period. To look at each scrape of a month would be as dear as the sums, so the
moment that settles most of it is asked about first, and only for what is still open the rest is looked at piece by
piece, at `POINTS` moments of each. Pieces get shorter towards now, so that an age is told to some two hundredths of
itself. They are short for another reason, too: Prometheus 2.42 takes minutes for `timestamp(x)` in a subquery of many
steps (1,000 series at 240 moments of a month; a second for 15), where `x` alone takes none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.conventions.slo import SLO_EVENTS, SLO_NO_DATA
from triton_watch.store.prometheus_queries import BY_KEY, duration, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from triton_watch.records import SeriesKey
    from triton_watch.store.prometheus_sums import Question

POINTS: Final = 15
_SHRINK: Final = 0.75
_SHORTEST: Final = 300.0
_START: Final = 1 / 240
"""Of the period: a series that is there so soon after its start has been there from the start."""
_FEW: Final = 100
"""Models that are named in a query; of more, all are asked for."""


def watched_since(question: Question, keys: AbstractSet[SeriesKey]) -> dict[SeriesKey, float]:
    """Unix time of the oldest sample of each series, at most the period ago; gaps after it do not count.

    A series whose life was too short for the moments that are looked at is not in the answer. Raises HistoryError.
    """
    start = question.at - question.period
    # Both results of a key are exported together, so one of them is enough.
    series = question.selector.series(SLO_EVENTS, question.objectives, result="good")
    there = _found(question, f"group by ({BY_KEY}) ({series})", start + question.period * _START)
    since = dict.fromkeys(there.keys() & keys, start)
    for older, newer, step in _pieces(question.period):
        missing = keys - since.keys()
        if not missing:
            break
        series = question.selector.series(SLO_EVENTS, question.objectives, _models(missing), "good")
        query = (
            f"min by ({BY_KEY}) (min_over_time((time() + 0 * {series})[{duration(older - newer)}:{duration(step)}]))"
        )
        found = _found(question, query, question.at - newer)
        since |= {key: max(found[key], start) for key in missing & found.keys()}
    return since


def reported_now(question: Question) -> dict[SeriesKey, float]:
    """Unix time at which the indicator last had a say, of series that are scraped now. Raises HistoryError.

    That is the time of the last scrape, less the silence then; of several agents it is the latest.
    """
    silence = question.selector.series(SLO_NO_DATA, question.objectives)
    return _found(question, f"max by ({BY_KEY}) (timestamp({silence}) - {silence})", question.at)


def reported_before(question: Question, keys: AbstractSet[SeriesKey]) -> dict[SeriesKey, float]:
    """The same of series that are no more: what their last scrape said. Raises HistoryError."""
    said: dict[SeriesKey, float] = {}
    for older, newer, step in reversed([*_pieces(question.period)]):
        missing = keys - said.keys()
        if not missing:
            break
        silence = question.selector.series(SLO_NO_DATA, question.objectives, _models(missing))
        spoken = f"(timestamp({silence}) - {silence})[{duration(older - newer)}:{duration(step)}]"
        found = _found(question, f"max by ({BY_KEY}) (max_over_time({spoken}))", question.at - newer)
        said |= {key: found[key] for key in missing & found.keys()}
    return said


def _pieces(period: float) -> Iterator[tuple[float, float, float]]:
    """Ages between which to look, and the step to do so, all in seconds; the oldest piece first."""
    older = period
    while older > _SHORTEST:
        yield older, older * _SHRINK, older * (1 - _SHRINK) / POINTS
        older *= _SHRINK
    yield older, 0.0, older / (4 * POINTS)


def _models(keys: AbstractSet[SeriesKey]) -> frozenset[str] | None:
    names = frozenset(key.model.name for key in keys)
    return names if len(names) <= _FEW else None


def _found(question: Question, query: str, at: float) -> dict[SeriesKey, float]:
    found = ((key_of(sample.labels), sample.value) for sample in question.api.instant(query, at))
    return {key: value for key, value in found if question.covers(key)}
