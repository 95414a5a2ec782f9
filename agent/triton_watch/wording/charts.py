"""The geometry of a row's charts: how its budget went down over the period, and when its bad events were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.wording import words

if TYPE_CHECKING:
    from triton_watch.records import Course, FloatArray, ReportRow

WIDTH, HEIGHT = 300, 80
"""Units of the drawings, which are stretched to the place that a page has."""
STEPS = 60
"""Most steps of a chart: there are never more than moments that are known."""
_DAYS = 3 * 86400.0
LOWEST = -1.0
"""The drawing ends where twice the budget is spent."""


@dataclass(frozen=True, slots=True)
class Charts:
    """Path data for SVG, in a box of `WIDTH` x `HEIGHT`, and the words beside them.

    `left` and `spent` are the line of the budget above and below zero, with their `areas` down to the zero line, which
    is at height `zero`. `bars` are bad events a step. `lowest` is the ratio at the lower edge.
    """

    left: str
    spent: str
    left_area: str
    spent_area: str
    zero: str
    bars: str
    lowest: str
    most: str
    step: str
    start: str
    end: str


def charts(row: ReportRow, at: float) -> Charts | None:
    """Return the charts of a row up to `at` (Unix seconds); None where nothing is known to draw."""
    known = row.course
    allowed = (row.good + row.bad) * (1 - row.goal.objective)
    if known is None or known.times.size < 2 or not allowed > 0 or not np.isfinite(known.times).all():
        return None
    start, last = max(known.times[0], at - row.objective.period), known.times[-1]
    if not last > start:
        return None
    times, bad = _steps(known, start, last)
    x = (times - start) / (max(at, last) - start) * WIDTH
    return _drawn(row, x, 1 - bad / allowed, np.diff(bad), (start, last, max(at, last)))


def _steps(course: Course, start: float, last: float) -> tuple[FloatArray, FloatArray]:
    """Return the bad events since `start` at moments of equal distance; sums that are no numbers count as none."""
    steps = min(STEPS, max(1, int((course.times > start).sum())))
    times = np.linspace(start, last, steps + 1)
    bad = np.interp(times, course.times, np.nan_to_num(course.bad, posinf=0.0))
    return times, np.maximum.accumulate(bad - bad[0])


def _drawn(
    row: ReportRow, x: FloatArray, left: FloatArray, bad: FloatArray, ends: tuple[float, float, float]
) -> Charts:
    lowest = max(LOWEST, min(0.0, float(left.min())))
    x, left = _with_crossing(x, left)
    zero = HEIGHT / (1 - lowest)
    y = np.clip((1 - left) * zero, 0, HEIGHT)
    above, below = left >= 0, left <= 0
    start, last, end = ends
    return Charts(
        left=_line(x[above], y[above]),
        spent=_line(x[below], y[below]),
        left_area=_area(x[above], y[above], zero),
        spent_area=_area(x[below], y[below], zero),
        zero=_number(zero),
        bars=_bars(bad, (last - start) / (end - start) * WIDTH / len(bad)),
        lowest=words.percent(lowest),
        most=words.amount(row.objective, float(bad.max())),
        step=words.span((last - start) / len(bad)),
        start=_moment(start, end - start),
        end=_moment(end, end - start),
    )


def _with_crossing(x: FloatArray, left: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Add the point at which the budget was spent, so that the line changes its colour there."""
    after = int(np.argmax(left < 0))
    if not (left < 0).any() or after == 0 or left[after - 1] == 0:
        return x, left
    share = left[after - 1] / (left[after - 1] - left[after])
    return np.insert(x, after, x[after - 1] + share * (x[after] - x[after - 1])), np.insert(left, after, 0.0)


def _line(x: FloatArray, y: FloatArray) -> str:
    points = [f"{_number(a)} {_number(b)}" for a, b in zip(x, y, strict=True)]
    return f"M{'L'.join(points)}" if len(points) > 1 else ""


def _area(x: FloatArray, y: FloatArray, zero: float) -> str:
    line = _line(x, y)
    return f"{line}V{_number(zero)}H{_number(x[0])}Z" if line else ""


def _bars(bad: FloatArray, step: float) -> str:
    most = bad.max()
    if not most > 0:
        return ""
    heights = np.where(bad > 0, np.maximum(bad / most * (HEIGHT - 2), 1.5), 0)
    return "".join(
        f"M{_number(i * step)} {HEIGHT}v-{_number(height)}h{_number(step * 0.8)}V{HEIGHT}z"
        for i, height in enumerate(heights)
        if height > 0
    )


def _moment(at: float, length: float) -> str:
    """Return a day, for an axis of some days; with the time of day for a shorter one."""
    written = words.when(at)
    return written[:10] if length >= _DAYS and written.endswith("UTC") else written


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
