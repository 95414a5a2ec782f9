"""TensorFlow's SavedModel: the inputs and outputs of a signature.

Field numbers are those of tensorflow/core/protobuf: saved_model.proto and meta_graph.proto. Details: signature (the
one that was read), signatures (all of them), tags, tensorflow (the version that wrote it).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from triton_watch.check.formats.graphdef import MOST_TENSORS, nodes, shape_of, typed
from triton_watch.check.formats.model import Format, FormatError, Reading, TensorSpec
from triton_watch.check.formats.wire import Field, Wire

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.check.formats.source import Source

_SERVING: Final = "serving_default"
_INITIALIZER: Final = "__saved_model_init_op"
_VARIABLES: Final = frozenset({"VarHandleOp", "VariableV2", "Variable"})
_MOST_SIGNATURES: Final = 1000
_MOST_GRAPHS: Final = 100
_SHOWN: Final = 20


@dataclass(slots=True)
class _MetaGraph:
    """One graph of a SavedModel, as positions in the file."""

    tags: list[str] = field(default_factory=list)
    version: str = ""
    graph: Field | None = None
    signatures: dict[str, Field] = field(default_factory=dict)


def read(source: Source, path: Path, known: Format) -> Reading:  # noqa: ARG001 - the signature of all readers
    """Return the signature that Triton serves by default, of the graph tagged `serve`. Raises FormatError, OSError."""
    wire = Wire(source)
    graphs = islice((part for part in wire.fields(0, source.size) if part.number == 2), _MOST_GRAPHS)
    found = [_meta_graph(wire, graph) for graph in graphs]
    if not found:
        return Reading(problem="holds no graph")
    meta = next((meta for meta in found if "serve" in meta.tags), found[0])
    # Without serving_default Triton takes another one that is no initializer (tensorflow_backend's model loader).
    names = [name for name in sorted(meta.signatures) if name != _INITIALIZER]
    name = _SERVING if _SERVING in meta.signatures else next(iter(names), "")
    detail = {
        "tags": ",".join(meta.tags),
        "signatures": ",".join(names[:_SHOWN]),
        "signature": name,
        "tensorflow": meta.version,
    }
    detail = {key: value for key, value in detail.items() if value}
    problem = None if names else "has no signature to serve: save it with one"
    problem = problem or _missing_variables(wire, meta, path)
    if not name:
        return Reading(None, None, detail, problem)
    inputs, outputs = _signature(wire, meta.signatures[name])
    return Reading(inputs, outputs, detail, problem)


def _meta_graph(wire: Wire, graph: Field) -> _MetaGraph:
    meta = _MetaGraph()
    for part in wire.within(graph):
        if part.number == 1:
            _info(wire, part, meta)
        elif part.number == 2:
            meta.graph = part
        elif part.number == 5 and len(meta.signatures) < _MOST_SIGNATURES:
            key, value = _entry(wire, part)
            if value is not None:
                meta.signatures[key] = value
    return meta


def _info(wire: Wire, info: Field, meta: _MetaGraph) -> None:
    for part in wire.within(info):
        if part.number == 4:
            meta.tags = [*meta.tags, wire.text(part)][:_SHOWN]
        elif part.number == 5:
            meta.version = wire.text(part)


def _entry(wire: Wire, entry: Field) -> tuple[str, Field | None]:
    """Return key and value of a map's entry."""
    key, value = "", None
    for part in wire.within(entry):
        if part.number == 1:
            key = wire.text(part)
        elif part.number == 2:
            value = part
    return key, value


def _signature(wire: Wire, signature: Field) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
    found: dict[int, list[TensorSpec]] = {1: [], 2: []}
    for part in wire.within(signature):
        if part.number in found:
            found[part.number].append(_tensor(wire, *_entry(wire, part)))
        if len(found[1]) + len(found[2]) > MOST_TENSORS:
            raise FormatError(f"has more than {MOST_TENSORS:,} inputs and outputs, more than any known model")
    return tuple(found[1]), tuple(found[2])


def _tensor(wire: Wire, name: str, info: Field | None) -> TensorSpec:
    """Return a TensorInfo. One without a shape says that it is a scalar's (or nothing): no shape."""
    code, shape = 0, None
    for part in wire.within(info) if info else ():
        if part.number == 2:
            code = part.value
        elif part.number == 3:
            shape = shape_of(wire, part)
    dtype, note = typed(code)
    return TensorSpec(name, dtype, shape, note=note)


def _missing_variables(wire: Wire, meta: _MetaGraph, path: Path) -> str | None:
    """Return a problem when the graph has variables and their values are not there."""
    if (path.parent / "variables" / "variables.index").exists() or meta.graph is None:
        return None
    uses = any(operation in _VARIABLES for _, _, operation in nodes(wire, meta.graph.start, meta.graph.end))
    return "uses variables, and variables/variables.index is not beside it" if uses else None
