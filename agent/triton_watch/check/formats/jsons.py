"""JSON of limited size and depth, for what strangers wrote."""

from __future__ import annotations

import json
from typing import Any, Final

from triton_watch.check.formats.model import FormatError

MOST_VALUES: Final = 500_000
"""Values, about: some 50 MB of Python objects in the worst case."""


def parsed(data: bytes) -> Any:  # noqa: ANN401 - JSON
    """Return the document. Raises FormatError with line and column."""
    if data.count(b",") + data.count(b"[") + data.count(b"{") > MOST_VALUES:
        raise FormatError(f"holds more than {MOST_VALUES:,} JSON values")
    try:
        return json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise FormatError(f"is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise FormatError(f"is not valid JSON: byte {error.start:,} is no UTF-8") from None
    except (RecursionError, ValueError):  # ValueError: a number of too many digits
        raise FormatError("is not usable JSON: it is nested too deeply, or a number in it is too long") from None
