"""Files with inputs that somebody gave: numpy's, and JSON as Triton's HTTP API takes it. None is trusted."""

from __future__ import annotations

import io
import json
import stat
from math import prod
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from triton_watch.probes.canary.golden.arrays import unpacked
from triton_watch.probes.canary.inputs import MOST_ELEMENTS, NoInputError
from triton_watch.triton.errors import clean

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_MOST_BYTES: Final = 256_000_000
"""Size of a file above which it is not read."""
_ZIP: Final = b"PK"


def arrays_of(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a whole input, by name: a .npz, or .json. Raises `NoInputError`."""
    if path.suffix == ".json":
        return _of_json(path)
    data = _read(path)
    if not data.startswith(_ZIP):
        _array(data, path)
        raise NoInputError(f"{path} holds one array without a name: use it as the file of one input")
    try:
        entries = unpacked(data)
    except ValueError as error:
        raise _broken(path, error) from None
    return {name: _array(npy, path) for name, npy in entries.items()}


def array_of(path: Path) -> NDArray[Any]:
    """The one array of a .npy. Raises `NoInputError`."""
    data = _read(path)
    if data.startswith(_ZIP):
        raise NoInputError(f"{path} is an archive of arrays: use it as the file of the whole input")
    return _array(data, path)


def reshaped(values: NDArray[Any], shape: tuple[int, ...], name: str) -> NDArray[Any]:
    """The values in this shape; a scalar fills it. Raises `NoInputError`."""
    if prod(shape) > MOST_ELEMENTS:
        raise NoInputError(
            f"the shape {list(shape)} of {name} has {prod(shape)} values, too many: give a smaller input"
        )
    try:
        return np.broadcast_to(values, shape) if values.ndim == 0 else values.reshape(shape)
    except (ValueError, OverflowError):
        raise NoInputError(
            f"the {values.size} values of {name} do not make the shape {list(shape)}: mend one of them"
        ) from None


def objects(values: object, name: str) -> NDArray[Any]:
    """Nested sequences as an array of Python's own values: as floats, large whole numbers would lose digits."""
    ragged = NoInputError(f"the values of {name} are rows of different lengths, or nested too deeply: mend them")
    try:
        found = np.array(values, dtype=np.object_)
    except ValueError:
        raise ragged from None
    for value in found.reshape(-1):
        if isinstance(value, (list, tuple)):
            raise ragged
        if not isinstance(value, (bool, int, float, str)):
            raise NoInputError(f"the values of {name} are not all numbers, texts or booleans: mend them")
    return found


def _read(path: Path) -> bytes:
    """The bytes of a plain file; a pipe or a device is never opened."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise NoInputError(f"{path} is no plain file: give one")
        if found.st_size > _MOST_BYTES:
            raise NoInputError(f"{path} is over {_MOST_BYTES // 1_000_000} MB: give a smaller input")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        if isinstance(error, NoInputError):
            raise
        why = getattr(error, "strerror", None) or clean(str(error))
        raise NoInputError(f"{path} cannot be read ({why}): make it readable, or name another file") from None


def _array(data: bytes, path: Path) -> NDArray[Any]:
    if not data.startswith(np.lib.format.MAGIC_PREFIX):
        raise _broken(path, "an array in it does not begin as one of numpy's")
    try:
        found: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # noqa: BLE001 - numpy raises whatever a broken file makes it raise
        raise _broken(path, error) from None
    return found


def _broken(path: Path, error: object) -> NoInputError:
    return NoInputError(
        f"{path} cannot be read as a numpy file ({clean(str(error))}): write it with numpy.save or savez"
    )


def _of_json(path: Path) -> dict[str, NDArray[Any]]:
    """The inputs of a request in the form of Triton's HTTP API: name, shape, datatype and data of each."""
    try:
        return {str(one["name"]): _tensor(one, str(one["name"])) for one in json.loads(_read(path))["inputs"]}
    except NoInputError:
        raise
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        words = clean(f"{type(error).__name__}: {error}")
        raise NoInputError(f"{path} is no request as Triton's HTTP API takes it ({words}): mend it") from None


def _tensor(described: dict[str, Any], name: str) -> NDArray[Any]:
    return reshaped(objects(described["data"], name), tuple(int(size) for size in described["shape"]), name)
