"""Durations, percentages and byte sizes as people write them, and back to text.

Each parser takes what YAML gave (any type), returns base units (seconds, a ratio, bytes) and raises
`ParseError`; each formatter writes the shortest text that parses to the same value.
"""

from __future__ import annotations

import re
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.config.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Mapping

DURATION_PATTERN = r"(?=\d)(?:\d{1,6}d)?(?:\d{1,6}h)?(?:\d{1,6}m)?(?:\d{1,6}(?:\.\d{1,3})?s)?(?:\d{1,6}ms)?"
PERCENTAGE_PATTERN = r"(?:100(?:\.0{1,9})?|\d{1,2}(?:\.\d{1,9})?)%"
SIZE_PATTERN = r"\d{1,12}(?:B|[KMG]i?B)"

_MILLISECONDS: Mapping[str, int] = MappingProxyType({"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1})
_BYTES: Mapping[str, int] = MappingProxyType(
    {"GiB": 1 << 30, "GB": 10**9, "MiB": 1 << 20, "MB": 10**6, "KiB": 1 << 10, "KB": 1000, "B": 1}
)


def parse_duration(value: object) -> float:
    """Seconds of a duration such as `250ms`, `5s`, `1m30s`, `2h` or `30d`; a whole number of milliseconds."""
    text = _text(value, "a duration", "a number with a unit (ms, s, m, h, d), such as 15s, 250ms or 1m30s")
    if not re.fullmatch(DURATION_PATTERN, text, re.ASCII):
        raise ParseError(
            f'"{text}" is not a duration: write numbers with units (d, h, m, s, ms, in this order), '
            "such as 15s, 250ms or 1m30s."
        )
    parts = re.findall(r"([\d.]+)(ms|[dhms])", text)
    return float(sum(Decimal(number) * _MILLISECONDS[unit] for number, unit in parts) / 1000)


def format_duration(seconds: float) -> str:
    """Write seconds as a duration, to the millisecond: 90.5 is `1m30s500ms`."""
    rest = round(seconds * 1000)
    parts = []
    for unit, size in _MILLISECONDS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_percentage(value: object) -> float:
    """Read `99.9%` as the ratio 0.999; from 0% to 100%."""
    text = _text(value, "a percentage", "a number from 0 to 100 and a percent sign, such as 99.9%")
    if re.fullmatch(r"\d{1,3}\.\d{10,}%", text, re.ASCII):
        raise ParseError(f'"{text}" is too exact: write at most nine digits after the point.')
    if not re.fullmatch(PERCENTAGE_PATTERN, text, re.ASCII):
        raise ParseError(
            f'"{text}" is not a percentage: write a number from 0 to 100 and a percent sign, such as 99.9%.'
        )
    return float(Decimal(text[:-1]) / 100)


def format_percentage(ratio: float) -> str:
    """Write a ratio from 0 to 1 as a percentage: 0.999 is `99.9%`."""
    percent = format((Decimal(repr(ratio)) * 100).quantize(Decimal("1e-9")), "f")
    return f"{percent.rstrip('0').rstrip('.')}%"


def format_ratio(ratio: float) -> str | float:
    """Write a percentage where it says the ratio exactly, else the number."""
    text = format_percentage(ratio)
    return text if parse_percentage(text) == ratio else ratio


def parse_size(value: object) -> int:
    """Bytes of a size such as `512B`, `50MB` (10^6) or `50MiB` (2^20)."""
    text = _text(value, "a size", "a number with a unit (B, KB, MB, GB, KiB, MiB, GiB), such as 50MB")
    if not re.fullmatch(SIZE_PATTERN, text, re.ASCII):
        raise ParseError(
            f'"{text}" is not a size: write digits and a unit (B, KB, MB, GB, KiB, MiB, GiB), such as 50MB.'
        )
    number = text.rstrip("BKMGi")
    return int(number) * _BYTES[text[len(number) :]]


def format_size(size: int) -> str:
    """Write bytes in the largest unit that divides them: 50000000 is `50MB`."""
    units = sorted(_BYTES, key=lambda unit: -_BYTES[unit])
    unit = next(unit for unit in units if size % _BYTES[unit] == 0 and (size or unit == "B"))
    return f"{size // _BYTES[unit]}{unit}"


def _text(value: object, kind: str, how: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ParseError(f"is not {kind}: write {how}.")
    raise ParseError(f"{value} has no unit: write {how}.")
