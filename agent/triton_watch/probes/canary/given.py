"""Inputs that somebody gave: values in the configuration, numpy's files, or JSON as Triton's HTTP API takes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from triton_watch.probes.canary.inputs import NoInputError
from triton_watch.triton.infer.messages import BYTES, Tensor, TensorError, tensor_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from triton_watch.records import CanaryOptions, GivenInput, GivenTensor, ModelConfig, TensorSpec

_MOST_BYTES: Final = 256_000_000
"""Size of a file above which it is not read."""


def given(config: ModelConfig, options: CanaryOptions) -> tuple[Mapping[str, Tensor], ...]:
    """Return the inputs of the options, in the types that the model takes. Raises `NoInputError`."""
    return tuple(_input(one, config, options) for one in options.inputs)


def _input(one: GivenInput, config: ModelConfig, options: CanaryOptions) -> Mapping[str, Tensor]:
    specs = {spec.name: spec for spec in config.inputs}
    found: dict[str, tuple[NDArray[Any], bool]] = {}
    if one.file is not None:
        found = {name: (values, True) for name, values in _of_file(one.file).items()}
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
    if tensor.file is not None:
        values: NDArray[Any] = _loaded(tensor.file)
        return (values, False) if tensor.shape is None else (_reshaped(values, tensor.shape, tensor.name), True)
    try:
        values = np.array(tensor.values)
    except ValueError:
        raise NoInputError(f"the values of {tensor.name} are rows of different lengths: give a shape") from None
    if values.dtype.kind in "US":
        values = np.array(tensor.values, dtype=np.object_)
    return (values, False) if tensor.shape is None else (_reshaped(values, tensor.shape, tensor.name), True)


def _reshaped(values: NDArray[Any], shape: tuple[int, ...], name: str) -> NDArray[Any]:
    try:
        return np.broadcast_to(values, shape) if values.ndim == 0 else values.reshape(shape)
    except ValueError:
        raise NoInputError(f"the {values.size} values of {name} do not make the shape {list(shape)}") from None


def _fitted(
    values: NDArray[Any], spec: TensorSpec, config: ModelConfig, options: CanaryOptions, is_whole: bool
) -> Tensor:
    """A tensor of the model's type; where the shape was not said, the batch dimension is put before it if it lacks."""
    takes_batches = config.max_batch_size > 0
    wanted = len(spec.dims) + takes_batches
    if not is_whole and values.ndim == 0:
        dims = tuple(options.dynamic_size if dim < 0 else dim for dim in spec.dims)
        values = np.broadcast_to(values, (1, *dims) if takes_batches else dims)
    elif takes_batches and values.ndim == wanted - 1:
        values = values[np.newaxis]
    shape = values.shape[1:] if takes_batches else values.shape
    if values.ndim != wanted or any(want not in (-1, have) for want, have in zip(spec.dims, shape, strict=True)):
        full = [-1, *spec.dims] if takes_batches else list(spec.dims)
        raise NoInputError(f"the given {spec.name} has the shape {list(values.shape)}, and the model takes {full}")
    if spec.datatype == BYTES and values.dtype.kind not in "OSU":
        raise NoInputError(f"the given {spec.name} is of numbers, and the model takes texts: put them in quotes")
    try:
        return tensor_of(values, spec.datatype)
    except TensorError as error:
        raise NoInputError(f"the given {spec.name} ({spec.datatype}) cannot be sent: {error}") from None


def _of_file(path: Path) -> dict[str, NDArray[Any]]:
    if path.suffix == ".json":
        return _of_json(path)
    loaded = _load(path)
    if isinstance(loaded, np.ndarray):
        raise NoInputError(f"{path} holds one array without a name: use it as the file of one input")
    try:
        return {name: loaded[name] for name in loaded.files}
    except Exception as error:  # noqa: BLE001 - numpy and zipfile raise whatever a broken file makes them raise
        raise _broken(path, error) from None


def _loaded(path: Path) -> NDArray[Any]:
    loaded = _load(path)
    if not isinstance(loaded, np.ndarray):
        raise NoInputError(f"{path} is an archive of arrays: use it as the file of the whole input")
    return loaded


def _load(path: Path) -> Any:  # noqa: ANN401 - an array, or numpy's archive of arrays
    try:
        _require_small(path)
        return np.load(path, allow_pickle=False)
    except NoInputError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        raise _broken(path, error) from None


def _require_small(path: Path) -> None:
    if path.stat().st_size > _MOST_BYTES:
        raise NoInputError(f"{path} is over {_MOST_BYTES // 1_000_000} MB: give a smaller input")


def _broken(path: Path, error: Exception) -> NoInputError:
    return NoInputError(f"{path} cannot be read as a numpy file ({error}): write it with numpy.save or savez")


def _of_json(path: Path) -> dict[str, NDArray[Any]]:
    """The inputs of a request in the form of Triton's HTTP API: name, shape, datatype and data of each."""
    try:
        _require_small(path)
        tensors = json.loads(path.read_bytes())["inputs"]
        return {
            str(one["name"]): _reshaped(
                np.array(one["data"], dtype=np.object_ if one["datatype"] == BYTES else None),
                tuple(int(size) for size in one["shape"]),
                str(one["name"]),
            )
            for one in tensors
        }
    except NoInputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        words = f"{type(error).__name__}: {error}"
        raise NoInputError(f"{path} is no request as Triton's HTTP API takes it ({words})") from None
