"""Inputs that somebody gave for a model, as pydantic models: tensors by their names, or a file of a whole input."""

# Annotations are read at run time by pydantic, so this module has no `from __future__ import annotations`.

from math import prod
from typing import Annotated, Any, TypeAlias

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    RootModel,
    WithJsonSchema,
    model_validator,
)

from triton_watch.config import canary_fields as c
from triton_watch.config import fields as f
from triton_watch.config.canary_values import read_values, size_of
from triton_watch.config.errors import ParseError
from triton_watch.config.sections import Json, Section, setting

_SCALARS: list[Json] = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
_LISTS: Json = {"type": "array", "items": {"type": ["string", "number", "boolean", "array"]}}

Values: TypeAlias = Annotated[Any, BeforeValidator(read_values), WithJsonSchema({"anyOf": [*_SCALARS, _LISTS]})]


def _wrap_tensor(schema: Json) -> None:
    body = dict(schema)
    schema.clear()
    schema["anyOf"] = [*_SCALARS, _LISTS, body]


class TensorSection(Section):
    """One input tensor: a scalar or nested lists, or a mapping with `values` or `file`."""

    model_config = ConfigDict(json_schema_extra=_wrap_tensor)
    needed = (("values", "file"),)
    values: Values | None = setting(
        "The data: nested lists, a flat list with a `shape`, or a scalar, which fills the shape."
    )
    file: f.Text | None = setting("File with the data, as numpy.save writes it (.npy).", example="text.npy")
    shape: Annotated[list[c.Dimension], Field(min_length=1)] | None = setting(
        "The shape, with the batch dimension where the model has one. Without it: that of the data.", example=[1, 3]
    )
    _plain: bool = PrivateAttr(False)

    @property
    def plain(self) -> bool:
        """Whether the values stood there without a mapping around them."""
        return self._plain

    @model_validator(mode="wrap")
    @classmethod
    def _accept_plain(cls, value: object, handler: ModelWrapValidatorHandler["TensorSection"]) -> "TensorSection":
        if isinstance(value, dict):
            return handler(value)
        tensor = cls(values=read_values(value))
        tensor._plain = True
        return tensor

    @model_validator(mode="after")
    def _check_size(self) -> "TensorSection":
        if self.shape is not None and isinstance(self.values, tuple):
            count, size = size_of(self.values), prod(self.shape)
            if count != size:
                raise ParseError(
                    f"has a shape for {size} values, {self.shape}, and {count} of them: change the shape or the values."
                )
        return self


def _wrap_input(schema: Json) -> None:
    tensors = {**schema, "minProperties": 1, "propertyNames": {"minLength": 1}}
    tensors.pop("description", None)
    file = {**f.TEXT, "description": WHOLE_FILE, "examples": ["recorded.npz"]}
    whole = {"type": "object", "properties": {"file": file}, "required": ["file"], "additionalProperties": False}
    schema.clear()
    schema["anyOf"] = [whole, tensors]


WHOLE_FILE = (
    "In place of names: a file with the whole input, as numpy.savez writes it (.npz, an array for each input of the "
    "model) or in JSON as Triton's HTTP API takes it (.json)."
)


class InputSection(RootModel[dict[str, TensorSection]]):
    """One whole input of a model: names of input tensors and their data, or `file` alone."""

    model_config = ConfigDict(strict=True, frozen=True, json_schema_extra=_wrap_input)

    @property
    def file(self) -> str | None:
        """The file of the whole input: what stands under `file`, if that is text and there is nothing else."""
        only = self.root.get("file")
        if len(self.root) > 1 or only is None or not only.plain or not isinstance(only.values, str):
            return None
        return only.values

    @model_validator(mode="after")
    def _check_names(self) -> "InputSection":
        if not self.root:
            raise ParseError("names no input: write the names of the model's inputs with a value each, or file.")
        if "" in self.root:
            raise ParseError("has an input without a name: write the name that the model gives it.")
        return self
