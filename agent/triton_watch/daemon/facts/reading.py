"""Facts read from JSON, and the JSON schemas of their types: for programs that ask an agent, and for the docs."""

from __future__ import annotations

import json
from collections.abc import Hashable
from functools import cache
from typing import Any, Final, TypeVar, cast

from pydantic import ConfigDict, TypeAdapter

T = TypeVar("T")

_FAR: Final = 2**64
"""No count is beyond it, to either side: Triton's have 64 bits."""


def from_json(kind: type[T], text: bytes | str) -> T:
    """Read what `coding.as_json` wrote of a record of this kind; fields that it does not know are left out.

    Raises ValueError: it is something else, or has a number that nobody can reckon with.
    """
    (found,) = _reader(cast("Hashable", kind)).validate_python((json.loads(text, parse_int=_count),))
    return cast("T", found)


def _count(text: str) -> int:
    value = int(text)
    if abs(value) > _FAR:
        raise ValueError(text)
    return value


def schemas(kinds: tuple[type, ...], ref_template: str) -> dict[str, Any]:
    """Return the JSON schemas of records and all that they are made of, by name; `ref_template` has {model} in it."""
    inputs = [(kind, "serialization", _adapter(kind)) for kind in kinds]
    _, found = TypeAdapter.json_schemas(inputs, ref_template=ref_template)  # type: ignore[arg-type]
    return cast("dict[str, Any]", found["$defs"])


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    """The adapter of a type; made once, for it takes a while."""
    return TypeAdapter(cast("type", kind))


@cache
def _reader(kind: Hashable) -> TypeAdapter[Any]:
    """The adapter of a tuple of one such record: unlike a record's own, it can be told to take finite numbers alone."""
    one_of_it: Any = tuple.__class_getitem__((kind,))
    return TypeAdapter(one_of_it, config=ConfigDict(allow_inf_nan=False))
