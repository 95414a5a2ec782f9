"""The last hour of models in even steps: sums are kept, and ratios are formed here, last of all."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.daemon.facts.model import Recent
from triton_watch.records import Sum

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from triton_watch.records import FloatArray, ModelKey, RecentSlot, RecentTable

_HOUR: Final = 3600.0
_INTERVALS: Final = 4
"""Of the target: a poll says nothing of single moments before it where there was none for longer."""
_DIGITS: Final = 6
"""Of a ratio; sums are kept with seven."""


def recent_of(table: RecentTable | None, keys: Sequence[ModelKey], now: float, interval: float) -> list[Recent | None]:
    """Return the last hour of each of these models up to `now` (Unix seconds); None where nothing is known of it.

    Steps of which no poll tells are there and hold nothing, those between the last poll and now among them.
    `interval` is that of the target's polls, seconds: where it is longer than a step, a poll tells of several.
    Where the length of a step changed, only slots of the new length count.
    """
    last = table.slots[-1] if table is not None and table.slots else None
    if table is None or last is None or not last.seconds > 0:
        return [None] * len(keys)
    step = last.seconds
    end = last.begin + step * max(0, int((now - last.begin) // step))
    places = _places(table.slots, end, step)
    if not places:
        return [None] * len(keys)
    steps = max(places) + 1
    sums = np.full((len(Sum), steps, len(keys)), np.nan)
    for back, slot in places.items():
        _fill(sums[:, steps - 1 - back], slot, keys)
    _spread(sums, (steps - 1 - back for back in places), step, interval)
    return _told(sums, end - (steps - 1) * step, step)


def _places(slots: Iterable[RecentSlot], end: float, step: float) -> Mapping[int, RecentSlot]:
    """Return the slots of the hour by how many steps before `end`, the begin of the last step, they are."""
    found = {round((end - slot.begin) / step): slot for slot in slots if slot.seconds == step}
    return {back: slot for back, slot in found.items() if 0 <= back < _HOUR / step}


def _fill(sums: FloatArray, slot: RecentSlot, keys: Sequence[ModelKey]) -> None:
    """Put the sums of the slot's models where they belong in `sums`, (len(Sum), len(keys))."""
    columns = [slot.models.row.get(key) for key in keys]
    known = [i for i, column in enumerate(columns) if column is not None]
    sums[:, known] = slot.sums[:, [column for column in columns if column is not None]]


def _spread(sums: FloatArray, polled: Iterable[int], step: float, interval: float) -> None:
    """Repeat what a poll tells in the steps before it that it watched, too, and in which no poll ended.

    A slot holds all that its polls watched: its SECONDS say how far that reaches back. `polled` are steps.
    """
    most = _INTERVALS * interval / step
    for before, at in pairwise(sorted(polled)):
        if at - before - 1 <= most:
            for back in range(1, at - before):
                watched = sums[Sum.SECONDS, at] >= (back + 0.5) * step
                sums[:, at - back, watched] = sums[:, at, watched]


def _told(sums: FloatArray, begin: float, step: float) -> list[Recent | None]:
    good, bad, seconds = sums[Sum.GOOD], sums[Sum.BAD], sums[Sum.SECONDS]
    # Executions that fail are counted, their inferences are not: an average of 0 would be no batch at all.
    inferences = np.where(sums[Sum.INFERENCES] > 0, sums[Sum.INFERENCES], np.nan)
    curves = (
        _ratios(good + bad, seconds),
        _ratios(bad, seconds),
        _ratios(sums[Sum.QUEUE], good),
        _ratios(sums[Sum.REQUEST], good),
        _ratios(inferences, sums[Sum.EXECUTIONS]),
    )
    known = (seconds > 0).any(axis=0)
    return [
        Recent(begin, step, *(curve[model] for curve in curves)) if is_known else None
        for model, is_known in enumerate(known.tolist())
    ]


def _ratios(above: FloatArray, below: FloatArray) -> list[tuple[float | None, ...]]:
    """The ratio of each step of each model, None where there is nothing below, or either is not known."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = _rounded(np.where(below > 0, above / below, np.nan)).T
    told = ratio.astype(object)
    told[~np.isfinite(ratio)] = None
    return [tuple(model) for model in told.tolist()]


def _rounded(ratio: FloatArray) -> FloatArray:
    """Numbers to `_DIGITS` digits: what is behind them is noise, and makes answers long."""
    size = np.floor(np.log10(np.where(ratio > 0, ratio, 1.0)))
    scale = 10.0 ** np.clip(_DIGITS - 1 - size, -300, 300)
    rounded: FloatArray = np.round(ratio * scale) / scale
    return rounded
