"""Sizes and durations as Kubernetes and Compose write them."""

from __future__ import annotations

import re

_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*([A-Za-z]{0,2})")
_FACTORS = {"": 1.0, "b": 1.0, "m": 1e-3}
_POWERS = "kmgtpe"
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(us|ms|s|m|h)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def kubernetes_bytes(text: str) -> float | None:
    """Return the bytes of a quantity: `512Mi` (powers of 1024), `1G` (of 1000), `1e9`."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return _plain(text)
    unit = match[2]
    if unit in {"", "m"}:
        return float(match[1]) * _FACTORS[unit]
    power = _POWERS.find(unit[0].lower()) + 1
    if not power or unit[1:] not in {"", "i"}:
        return None
    return float(match[1]) * (1024.0 if unit.endswith("i") else 1000.0) ** power


def compose_bytes(text: str) -> float | None:
    """Return the bytes of a size: `64m`, `1gb` and `512` (powers of 1024)."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    unit = match[2].lower()
    if unit in {"", "b"}:
        return float(match[1])
    power = _POWERS.find(unit[0]) + 1
    return float(match[1]) * 1024.0**power if power and unit[1:] in {"", "b"} else None


def compose_seconds(text: str) -> float | None:
    """Return the seconds of a duration: `1m30s`, `10s`."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text.strip():
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _plain(text: str) -> float | None:
    try:
        return float(text) if len(text) < 30 else None
    except ValueError:
        return None
