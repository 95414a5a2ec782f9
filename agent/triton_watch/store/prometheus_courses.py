"""How events came about over the period, read from Prometheus: increases of each step, added up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.records import Course
from triton_watch.store.prometheus_queries import BY_KEY, BY_SUM, duration, key_of
from triton_watch.store.prometheus_sums import RESULTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from triton_watch.records import FloatArray, SeriesKey
    from triton_watch.store.prometheus_answers import Track
    from triton_watch.store.prometheus_sums import Question

_SHORTEST: Final = 120.0
"""Seconds of the shortest step: increase() needs two scrapes in it."""


def read_courses(question: Question, *, per_target: bool, points: int) -> dict[SeriesKey, Course]:
    """The course of each series; its steps are period / points, two minutes at least. Raises HistoryError."""
    step = max(question.period / points, min(_SHORTEST, question.period))
    # Prometheus need not send targets apart that are added up here; but globs of targets must see their names.
    by = BY_KEY if per_target or not _all_targets(question) else BY_SUM
    start = question.at - (max(1, int(question.period / step + 1e-9)) - 1) * step
    tracks: list[Track] = []
    for names in question.shares(question.period):
        query = f"sum by ({by}, result) (increase({question.events(names)}[{duration(step)}]))"
        tracks += question.api.over(query, start, question.at, step)
    # A front end may have moved the moments to multiples of the step: those that came are the ones that count.
    grid = np.unique(np.concatenate([track.times for track in tracks])) if tracks else np.empty(0)
    steps: dict[SeriesKey, FloatArray] = {}
    for track in tracks:
        key, result = key_of(track.labels), track.labels.get("result", "")
        if result in RESULTS and question.covers(key):
            own = key if per_target else key._replace(target="")
            table = steps.setdefault(own, np.full((len(RESULTS), len(grid)), np.nan))
            _add(table[RESULTS.index(result)], np.searchsorted(grid, track.times), track.values)
    return {key: _course(grid, table, step) for key, table in steps.items()}


def _add(row: FloatArray, places: NDArray[np.intp], values: FloatArray) -> None:
    """Add values to a row of steps; NaN is a step of which nothing is known."""
    row[places] = np.where(np.isnan(row[places]), 0.0, row[places]) + values


def _course(grid: FloatArray, table: FloatArray, step: float) -> Course:
    """Cumulate the steps, from the beginning of the first that is known."""
    first = int(np.argmax(~np.isnan(table).all(axis=0)))
    times = np.concatenate([[grid[first] - step], grid[first:]])
    sums = np.cumsum(np.nan_to_num(table[:, first:], posinf=0.0), axis=1)
    good, bad = np.concatenate([np.zeros((len(RESULTS), 1)), sums], axis=1)
    return Course(times, good, bad)


def _all_targets(question: Question) -> bool:
    return all(one.targets == ("*",) for one in question.objectives.values())
