"""Measured values as people read them: rates, sizes, and indicators in their units."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.wording import words
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONG: Final = 600.0
"""Seconds from which minutes say more."""


def size(value: float) -> str:
    """Write bytes: 512 B, 4.0 KiB, 80 MiB, 9.5 GiB."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1023.5 or unit == "TiB":
            break
        value /= 1024
    return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"


def rate(value: float) -> str:
    """Write something a second: 0.53, 12.3, 950, 12.3k."""
    return f"{value:.3g}" if 0 < value < 100 and value != round(value) else words.number(value)


def duration(value: float) -> str:
    """Write how long something took, seconds, in at most seven characters, days in some more: 40 ms, 16 min."""
    return words.seconds(value) if value < _LONG else words.span(value)


def _with(unit: str) -> Callable[[float], str]:
    return lambda value: f"{rate(value)} {unit}"


_UNITS: Final[Mapping[str, Callable[[float], str]]] = MappingProxyType(
    {
        "s": duration,
        "ratio": words.percent,
        "req/s": _with("req/s"),
        "requests": rate,
        "J": _with("J"),
        "samples": rate,
    }
)


def with_unit(value: float | None, unit: str) -> str:
    """Write the value of an indicator in its unit: that of `Indicator.unit` in what the agent tells."""
    return NO_DATA if value is None else _UNITS.get(unit, rate)(value)
