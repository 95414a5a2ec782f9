"""What pydantic found, as sentences: what is wrong, and what to write instead. Values are never repeated."""

from __future__ import annotations

import difflib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, RootModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from triton_watch.config.errors import Location

_WRONG_TYPE: Mapping[str, str] = MappingProxyType(
    {
        "string_type": "is {kind} where text belongs: put it in quotes.",
        "int_type": "is {kind} where a whole number belongs: write digits without quotes.",
        "bool_type": "is {kind} where true or false belongs: write one of them without quotes.",
        "list_type": "is {kind} where a list belongs: start each entry with a dash.",
        "dict_type": "is {kind} where a mapping belongs: write names with a colon and a value.",
        "model_type": "is {kind} where a mapping belongs: write names with a colon and a value.",
        "too_short": "is an empty list: add at least one entry.",
    }
)
_KINDS: Mapping[type, str] = MappingProxyType(
    {
        str: "text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "a mapping",
    }
)


def sentences(error: ValidationError, model: type[BaseModel]) -> Iterator[tuple[Location, str]]:
    """Yield the location and the sentence of each error that `model` raised."""
    for detail in error.errors(include_url=False):
        yield detail["loc"], _sentence(detail, model)


def suggestion(word: str, known: Sequence[str]) -> str:
    """Say which of the known words was meant, or list them all."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"the ones known here are {', '.join(sorted(known))}."


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, location = detail["type"], detail["loc"]
    if kind == "extra_forbidden":
        known = [field.alias or name for name, field in _model_at(model, location[:-1]).model_fields.items()]
        return f"is not a known setting: {suggestion(str(location[-1]), known)}"
    if kind == "missing":
        return "is missing: add it."
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    template = _WRONG_TYPE.get(kind, f"cannot be used ({detail['msg']}): see docs/configuration.md.")
    return template.replace("{kind}", _KINDS.get(type(detail["input"]), "text"))


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel]:
    """Follow a location down to the model that describes the mapping there."""
    for part in location:
        if isinstance(part, str) and part in model.model_fields:
            model = next(_models(model.model_fields[part].annotation), model)
    return model


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - a type expression
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        annotation = annotation.model_fields["root"].annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
