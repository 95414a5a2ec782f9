"""A moment: Unix seconds in memory, RFC 3339 in UTC to the millisecond in JSON."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_FIRST = datetime.min.replace(tzinfo=timezone.utc)
_LAST = datetime.max.replace(tzinfo=timezone.utc)


def written(seconds: float) -> str:
    """Write Unix seconds: 2026-11-28T00:36:12.250Z. A moment that no calendar has becomes the nearest one."""
    try:
        moment = datetime.fromtimestamp(round(seconds, 3), timezone.utc)
    except (ValueError, OverflowError, OSError):
        moment = _LAST if seconds > 0 else _FIRST
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def read(value: object) -> object:
    """Read what `written` wrote; the Z is no time zone for Python 3.10. Raises ValueError."""
    return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp() if isinstance(value, str) else value


Moment: TypeAlias = Annotated[
    float,
    PlainSerializer(written, return_type=str, when_used="json"),
    BeforeValidator(read),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
