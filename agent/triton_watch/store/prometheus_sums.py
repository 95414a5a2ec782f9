"""Events in windows, read from Prometheus: one query a window, or for long ones a window and objective.

`increase()` knows the agents' restarts, counts series that vanished within the window, and extrapolates from the
first and last scrape to the window's edges: sums are estimates, not whole numbers, best where a window holds many
scrapes. What a new process of the agent counted before its first scrape is not in them. Each query is a plain
`sum(increase(x[W]))`, for that is what Mimir's and Thanos's front ends can split over time and cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from triton_watch.conventions.slo import SLO_EVENTS
from triton_watch.records import Objective, SeriesKey, WindowSums
from triton_watch.store.prometheus_ages import reported_before, reported_now, watched_since
from triton_watch.store.prometheus_queries import BY_KEY, Selector, duration, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from triton_watch.records import FloatArray
    from triton_watch.store.prometheus_api import PrometheusApi

Counts: TypeAlias = "Mapping[SeriesKey, float]"
RESULTS: Final = ("good", "bad")
_TOGETHER: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: `objectives` of one `period` (seconds), by name, up to `at` (Unix seconds)."""

    api: PrometheusApi
    selector: Selector
    objectives: Mapping[str, Objective]
    period: float
    at: float

    def covers(self, key: SeriesKey) -> bool:
        """Whether a series belongs to its objective: globs are ours, Prometheus does not know them."""
        objective = self.objectives.get(key.slo)
        return objective is not None and objective.covers(key.target, key.model.name)

    def windows(self) -> tuple[float, ...]:
        """The burn windows of all the objectives, each once, ascending, and the period at their end."""
        lengths = {length for one in self.objectives.values() for length in one.burn_lengths}
        return (*sorted(length for length in lengths if length < self.period), self.period)

    def events(self, names: Iterable[str] | None = None, result: str | None = None) -> str:
        """The counters of these objectives, or of some of them."""
        return self.selector.series(SLO_EVENTS, self.objectives if names is None else names, result=result)

    def shares(self, window: float) -> list[list[str]]:
        """Names of objectives to ask about together: of windows (seconds) that take long to add up, one at a time.

        The deadline, and Prometheus's own limits, are those of one query.
        """
        names = sorted(self.objectives)
        return [names] if window <= _TOGETHER else [[name] for name in names]


def read_sums(question: Question) -> WindowSums:
    """The events of each target and model version. Raises HistoryError."""
    windows = question.windows()
    tables = [_events_in(question, window) for window in windows]
    seen = {key for table in tables for counts in table.values() for key in counts}
    said = reported_now(question)
    keys = tuple(sorted(seen | said.keys()))
    said |= reported_before(question, seen - said.keys())
    since = watched_since(question, seen | said.keys())
    return WindowSums(
        at=question.at,
        keys=keys,
        windows=windows,
        good=_matrix([table["good"] for table in tables], keys),
        bad=_matrix([table["bad"] for table in tables], keys),
        covered=np.minimum(question.at - _vector(since, keys, question.at), question.period),
        silence=np.maximum(question.at - _vector(said, keys, np.nan), 0.0),
    )


def _events_in(question: Question, window: float) -> Mapping[str, Counts]:
    """Good and bad events of the last `window` seconds."""
    found: dict[str, dict[SeriesKey, float]] = {result: {} for result in RESULTS}
    for names in question.shares(window):
        query = f"sum by ({BY_KEY}, result) (increase({question.events(names)}[{duration(window)}]))"
        for sample in question.api.instant(query, question.at):
            key = key_of(sample.labels)
            result = sample.labels.get("result", "")
            if result in found and question.covers(key):
                found[result][key] = sample.value
    return found


def _matrix(tables: Sequence[Counts], keys: Sequence[SeriesKey]) -> FloatArray:
    """(w, n) values; a series that is not in a table had no event there."""
    return np.array([[table.get(key, 0.0) for key in keys] for table in tables], dtype=np.float64)


def _vector(values: Counts, keys: Sequence[SeriesKey], otherwise: float) -> FloatArray:
    return np.array([values.get(key, otherwise) for key in keys], dtype=np.float64)
