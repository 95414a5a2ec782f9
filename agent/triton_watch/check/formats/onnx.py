"""ONNX: inputs, outputs, opsets and external weights, by the field numbers of onnx.proto3 (IR version 11).

Details: ir_version, producer, opset (of the default domain), opsets (of the others), functions, initializers,
external_data (the first few files).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.model import Format, FormatError, Reading, TensorSpec, quoted
from triton_watch.check.formats.wire import Field, Wire, signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from triton_watch.check.formats.source import Source

MOST_TENSORS: Final = 10_000
MOST_DIMENSIONS: Final = 256
_MOST_NAMES: Final = 8 << 20
"""Bytes of all initializers' names, about."""
_SHOWN_FILES: Final = 5
_MOST_FILES: Final = 5_000

DTYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "FP32",
        2: "UINT8",
        3: "INT8",
        4: "UINT16",
        5: "INT16",
        6: "INT32",
        7: "INT64",
        8: "STRING",
        9: "BOOL",
        10: "FP16",
        11: "FP64",
        12: "UINT32",
        13: "UINT64",
        16: "BF16",
    }
)
"""TensorProto.DataType as Triton's names."""
_FOREIGN: Final = {14: "COMPLEX64", 15: "COMPLEX128", 17: "FLOAT8E4M3FN", 18: "FLOAT8E4M3FNUZ", 19: "FLOAT8E5M2"} | {
    20: "FLOAT8E5M2FNUZ", 21: "UINT4", 22: "INT4", 23: "FLOAT4E2M1", 24: "FLOAT8E8M0",
}  # fmt: skip
_TENSOR, _SEQUENCE, _MAP, _SPARSE, _OPTIONAL = 1, 4, 5, 8, 9
_KINDS: Final = {_SEQUENCE: "a sequence", _MAP: "a map", 7: "an opaque type", _SPARSE: "a sparse tensor"}


def read(source: Source, path: Path, known: Format) -> Reading:  # noqa: ARG001 - the signature of all readers
    """Return what a ModelProto declares. Raises OSError."""
    model = _Model(Wire(source))
    try:
        model.read()
    except FormatError as error:
        return Reading(detail=model.detail, problem=str(error))
    problem = _missing(path.parent, model.external) if model.has_graph else "holds no graph"
    return Reading(tuple(model.inputs.values()), tuple(model.outputs), model.detail, problem)


