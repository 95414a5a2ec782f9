"""OpenVINO's IR: inputs and outputs of the XML file, and whether the .bin beside it is long enough.

Document types, and with them entities, are refused. Details: ir_version (10 or 11), layers, weights (bytes that
the .bin must have).
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from triton_watch.check.formats.model import Format, FormatError, Reading, TensorSpec
from triton_watch.check.formats.openvino_net import Layer, Net

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from triton_watch.check.formats.source import Source

_LARGEST: Final = 64 << 20
_PIECE: Final = 1 << 16
_LONGEST_TAG: Final = 1 << 20
"""Bytes: of a document, of what is parsed at a time, and of one tag, which expat keeps in memory."""

_DTYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "F32": "FP32",
        "FP32": "FP32",
        "F16": "FP16",
        "FP16": "FP16",
        "F64": "FP64",
        "FP64": "FP64",
        "BF16": "BF16",
        "I8": "INT8",
        "I16": "INT16",
        "I32": "INT32",
        "I64": "INT64",
        "U8": "UINT8",
        "U16": "UINT16",
        "U32": "UINT32",
        "U64": "UINT64",
        "BOOL": "BOOL",
        "BOOLEAN": "BOOL",
        "STRING": "STRING",
    }
)
"""Element types of layers and precisions of ports, in capitals, as Triton's names."""
_COMMA: Final = re.compile(r"(?<!\\),")


def read(source: Source, path: Path, known: Format) -> Reading:  # noqa: ARG001 - the signature of all readers
    """Return what an IR declares. Raises FormatError, OSError."""
    if source.size > _LARGEST:
        raise FormatError(f"is too large for an OpenVINO model's XML: {source.size:,} bytes")
    net = Net()
    _parse(source, net)
    if not net.layers:
        return Reading(problem="is XML without an OpenVINO model's layers")
    inputs = tuple(_spec(layer, layer.names or layer.name, _shape(layer.shape)) for layer in net.parameters)
    # A Result without dimensions is a scalar or of unknown rank: IR writes both alike (seen with OpenVINO 2026.4).
    outputs = tuple(_spec(layer, net.names_of(layer), _sizes(layer.dims) or None) for layer in net.results)
    detail = {"ir_version": net.version, "layers": str(net.layers), "weights": str(net.weights)}
    return Reading(inputs, outputs, detail, _wrong_weights(path.with_suffix(".bin"), net.weights))


def _parse(source: Source, net: Net) -> None:
    parser = expat.ParserCreate("UTF-8")  # said here, no declaration makes pyexpat look an encoding up
    parser.buffer_text = True
    parser.StartElementHandler = net.start
    parser.EndElementHandler = net.end
    parser.CharacterDataHandler = net.text
    parser.StartDoctypeDeclHandler = _refuse
    try:
        for start in range(0, source.size, _PIECE):
            parser.Parse(source.read(start, _PIECE), False)
            if start + _PIECE - parser.CurrentByteIndex > _LONGEST_TAG:
                raise FormatError(f"has a tag of more than {_LONGEST_TAG:,} bytes")
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise _wrong(error, source) from None


def _wrong(error: expat.ExpatError, source: Source) -> FormatError:
    if not source.tail(1024).rstrip().endswith(b"</net>"):
        return FormatError("is truncated: it does not end with </net>")
    where = f"line {error.lineno}, column {error.offset + 1}"
    return FormatError(f"is not valid XML: {where}: {expat.ErrorString(error.code)}")


def _refuse(*_: object) -> None:
    raise FormatError("declares a document type, which no OpenVINO model does")


def _spec(layer: Layer, names: str, shape: tuple[int, ...] | None) -> TensorSpec:
    """Return a layer as a spec. Of several names OpenVINO takes the lexically first (get_any_name)."""
    first, *others = sorted(_COMMA.split(names)) or [""]
    dtype = _DTYPES.get(layer.dtype.upper())
    notes = [f"also called {', '.join(others)}"] if others else []
    notes += [f"element type {layer.dtype}"] if dtype is None and layer.dtype else []
    return TensorSpec(first, dtype, shape, note="; ".join(notes) or None)


def _shape(text: str | None) -> tuple[int, ...] | None:
    """Return the shape that a Parameter's `shape` says: "?,3", "1..8,3", "" for a scalar, "..." for any rank."""
    if text is None or "..." in text:
        return None
    return _sizes(text.split(",")[:64]) if text.strip() else ()


def _sizes(texts: list[str]) -> tuple[int, ...]:
    return tuple(int(text) if re.fullmatch(r"\s*[0-9]{1,18}\s*", text) else -1 for text in texts)


def _wrong_weights(weights: Path, needed: int) -> str | None:
    if not needed:
        return None
    try:
        size = weights.stat().st_size
    except (OSError, ValueError):
        return f"needs weights, and {weights.name} is not beside it"
    if size < needed:
        return f"needs {needed:,} bytes of weights, and {weights.name} beside it has {size:,}: it is truncated"
    return None
