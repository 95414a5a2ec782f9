"""DALI's serialized pipelines: external sources as inputs, and the pipeline's outputs.

Field numbers as DALI 2.4 writes PipelineDef (dali/pipeline/dali.proto); types are those of dali_data_type.h.
Shapes begin with the batch. Details: batch_size (the pipeline's largest), threads.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.model import Format, Reading, TensorSpec
from triton_watch.check.formats.wire import Field, Wire, signed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from triton_watch.check.formats.source import Source

_MOST: Final = 1000
_DTYPES: Final[Mapping[int, str]] = MappingProxyType(
    dict(
        enumerate(
            ("UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BOOL")
        )
    )
)


def read(source: Source, path: Path, known: Format) -> Reading:  # noqa: ARG001 - the signature of all readers
    """Return what a PipelineDef declares. Raises FormatError, OSError."""
    wire = Wire(source)
    detail: dict[str, str] = {}
    inputs: list[TensorSpec] = []
    outputs: list[TensorSpec] = []
    for field in wire.fields(0, source.size):
        if field.number in (1, 2):
            detail[("threads", "batch_size")[field.number - 1]] = str(signed(field.value))
        elif field.number == 5 and len(inputs) < _MOST:
            inputs += _source(wire, field)
        elif field.number == 7 and len(outputs) < _MOST:
            outputs.append(_output(wire, field))
    return Reading(tuple(inputs), tuple(outputs), detail)


def _source(wire: Wire, operator: Field) -> list[TensorSpec]:
    """Return an OpDef as an input if it is an ExternalSource."""
    arguments: dict[str, int] = {}
    name = ""
    for part in wire.within(operator):
        if part.number == 1 and wire.text(part) != "ExternalSource":
            return []
        if part.number == 3:
            name = next((wire.text(inner) for inner in wire.within(part) if inner.number == 1), "")
        elif part.number == 4:
            arguments.update(_integer(wire, part))
    return [_spec(name, arguments.get("dtype"), arguments.get("ndim"))]


def _integer(wire: Wire, argument: Field) -> dict[str, int]:
    parts = {part.number: part for part in wire.within(argument)}
    return {wire.text(parts[1]): signed(parts[4].value)} if {1, 4} <= parts.keys() else {}


def _output(wire: Wire, field: Field) -> TensorSpec:
    parts = {part.number: part for part in wire.within(field)}
    name = wire.text(parts[1]) if 1 in parts else ""
    return _spec(name, *(signed(parts[number].value) if number in parts else None for number in (5, 6)))


def _spec(name: str, dtype: int | None, dimensions: int | None) -> TensorSpec:
    known = dimensions is not None and 0 <= dimensions < 64
    return TensorSpec(
        name, _DTYPES.get(-1 if dtype is None else dtype), (-1,) * ((dimensions or 0) + 1) if known else None
    )
