"""The data of a tensor as a person writes it: a scalar or nested lists of one kind and one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.config.canary_fields import checked_number
from triton_watch.config.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.records.canary import Values

_DEEPEST: Final = 32
"""Dimensions that an array of numpy may have, whichever numpy it is."""


def read_values(value: object) -> Values:
    """Freeze what YAML gave. Raises `ParseError` where it could be no tensor."""
    values = _frozen(value, 0)
    _shape(values)
    kinds = sorted({_kind(one) for one in _leaves(values)})
    if len(kinds) > 1:
        raise ParseError(f"mixes {' with '.join(kinds)}: a tensor has values of one kind, and text needs quotes.")
    return values


def size_of(values: Values) -> int:
    """Count the scalars."""
    return sum(1 for _ in _leaves(values))


def _leaves(values: Values) -> Iterator[Values]:
    if isinstance(values, tuple):
        for value in values:
            yield from _leaves(value)
    else:
        yield values


def _frozen(value: object, depth: int) -> Values:
    if isinstance(value, (list, tuple)):
        if depth == _DEEPEST:
            raise ParseError(f"is nested more than {_DEEPEST} deep: no tensor has so many dimensions.")
        return tuple(_frozen(item, depth + 1) for item in value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return checked_number(value, ", or give the tensor as a .npy file")
    raise ParseError("has something other than lists, numbers, texts and truth values in it: keep to these.")


def _shape(values: Values) -> tuple[int, ...]:
    if not isinstance(values, tuple):
        return ()
    shapes = {_shape(item) for item in values}
    if len(shapes) > 1:
        raise ParseError("has entries of different lengths or depths: all lists of one level must be alike.")
    return (len(values), *next(iter(shapes), ()))


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "text"
    return "true or false" if isinstance(value, bool) else "numbers"
