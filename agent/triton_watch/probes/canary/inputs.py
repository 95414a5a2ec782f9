"""Inputs for a model, made from its configuration alone: two of them, whose answers should differ.

Numbers are small and tame, for a model may take them for indices: whole ones are 1 and 2, floats are spread over
[0, 1). What has a known meaning (`prompts`) gets a value that makes sense.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from triton_watch.probes.canary.prompts import ALWAYS_GIVEN, KNOWN
from triton_watch.triton.infer.messages import BYTES, DTYPES, FLOATS, Tensor, tensor_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from triton_watch.records import CanaryOptions, ModelConfig, TensorSpec

VARIANTS: Final = 2
MOST_ELEMENTS: Final = 16_000_000
"""Elements of one input above which none is made: 64 MB of FP32."""
_GOLDEN_RATIO: Final = 0.6180339887498949
"""Its multiples, less their whole parts, are spread evenly."""
_TEXTS: Final = ("triton-watch", "canary")


class NoInputError(ValueError):
    """No input can be made or read for a model; the text says why, and what to do."""


def generate(config: ModelConfig, options: CanaryOptions) -> tuple[Mapping[str, Tensor], ...]:
    """Return one input for each variant. Raises `NoInputError`."""
    if not config.inputs:
        raise NoInputError("its configuration names no inputs: give one under canary.overrides")
    specs = [spec for spec in config.inputs if _is_given(spec, options)]
    return tuple({spec.name: _tensor(spec, variant, config, options) for spec in specs} for variant in range(VARIANTS))


def shape_of(spec: TensorSpec, config: ModelConfig, options: CanaryOptions) -> tuple[int, ...]:
    """The shape that a client sends: the batch dimension first where the model takes batches."""
    dims = tuple(options.dynamic_size if dim < 0 else dim for dim in spec.dims)
    if config.max_batch_size < 1:
        return dims
    return (min(options.batch_size, config.max_batch_size), *dims)


def _is_given(spec: TensorSpec, options: CanaryOptions) -> bool:
    return not spec.optional or options.optional_inputs or spec.name.lower() in ALWAYS_GIVEN


def _tensor(spec: TensorSpec, variant: int, config: ModelConfig, options: CanaryOptions) -> Tensor:
    shape = shape_of(spec, config, options)
    if spec.datatype != BYTES and spec.datatype not in DTYPES:
        raise NoInputError(f"its input {spec.name} has the unknown type {spec.datatype!r}: give an input")
    if int(np.prod(shape, dtype=object)) > MOST_ELEMENTS:
        raise NoInputError(
            f"its input {spec.name} has the shape {list(shape)}, too large to make one up: give an input"
        )
    return tensor_of(_values(spec, shape, variant), spec.datatype)


def _values(spec: TensorSpec, shape: tuple[int, ...], variant: int) -> NDArray[Any]:
    known = KNOWN.get(spec.name.lower())
    if known is not None and _suits(known[variant], spec.datatype):
        return np.full(shape, known[variant], dtype=np.object_ if spec.datatype == BYTES else None)
    if spec.datatype == BYTES:
        return np.full(shape, _TEXTS[variant], dtype=np.object_)
    places = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    if spec.datatype in FLOATS:
        return ((places + 1 + variant) * _GOLDEN_RATIO) % 1.0
    numbers: NDArray[Any] = 1 + (places + variant) % 2
    return numbers == 1 if spec.datatype == "BOOL" else numbers


def _suits(value: object, datatype: str) -> bool:
    if isinstance(value, str):
        return datatype == BYTES
    if isinstance(value, bool):
        return datatype == "BOOL"
    return datatype not in (BYTES, "BOOL") and (isinstance(value, int) or datatype in FLOATS)
