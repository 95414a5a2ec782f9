"""How dims of a configuration compare with a shape in a model's file, as the backends compare them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from triton_watch.check.formats import Format, TensorSpec
from triton_watch.check.rules.io_text import MOST_TENSORS, Declared, declared, dims_text, names_of
from triton_watch.check.served import ServedFile, remembered, served_files
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.check.model import Model

_TOLD = {
    "onnxruntime": frozenset({Format.ONNX}),
    "tensorflow": frozenset({Format.SAVED_MODEL}),
    "openvino": frozenset({Format.OPENVINO_XML, Format.ONNX}),
}
"""Backend -> formats whose declared inputs and outputs it compares with the configuration."""
_CERTAIN = frozenset({"onnxruntime", "tensorflow"})
"""Backends that compare them strictly; OpenVINO reshapes and converts some."""


class Fault(Enum):
    """Why dims and a shape do not go together."""

    NO_BATCH = "the model does not batch"
    REPEATED = "dims has the batch dimension again"
    LEFT_OUT = "dims lacks the first dimension"
    RANK = "the numbers of dimensions differ"
    SIZES = "dimensions differ"
    NARROWER = "the configuration fixes what the model leaves open"


class Pair(NamedTuple):
    """An input or output of a configuration, and what the model's file says of it."""

    one: ServedFile
    tensor: Declared
    spec: TensorSpec

    @property
    def file(self) -> str:
        """The file in a sentence."""
        return f"{self.one.version.name}/{clip(self.one.name)}"


def compare(shape: Sequence[int], dims: Sequence[int], *, batching: bool, exact: bool) -> Fault | None:
    """Return what is wrong with dims, without the batch dimension when `batching`, against a whole shape.

    `exact`: a variable dimension of the model must be variable in the configuration too, as it must be for
    outputs (CompareDimsSupported, src/backend_common.cc of the backend repository).
    """
    if batching and (not shape or shape[0] != -1):
        return Fault.NO_BATCH
    whole = [-1, *dims] if batching else list(dims)
    if len(whole) != len(shape):
        if batching and len(dims) == len(shape):
            return Fault.REPEATED
        return Fault.LEFT_OUT if not batching and len(dims) + 1 == len(shape) else Fault.RANK
    pairs = list(zip(shape, whole, strict=True))
    if any(known not in (-1, written) for known, written in pairs):
        return Fault.SIZES
    return Fault.NARROWER if exact and any(known != written for known, written in pairs) else None


def right_dims(shape: Sequence[int], *, batching: bool) -> str:
    """Return the line of a configuration that fits a shape."""
    dims = shape[1:] if batching else shape
    return f"dims: {dims_text(dims)}" if dims else "dims: [ 1 ] reshape { shape: [ ] }"


@remembered
def told_files(model: Model) -> tuple[ServedFile, ...]:
    """Return the served files that declare inputs and outputs which the backend compares."""
    formats = _TOLD.get(model.backend, frozenset())
    files = served_files(model) if formats and model.config is not None and not model.is_ensemble else ()
    return tuple(
        one for one in files if one.file.format in formats and one.file.problem is None and one.file.inputs is not None
    )


@remembered
def pairs_of(model: Model) -> tuple[Pair, ...]:
    """Return the tensors that configuration and file both have."""
    found = []
    for one in told_files(model):
        specs = {"input": _by_name(one.file.inputs), "output": _by_name(one.file.outputs)}
        for tensor in declared(model):
            spec = specs[tensor.field].get(tensor.io.name)
            if spec is not None:
                found.append(Pair(one, tensor, spec))
    return tuple(found)


def _by_name(specs: Sequence[TensorSpec] | None) -> dict[str, TensorSpec]:
    return {spec.name: spec for spec in specs or ()}


@remembered
def faults_of(model: Model) -> tuple[tuple[Pair, Fault], ...]:
    """Return the tensors whose dims the backend refuses (or may, for a narrower output)."""
    return tuple(_faults(model))


def _faults(model: Model) -> Iterator[tuple[Pair, Fault]]:
    if not model.readable or model.message.max_batch_size < 0:
        return  # what stands before dims is not known
    batching = model.message.max_batch_size > 0
    scattered = {name for one in model.message.batch_output[:MOST_TENSORS] for name in one.target_name}
    for pair in pairs_of(model):
        io, shape, field = pair.tensor.io, pair.spec.shape, pair.tensor.field
        ragged = field == "input" and model.message.input[pair.tensor.number].allow_ragged_batch
        if not shape or 0 in shape or not io.dims or ragged or (field == "output" and io.name in scattered):
            continue  # a scalar's rules are the backend's own, and what the file does not say cannot be compared
        dims = io.reshape.shape if io.HasField("reshape") else io.dims
        fault = compare(shape, dims, batching=batching, exact=field == "output")
        if fault is not None:
            yield pair, fault


def severity_of(model: Model) -> tuple[Severity, Confidence]:
    """Return how sure it is that the model's backend refuses a difference."""
    certain = model.backend in _CERTAIN
    return (Severity.ERROR, Confidence.HIGH) if certain else (Severity.WARNING, Confidence.MEDIUM)


def given_inputs(model: Model) -> set[str]:
    """Return the names of all tensors that Triton gives to a model."""
    message = model.message
    names = names_of(message.input) | {name for one in message.batch_input for name in one.target_name}
    if message.HasField("sequence_batching"):
        names |= {control.name for control in message.sequence_batching.control_input}
        names |= {state.input_name for state in message.sequence_batching.state}
    return names
