"""One time line through jumps of the clock, sleeps and restarts: it never goes back."""

from __future__ import annotations

JITTER = 1.0
"""Seconds by which the wall clock may fall behind the monotonic one without having been set back."""


class Timeline:
    """Seconds that windows are measured in. They start at `time`, when the two clocks showed `wall` and `monotonic`.

    The wall clock counts, because the monotonic one stands still while a machine sleeps. Only where the wall
    clock was set back do we take what the monotonic clock says has passed: events keep their ages then.
    """

    def __init__(self, time: float, wall: float, monotonic: float) -> None:
        self.time = time
        self.wall = wall
        self._monotonic = monotonic

    def advance(self, wall: float, monotonic: float) -> float:
        """Return the time now, at least what it was; `wall` is Unix seconds, `monotonic` of any origin."""
        by_wall, by_monotonic = wall - self.wall, monotonic - self._monotonic
        elapsed = by_wall if by_wall >= by_monotonic - JITTER else by_monotonic
        self.time += max(0.0, elapsed)
        self.wall, self._monotonic = wall, monotonic
        return self.time


def after_pause(time: float, stopped: float, started: float) -> float:
    """Return the time of a restart; `stopped` and `started` are Unix seconds, between them nobody counted."""
    return time + max(0.0, started - stopped)
