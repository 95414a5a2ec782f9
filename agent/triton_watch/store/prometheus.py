"""A fleet's history of objectives, read from Prometheus, Thanos or Mimir.

Events are added up over agents and replicas; ratios are formed last, by whoever gets the sums. Nothing is ever
averaged: a replica with little traffic must not weigh as much as a busy one.

Two agents that watch one server, a pair for availability, both count its requests. Their series cannot be told from
those of two servers whose target has one name, as in sidecars that are all configured alike; and to take the greater
count of the two would lose most of the traffic of such sidecars. So events are added up in both cases, which keeps
every ratio right, and a warning says that a target is counted more than once, and how to choose one agent.
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_watch.slo.report import added_up, silent_targets
from triton_watch.store.prometheus_api import PrometheusApi
from triton_watch.store.prometheus_courses import read_courses
from triton_watch.store.prometheus_doubts import doubts
from triton_watch.store.prometheus_errors import HistoryError
from triton_watch.store.prometheus_objectives import ObjectiveReader
from triton_watch.store.prometheus_queries import Selector
from triton_watch.store.prometheus_sums import Question, read_sums
from triton_watch.triton.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from triton_watch.records import BurnWindow, Course, Objective, PrometheusSettings, SeriesKey, WindowSums

__all__ = ["HistoryError", "PeriodSums", "PrometheusHistory"]


@dataclass(frozen=True, slots=True, eq=False)
class PeriodSums:
    """The events of all objectives of one period, by name.

    `targets` says for each key of `sums` over which targets it was added up.
    """

    objectives: Mapping[str, Objective]
    sums: WindowSums
    targets: Mapping[SeriesKey, tuple[str, ...]]


class PrometheusHistory:
    """Answers from one Prometheus. Every method may raise HistoryError, one sentence.

    `now` gives Unix seconds, `clock` monotonic ones; `windows_of` the burn windows for a period in seconds.
    `settings.timeouts.total` bounds each query: a report asks one or two dozen for each period, one after another.
    """

    def __init__(
        self,
        settings: PrometheusSettings,
        *,
        now: Callable[[], float],
        windows_of: Callable[[float], tuple[BurnWindow, ...]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._selector = Selector(settings)
        self._api = PrometheusApi(settings, clock=clock)
        self._now = now
        self._windows_of = windows_of

    @property
    def source(self) -> str:
        """Where history comes from, fit to be shown."""
        return f"Prometheus at {shown(self._api.url)}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful about the answers so far, as sentences, each once, the newest ones."""
        return self._api.warnings

    def objectives(self) -> tuple[Objective, ...]:
        """The objectives that agents exported in the last 30 days, by name.

        Their `models` and `targets` are everything, for events exist only of what an objective is about.
        """
        return ObjectiveReader(self._api, self._selector, self._now(), self._windows_of).read()

    def sums(self, objectives: Iterable[Objective], *, per_target: bool = False) -> tuple[PeriodSums, ...]:
        """The events of these objectives until now, one result for each period among them.

        Unless `per_target`, a model version is added up over its targets, and its key's target is empty.
        """
        return tuple(self._sums(question, per_target) for question in self._questions(objectives))

    def courses(
        self, objectives: Iterable[Objective], *, per_target: bool = False, points: int = 60
    ) -> dict[SeriesKey, Course]:
        """How the events came about over each objective's period, in about so many `points`.

        Keys are those of `sums`; a series without two scrapes in any step has no course.
        """
        found: dict[SeriesKey, Course] = {}
        for question in self._questions(objectives):
            found |= read_courses(question, per_target=per_target, points=points)
        return found

    def close(self) -> None:
        """Close the connection."""
        self._api.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sums(self, question: Question, per_target: bool) -> PeriodSums:
        sums = read_sums(question)
        for sentence in doubts(question):
            self._api.warn(sentence)
        summed, targets = added_up(sums)
        if not per_target:
            for sentence in silent_targets(sums, question.objectives):
                question.api.warn(sentence.rstrip("."))
        if per_target:
            summed, targets = sums, {key: (key.target,) for key in sums.keys}
        return PeriodSums(question.objectives, summed, targets)

    def _questions(self, objectives: Iterable[Objective]) -> list[Question]:
        by_period: dict[float, dict[str, Objective]] = defaultdict(dict)
        for one in objectives:
            by_period[one.period][one.name] = one
        at = self._now()
        return [Question(self._api, self._selector, some, period, at) for period, some in by_period.items()]
