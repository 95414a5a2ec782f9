"""Arrays of any kind turned into tensors; what does not go into a datatype unchanged is refused, but for rounding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from triton_watch.triton.infer.tensors import BYTES, DTYPES, LENGTH, Tensor, TensorError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def tensor_of(values: NDArray[Any], datatype: str) -> Tensor:
    """A tensor of these values, converted to the datatype. Raises `TensorError` where they do not go into it."""
    if datatype == BYTES:
        try:
            texts = [as_bytes(value) for value in values.reshape(-1)]
        except UnicodeEncodeError:
            raise TensorError("a text has half of a surrogate pair, which UTF-8 cannot say") from None
        return Tensor(BYTES, values.shape, b"".join(LENGTH.pack(len(text)) + text for text in texts))
    kind = DTYPES.get(datatype)
    if kind is None:
        raise TensorError(f"the datatype {datatype!r} is not known")
    if datatype == "BF16":
        return Tensor(datatype, values.shape, _narrowed(_converted(values, np.dtype("<f4"))).tobytes())
    return Tensor(datatype, values.shape, np.ascontiguousarray(_converted(values, np.dtype(kind))).tobytes())


def as_bytes(value: object) -> bytes:
    """A text or bytes as UTF-8; anything else as Python writes it."""
    if isinstance(value, bytes):
        return value
    return str(value).encode()


def _converted(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if values.dtype.kind == "O" and any(value is None for value in values.reshape(-1)):
        raise TensorError("a value is missing: null")  # numpy would take it for NaN
    try:
        if dtype.kind in "iu" and values.size and values.dtype.kind in "iufbO":
            _require_integers(values, dtype)
        with np.errstate(over="raise", invalid="ignore"):
            converted: NDArray[Any] = values.astype(dtype)
    except TensorError:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        raise TensorError(f"the values do not go into {dtype.name}: {error}") from None
    return converted


def _require_integers(values: NDArray[Any], dtype: np.dtype[Any]) -> None:
    """Raise `TensorError` unless all are whole numbers within the limits of an integer type."""
    if values.dtype.kind == "O":
        is_whole = all(int(value) == value for value in values.reshape(-1))
    else:
        is_whole = values.dtype.kind != "f" or bool((np.isfinite(values) & (values == np.floor(values))).all())
    if not is_whole:
        raise TensorError(f"not all values are whole numbers, as {dtype.name} needs them")
    limits = np.iinfo(dtype)
    if int(values.min()) < limits.min or int(values.max()) > limits.max:
        raise TensorError(f"a value is outside of {dtype.name}: {limits.min} to {limits.max}")


def _narrowed(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Rounded to the nearest, ties to even; NaN stays NaN."""
    bits = values.view("<u4")
    with np.errstate(over="ignore"):  # of a NaN, which is not rounded
        rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    nan = (bits >> np.uint32(16)) | np.uint32(0x40)
    return np.where(np.isnan(values), nan, rounded).astype("<u2")
