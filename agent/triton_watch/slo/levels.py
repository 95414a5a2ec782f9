"""Which moments are remembered for which windows: few resolutions, each good for windows of like length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triton_watch.records import Objective

ROWS = 60
"""Moments in the longest window of a level: its edge is sharp to 1/120 of its length."""
REACH = 3
"""A level also serves windows down to this part of its longest: their edge is sharp to 1/40."""
CAPACITY = ROWS + 4
"""Rows kept: one a slot, and what lies just before the longest window."""


@dataclass(frozen=True, slots=True)
class Level:
    """Cumulative sums at moments `resolution` seconds apart, for windows up to `span` seconds."""

    resolution: float
    span: float

    def slot(self, time: float) -> int:
        """The slot of a moment: of all moments in a slot the last is kept."""
        return int(time // self.resolution)


def levels_for(windows: Iterable[float]) -> Mapping[float, Level]:
    """Return the level that serves each window (seconds), from the finest to the coarsest.

    At a period of 30 days: 5 s for 5m, 1 min for 30m and 1h, 6 min for 2h and 6h, 72 min for 1d and 3d, and
    12 h for the period.
    """
    found: dict[float, Level] = {}
    level: Level | None = None
    for window in sorted(set(windows), reverse=True):
        if level is None or window * REACH < level.span:
            level = Level(window / ROWS, window)
        found[window] = level
    return dict(sorted(found.items()))


def windows_of(objectives: Iterable[Objective]) -> tuple[float, ...]:
    """All windows (seconds, ascending) that objectives of one period need; the last is the period."""
    needed = {one.period for one in objectives}
    for objective in objectives:
        needed |= objective.burn_lengths
    return tuple(sorted(needed))
