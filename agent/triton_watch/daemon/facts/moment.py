"""A moment: Unix seconds in memory, RFC 3339 in UTC to the millisecond in JSON."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler

_FIRST: Final = datetime.min.replace(tzinfo=timezone.utc)
_LAST: Final = datetime.max.replace(tzinfo=timezone.utc)


def written(seconds: float) -> str:
    """Write Unix seconds: 2026-11-28T00:36:12.250Z. A moment that no calendar has becomes the nearest one."""
    try:
        moment = datetime.fromtimestamp(round(seconds, 3), timezone.utc)
    except (ValueError, OverflowError, OSError):
        moment = _LAST if seconds > 0 else _FIRST
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def read(text: str) -> float:
    """Read what `written` wrote; the Z is no time zone for Python 3.10. Raises ValueError."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _read_text(value: object) -> object:
    """Read a text; what is none is for the schema of numbers to judge."""
    return read(value) if isinstance(value, str) else value


class _Moment:
    """What makes a float a moment for `coding`, and for pydantic, which is imported only where something is read."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:  # noqa: ANN401 - pydantic's own types
        from pydantic_core import core_schema  # noqa: PLC0415 - see above

        return core_schema.no_info_before_validator_function(_read_text, handler(source))

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: GetJsonSchemaHandler) -> dict[str, str]:  # noqa: ANN401 - the same
        return {"type": "string", "format": "date-time"}


MOMENT: Final = _Moment()
Moment: TypeAlias = Annotated[float, MOMENT]
