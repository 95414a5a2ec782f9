"""Facts read from JSON, and the JSON schemas of their types: for programs that ask an agent, and for the docs."""

from __future__ import annotations

import json
from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

T = TypeVar("T")


def from_json(kind: type[T], text: bytes | str) -> T:
    """Read what `coding.as_json` wrote of a record of this kind; fields that it does not know are left out.

    Raises ValueError: it is something else.
    """
    return cast("T", _adapter(cast("Hashable", kind)).validate_python(json.loads(text)))


def schemas(kinds: tuple[type, ...], ref_template: str) -> dict[str, Any]:
    """Return the JSON schemas of records and all that they are made of, by name; `ref_template` has {model} in it."""
    inputs = [(kind, "serialization", _adapter(kind)) for kind in kinds]
    _, found = TypeAdapter.json_schemas(inputs, ref_template=ref_template)  # type: ignore[arg-type]
    return cast("dict[str, Any]", found["$defs"])


@cache
def _adapter(kind: Hashable) -> TypeAdapter[Any]:
    """The adapter of a type; made once, for it takes a while."""
    return TypeAdapter(cast("type", kind))
