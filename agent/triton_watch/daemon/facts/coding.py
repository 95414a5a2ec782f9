"""Facts as JSON. Without pydantic, which reads them again (`reading`): the agent itself has no need of so much code."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import fields
from enum import Enum
from functools import cache
from typing import Any, Final, TypeAlias, cast, get_args, get_type_hints

from triton_watch.daemon.facts.moment import MOMENT
from triton_watch.daemon.facts.moment import written as rfc3339

_Write: TypeAlias = Callable[[Any], object]
_AS_THEY_ARE: Final = frozenset({str, int, float, bool, type(None)})


def as_json(value: object) -> bytes:
    """Write a record as JSON, in ASCII: a model's name may hold half a character, which UTF-8 cannot say.

    Raises ValueError for a number that is not finite: what is not known is None.
    """
    return written(as_data(value))


def as_data(value: object) -> dict[str, object]:
    """Return a record as JSON's own types: dicts, lists, text, numbers, booleans and None."""
    return {name: write(getattr(value, name)) for name, write in _fields(cast("Hashable", type(value)))}


def written(data: object) -> bytes:
    """Write JSON's own types as JSON, in ASCII. Raises ValueError for a number that is not finite."""
    return json.dumps(data, allow_nan=False, separators=(",", ":")).encode("ascii")


@cache
def _fields(record: Hashable) -> tuple[tuple[str, _Write], ...]:
    """The fields of a record's type, and what writes each."""
    hints = get_type_hints(record, include_extras=True)
    return tuple(
        (one.name, _moments if _has_moments(hints[one.name]) else _plain) for one in fields(cast("Any", record))
    )


def _has_moments(hint: object) -> bool:
    """Whether a hint is `Moment`, or has it in a union or a tuple."""
    return MOMENT in getattr(hint, "__metadata__", ()) or any(map(_has_moments, get_args(hint)))


def _moments(value: object) -> object:
    if value is None:
        return None
    return [rfc3339(one) for one in value] if isinstance(value, tuple) else rfc3339(cast("float", value))


def _plain(value: object) -> object:
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [one if type(one) in _AS_THEY_ARE else _plain(one) for one in value]
    if isinstance(value, Mapping):
        return {_plain(name): _plain(one) for name, one in value.items()}
    return as_data(value)
