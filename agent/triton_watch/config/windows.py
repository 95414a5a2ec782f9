"""The burn-rate table of `slo/windows.yaml`, scaled to the period of an objective."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import yaml

from triton_watch.config.units import parse_duration
from triton_watch.records import BurnWindow, Page

if TYPE_CHECKING:
    from collections.abc import Collection

_STEP: Final = 10.0
"""Seconds: scaled windows are whole multiples of it, so that people and Prometheus can write them."""


@dataclass(frozen=True, slots=True)
class BurnTable:
    """Burn windows as they are for one `period`. Seconds; no window is scaled below `shortest`."""

    period: float
    shortest: float
    windows: tuple[BurnWindow, ...]

    def scaled(self, period: float, severities: Collection[Page]) -> tuple[BurnWindow, ...]:
        """Return the windows of these severities for another period, in the order of the table."""
        return tuple(self._scaled(one, period) for one in self.windows if one.severity in severities)

    def _scaled(self, window: BurnWindow, period: float) -> BurnWindow:
        if period == self.period:
            return window
        long, short = self._length(window.long * period), self._length(window.short * period)
        long = long if long > short else 2 * short
        return BurnWindow(window.severity, window.factor, long, short, window.hold)

    def _length(self, unscaled: float) -> float:
        return max(self.shortest, _STEP * round(unscaled / self.period / _STEP))


def burn_windows(period: float, severities: Collection[Page]) -> tuple[BurnWindow, ...]:
    """Return the burn windows of an objective over `period` seconds, those of the given severities alone.

    Windows keep their share of the period, and with their factor that of the budget (Google SRE Workbook,
    chapter 5); they are whole multiples of 10 s, none is under a minute, and the long one is the longer.
    """
    return _table().scaled(period, severities)


@functools.cache
def _table() -> BurnTable:
    """Read the package's table: constant data, so reading it once is enough."""
    text = resources.files("triton_watch.slo").joinpath("windows.yaml").read_text("utf-8")
    data = yaml.safe_load(text)
    windows = tuple(_window(row) for row in data["windows"])
    return BurnTable(parse_duration(data["period"]), parse_duration(data["shortest"]), windows)


def _window(row: dict[str, Any]) -> BurnWindow:
    long, short, hold = (parse_duration(row[name]) for name in ("long", "short", "for"))
    return BurnWindow(Page(row["severity"]), float(row["factor"]), long, short, hold)
