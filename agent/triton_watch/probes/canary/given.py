"""Inputs that somebody gave, in the types and shapes that the model takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from triton_watch.probes.canary.given_files import array_of, arrays_of, objects, reshaped
from triton_watch.probes.canary.inputs import MOST_ELEMENTS, NoInputError
from triton_watch.triton.infer.messages import BYTES, Tensor, TensorError, tensor_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from triton_watch.records import CanaryOptions, GivenInput, GivenTensor, ModelConfig, TensorSpec


def given(config: ModelConfig, options: CanaryOptions) -> tuple[Mapping[str, Tensor], ...]:
    """Return the inputs of the options, in the types that the model takes. Raises `NoInputError`."""
    return tuple(_input(one, config, options) for one in options.inputs)


def _input(one: GivenInput, config: ModelConfig, options: CanaryOptions) -> Mapping[str, Tensor]:
    specs = {spec.name: spec for spec in config.inputs}
    found: dict[str, tuple[NDArray[Any], bool]] = {}
    if one.file is not None:
        found = {name: (values, True) for name, values in arrays_of(one.file).items()}
    for tensor in one.tensors:
        found[tensor.name] = _of_tensor(tensor)
    unknown = sorted(found.keys() - specs.keys())
    if unknown:
        known = ", ".join(specs) or "none"
        raise NoInputError(f"the model has no input {unknown[0]!r} (it has: {known}): mend canary.overrides")
    absent = [spec.name for spec in config.inputs if not spec.optional and spec.name not in found]
    if absent:
        raise NoInputError(f"the given input lacks {absent[0]}: add it under inputs in canary.overrides")
    return {name: _fitted(values, specs[name], config, options, is_whole) for name, (values, is_whole) in found.items()}


def _of_tensor(tensor: GivenTensor) -> tuple[NDArray[Any], bool]:
    """The values, and whether their shape is the whole shape, batch dimension and all."""
    values = objects(tensor.values, tensor.name) if tensor.file is None else array_of(tensor.file)
    return (values, False) if tensor.shape is None else (reshaped(values, tensor.shape, tensor.name), True)


def _fitted(
    values: NDArray[Any], spec: TensorSpec, config: ModelConfig, options: CanaryOptions, is_whole: bool
) -> Tensor:
    """A tensor of the model's type; where the shape was not said, the batch dimension is put before it if it lacks."""
    takes_batches = config.max_batch_size > 0
    wanted = len(spec.dims) + takes_batches
    if values.size > MOST_ELEMENTS:
        raise NoInputError(f"the given {spec.name} has {values.size} values, too many to send: give a smaller input")
    _require_kind(values, spec)
    if not is_whole and values.ndim == 0:
        dims = tuple(options.dynamic_size if dim < 0 else dim for dim in spec.dims)
        values = reshaped(values, (1, *dims) if takes_batches else dims, spec.name)
    elif takes_batches and values.ndim == wanted - 1:
        values = values[np.newaxis]
    shape = values.shape[1:] if takes_batches else values.shape
    if values.ndim != wanted or any(want not in (-1, have) for want, have in zip(spec.dims, shape, strict=True)):
        full = [-1, *spec.dims] if takes_batches else list(spec.dims)
        raise NoInputError(f"the given {spec.name} has the shape {list(values.shape)}, and the model takes {full}")
    try:
        return tensor_of(values, spec.datatype)
    except TensorError as error:
        raise NoInputError(f"the given {spec.name} ({spec.datatype}) cannot be sent: {error}") from None


def _require_kind(values: NDArray[Any], spec: TensorSpec) -> None:
    """Raise `NoInputError` unless texts are for an input of texts, and numbers for one of numbers."""
    if values.dtype.kind not in "biufOSU":
        raise NoInputError(f"the given {spec.name} is of numpy's {values.dtype}, and the model takes {spec.datatype}")
    if values.dtype.kind in "SU":
        texts = {True}
    else:
        texts = {isinstance(value, str) for value in values.reshape(-1)} if values.dtype.kind == "O" else {False}
    if spec.datatype == BYTES and False in texts:
        raise NoInputError(f"the given {spec.name} is of numbers, and the model takes texts: put them in quotes")
    if spec.datatype != BYTES and True in texts:
        raise NoInputError(f"the given {spec.name} is of texts, and the model takes {spec.datatype}: give numbers")