class _Model:
    """A ModelProto as it is being read."""

    def __init__(self, wire: Wire) -> None:
        self.detail: dict[str, str] = {}
        self.inputs: dict[str, TensorSpec] = {}
        self.outputs: list[TensorSpec] = []
        self.external: dict[str, int] = {}
        """Files beside the model, and how many bytes they must have."""
        self.has_graph = False
        self._wire = wire
        self._initializers: set[str] = set()
        self._named = 0

    def read(self) -> None:
        """Read it all. Raises FormatError, OSError."""
        wire = self._wire
        producer = ["", ""]
        graphs: list[Field] = []
        for field in wire.fields(0, wire.source.size):
            if field.number == 1:
                self.detail["ir_version"] = str(field.value)
            elif field.number in (2, 3):
                producer[field.number - 2] = wire.text(field)
                self.detail["producer"] = " ".join(producer).strip()
            elif field.number == 7:
                graphs.append(field)
            elif field.number == 8:
                self._opset(field)
        for graph in graphs[-1:]:
            self._graph(graph)

    def _opset(self, field: Field) -> None:
        domain, version = "", 0
        for part in self._wire.within(field):
            if part.number == 1:
                domain = self._wire.text(part)
            elif part.number == 2:
                version = signed(part.value)
        if domain in ("", "ai.onnx"):
            self.detail["opset"] = str(version)
        else:
            others = [text for text in self.detail.get("opsets", "").split(",") if text]
            self.detail["opsets"] = ",".join([*others, f"{domain} {version}"][:20])

    def _graph(self, graph: Field) -> None:
        self.has_graph = True
        for field in self._wire.within(graph):
            if field.number == 5:
                self._initializer(field)
            elif field.number == 11:
                spec = self._value(field)
                self.inputs[spec.name] = spec
            elif field.number == 12:
                self.outputs.append(self._value(field))
            elif field.number == 15:
                self._sparse_initializer(field)
            if len(self.inputs) + len(self.outputs) > MOST_TENSORS:
                raise FormatError(f"has more than {MOST_TENSORS:,} inputs and outputs, more than any known model")
        for name in self._initializers & self.inputs.keys():
            del self.inputs[name]
        self.detail["initializers"] = str(len(self._initializers))

    def _sparse_initializer(self, field: Field) -> None:
        for part in self._wire.within(field):
            if part.number == 1:
                self._initializer(part)

    def _initializer(self, tensor: Field) -> None:
        """Note a TensorProto's name and the file that holds its data."""
        external: dict[str, str] = {}
        for part in self._wire.within(tensor):
            if part.number == 8:
                self._named += part.end - part.start
                self._initializers.add(self._wire.text(part))
            elif part.number == 13:
                key, value = self._entry(part)
                external[key] = value
        if self._named > _MOST_NAMES:
            raise FormatError("has more names of initializers than any known model")
        location = external.get("location")
        if location and len(self.external) < _MOST_FILES:
            needed = _number(external.get("offset")) + _number(external.get("length"))
            self.external[location] = max(self.external.get(location, 0), needed)
            shown = list(self.external)[:_SHOWN_FILES]
            self.detail["external_data"] = ",".join(shown) + (",…" if len(self.external) > _SHOWN_FILES else "")

    def _entry(self, field: Field) -> tuple[str, str]:
        texts = {part.number: self._wire.text(part) for part in self._wire.within(field)}
        return texts.get(1, ""), texts.get(2, "")

    def _value(self, field: Field) -> TensorSpec:
        """Return a ValueInfoProto as a spec."""
        name = ""
        kind: Field | None = None
        for part in self._wire.within(field):
            if part.number == 1:
                name = self._wire.text(part)
            elif part.number == 2:
                kind = next((field for field in self._wire.within(part) if field.number != 6), None)
        if kind is not None and kind.number == _OPTIONAL:
            return self._optional(name, kind)
        if kind is not None and kind.number == _TENSOR:
            return self._tensor(name, kind)
        return TensorSpec(name, None, None, note=_KINDS.get(kind.number, "an unknown type") if kind else "no type")

    def _optional(self, name: str, field: Field) -> TensorSpec:
        for kind in self._wire.within(field):
            for inner in self._wire.within(kind):
                if inner.number == _TENSOR:
                    spec = self._tensor(name, inner)
                    return TensorSpec(name, spec.dtype, spec.shape, optional=True, note=spec.note)
        return TensorSpec(name, None, None, optional=True, note="an optional value that is no tensor")

    def _tensor(self, name: str, field: Field) -> TensorSpec:
        code = 0
        shape: list[int] | None = None
        names: list[str] = []
        for part in self._wire.within(field):
            if part.number == 1:
                code = part.value
            elif part.number == 2:
                shape = [self._dimension(dim, names) for dim in self._wire.within(part) if dim.number == 1]
        notes = [_FOREIGN.get(code, f"element type {code}")] if code not in DTYPES else []
        if shape and len(shape) > MOST_DIMENSIONS:
            raise FormatError(f"has a tensor of more than {MOST_DIMENSIONS} dimensions")
        note = "; ".join(notes + [",".join(names)[:200]] * bool(names)) or None
        return TensorSpec(name, DTYPES.get(code), None if shape is None else tuple(shape), note=note)

    def _dimension(self, dim: Field, names: list[str]) -> int:
        value = -1
        for part in self._wire.within(dim):
            if part.number == 1:
                value = max(signed(part.value), -1)
            elif part.number == 2:
                names.append(self._wire.text(part))
        return value


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 20 else 0


def _missing(folder: Path, external: Mapping[str, int]) -> str | None:
    """Return what is wrong with the files of external data, which are only looked at."""
    problems: Iterable[str | None] = (_missing_file(folder, name, size) for name, size in external.items())
    return next((problem for problem in problems if problem), None)


def _missing_file(folder: Path, name: str, needed: int) -> str | None:
    try:
        size = (folder / name).stat().st_size
    except (OSError, ValueError):
        return f"keeps weights in {quoted(name)}, which is not beside it"
    if size < needed:
        return f"keeps weights in {quoted(name)}, which has {size:,} bytes of at least {needed:,}"
    return None
