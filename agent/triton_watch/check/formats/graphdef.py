"""TensorFlow's GraphDef: placeholders as inputs. It does not say which nodes are outputs.

Field numbers are those of tensorflow/core/framework: graph.proto, node_def.proto, attr_value.proto,
tensor_shape.proto and types.proto. Details: nodes (how many).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.model import Format, FormatError, Reading, TensorSpec
from triton_watch.check.formats.wire import Field, Wire, signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from triton_watch.check.formats.source import Source

MOST_TENSORS: Final = 10_000
MOST_DIMENSIONS: Final = 256

DTYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "FP32",
        2: "FP64",
        3: "INT32",
        4: "UINT8",
        5: "INT16",
        6: "INT8",
        7: "STRING",
        9: "INT64",
        10: "BOOL",
        14: "BF16",
        17: "UINT16",
        19: "FP16",
        22: "UINT32",
        23: "UINT64",
    }
)
"""tensorflow.DataType as Triton's names."""
_FOREIGN: Final = {8: "COMPLEX64", 11: "QINT8", 12: "QUINT8", 13: "QINT32", 18: "COMPLEX128", 20: "RESOURCE"} | {
    15: "QINT16", 16: "QUINT16", 21: "VARIANT",
}  # fmt: skip
_PLACEHOLDERS: Final = frozenset({"Placeholder", "PlaceholderV2"})
"""PlaceholderWithDefault needs no value from outside, so it is an optional input."""
_OPTIONAL: Final = "PlaceholderWithDefault"


def read(source: Source, path: Path, known: Format) -> Reading:  # noqa: ARG001 - the signature of all readers
    """Return the placeholders of a GraphDef. Raises FormatError, OSError."""
    wire = Wire(source)
    inputs: list[TensorSpec] = []
    count = 0
    for node, name, operation in nodes(wire, 0, source.size):
        count += 1
        if operation in _PLACEHOLDERS or operation == _OPTIONAL:
            inputs.append(_placeholder(wire, node, name, optional=operation == _OPTIONAL))
        if len(inputs) > MOST_TENSORS:
            raise FormatError(f"has more than {MOST_TENSORS:,} placeholders, more than any known model")
    return Reading(tuple(inputs), None, {"nodes": str(count)})


def nodes(wire: Wire, start: int, end: int) -> Iterator[tuple[Field, str, str]]:
    """Yield the nodes of a GraphDef with their name and operation. Raises FormatError, OSError."""
    for field in wire.fields(start, end):
        if field.number != 1:
            continue
        name = operation = ""
        for part in wire.within(field):
            if part.number == 1:
                name = wire.text(part)
            elif part.number == 2:
                operation = wire.text(part)
                break
        yield field, name, operation


def typed(code: int) -> tuple[str | None, str | None]:
    """Return Triton's name of a tensorflow.DataType, or None and a note. References (100 more) are their types."""
    code = code - 100 if code > 100 else code
    dtype = DTYPES.get(code)
    return dtype, None if dtype else _FOREIGN.get(code, f"element type {code}")


def shape_of(wire: Wire, field: Field) -> tuple[int, ...] | None:
    """Return a TensorShapeProto; None for an unknown rank. Raises FormatError, OSError."""
    shape: list[int] = []
    for part in wire.within(field):
        if part.number == 3 and part.value:
            return None
        if part.number == 2:
            sizes = [signed(size.value) for size in wire.within(part) if size.number == 1]
            shape.append(max(sizes[-1], -1) if sizes else 0)
        if len(shape) > MOST_DIMENSIONS:
            raise FormatError(f"has a tensor of more than {MOST_DIMENSIONS} dimensions")
    return tuple(shape)


def _placeholder(wire: Wire, node: Field, name: str, *, optional: bool) -> TensorSpec:
    code, shape = 0, None
    for part in wire.within(node):
        if part.number == 5:
            key, value = _attribute(wire, part)
            if key == "dtype" and value and value.number == 6:
                code = value.value
            elif key == "shape" and value and value.number == 7:
                shape = shape_of(wire, value)
    dtype, note = typed(code)
    return TensorSpec(name, dtype, shape, optional=optional, note=note)


def _attribute(wire: Wire, field: Field) -> tuple[str, Field | None]:
    """Return an entry of NodeDef.attr: its key, and the first field of its AttrValue."""
    key, value = "", None
    for part in wire.within(field):
        if part.number == 1:
            key = wire.text(part)
        elif part.number == 2:
            value = next(wire.within(part), None)
    return key, value
