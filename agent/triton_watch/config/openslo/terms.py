"""What both directions agree on: versions, annotations, durations."""

from __future__ import annotations

import json
import re
from typing import Final

API_VERSION: Final = "openslo/v1"
ANNOTATION: Final = "triton-watch.io/"
"""Prefix of the annotations that keep what OpenSLO cannot say."""
KEPT: Final = (
    "sli",
    "threshold",
    "quantile",
    "models",
    "exclude_models",
    "targets",
    "min_events",
    "alerts",
    "overrides",
)
"""Settings of an objective that are annotations; the others have a place of their own."""
MOST_WORDS: Final = 1050
"""Characters of a description."""
_UNITS: Final = {"d": 86_400, "h": 3600, "m": 60}
_FIXED: Final = {**_UNITS, "w": 7 * 86_400}


def annotation(name: str) -> str:
    """Name the annotation of a setting."""
    return ANNOTATION + name.replace("_", "-")


def packed(value: object) -> str:
    """Write a setting as the text of an annotation: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def unpacked(name: str, text: str) -> object:
    """Read the text of an annotation back; what is no JSON is text."""
    if name in ("sli", "quantile"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def window(period: float) -> str:
    """Write seconds as an OpenSLO duration, which has one unit; rounded up to whole minutes."""
    seconds = -(-round(period * 1000) // 60_000) * 60
    unit = next(unit for unit, size in _UNITS.items() if seconds % size == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def seconds_of(duration: str) -> float | None:
    """Read an OpenSLO duration; None when it is none or its unit (M, Q, Y) has no fixed length."""
    match = re.fullmatch(r"(\d{1,6})([mhdw])", duration, re.ASCII)
    return None if match is None else float(int(match[1]) * _FIXED[match[2]])
