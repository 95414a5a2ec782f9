"""What is asked and what is answered, the same for gRPC and HTTP: tensors as bytes, as they are on the wire."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

DTYPES: Mapping[str, str] = MappingProxyType(
    {
        "BOOL": "?",
        "INT8": "<i1",
        "INT16": "<i2",
        "INT32": "<i4",
        "INT64": "<i8",
        "UINT8": "<u1",
        "UINT16": "<u2",
        "UINT32": "<u4",
        "UINT64": "<u8",
        "FP16": "<f2",
        "FP32": "<f4",
        "FP64": "<f8",
        "BF16": "<u2",
    }
)
"""Triton's datatypes of a fixed size -> how numpy reads their bytes. BF16 is the upper half of an FP32."""

FLOATS = frozenset({"FP16", "BF16", "FP32", "FP64"})
BYTES = "BYTES"
KNOWN_DATATYPES = (*DTYPES, BYTES)

_LENGTH = struct.Struct("<I")


class TensorError(ValueError):
    """Bytes that do not fit the shape and datatype of a tensor; the text says in what."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor as it travels: `data` are its elements in C order, little-endian; texts each after its length."""

    datatype: str
    shape: tuple[int, ...]
    data: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Elements."""
        return prod(self.shape)

    def array(self) -> NDArray[Any]:
        """The elements in their shape: BF16 as float32, BYTES as an object array of bytes. Raises `TensorError`."""
        if self.datatype == BYTES:
            found = list(_texts(self.data))
            if len(found) != self.size:
                raise TensorError(f"{len(found)} texts for shape {list(self.shape)}")
            texts = np.empty(len(found), dtype=np.object_)
            texts[:] = found
            return self._shaped(texts)
        kind = DTYPES.get(self.datatype)
        if kind is None:
            raise TensorError(f"the datatype {self.datatype!r} is not known")
        dtype = np.dtype(kind)
        if len(self.data) != self.size * dtype.itemsize:
            raise TensorError(f"{len(self.data)} bytes for shape {list(self.shape)} of {self.datatype}")
        values = self._shaped(np.frombuffer(self.data, dtype=dtype))
        return _widened(values) if self.datatype == "BF16" else values

    def _shaped(self, values: NDArray[Any]) -> NDArray[Any]:
        try:
            if min(self.shape, default=0) >= 0:
                return values.reshape(self.shape)
        except (ValueError, OverflowError):
            pass  # an empty tensor's other extents may be beyond all that numpy can count
        raise TensorError(f"the shape {list(self.shape)} cannot be that of an array")


def tensor_of(values: NDArray[Any], datatype: str) -> Tensor:
    """A tensor of these values, converted to the datatype. Raises `TensorError` where they do not go into it."""
    if datatype == BYTES:
        try:
            texts = [as_bytes(value) for value in values.reshape(-1)]
        except UnicodeEncodeError:
            raise TensorError("a text has half of a surrogate pair, which UTF-8 cannot say") from None
        return Tensor(BYTES, values.shape, b"".join(_LENGTH.pack(len(text)) + text for text in texts))
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


def _texts(data: bytes) -> Iterator[bytes]:
    at, end = 0, len(data)
    while at < end:
        if at + _LENGTH.size > end:
            raise TensorError("the bytes end inside a length")
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if at + length > end:
            raise TensorError(f"a text of {length} bytes is announced where {end - at} are left")
        yield data[at : at + length]
        at += length


def _widened(values: NDArray[np.uint16]) -> NDArray[np.float32]:
    return (values.astype("<u4") << np.uint32(16)).view("<f4")


def _narrowed(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Rounded to the nearest, ties to even; NaN stays NaN."""
    bits = values.view("<u4")
    with np.errstate(over="ignore"):  # of a NaN, which is not rounded
        rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    nan = (bits >> np.uint32(16)) | np.uint32(0x40)
    return np.where(np.isnan(values), nan, rounded).astype("<u2")


@dataclass(frozen=True, slots=True)
class InferRequest:
    """One inference request. `parameters` are those of the protocol: sequence_id, sequence_start and the like."""

    model: str
    version: str
    id: str
    inputs: Mapping[str, Tensor]
    parameters: Mapping[str, bool | int | float | str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class InferAnswer:
    """One response. `at` is seconds since the request was sent."""

    model: str
    version: str
    outputs: Mapping[str, Tensor]
    at: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """All responses to one request, in order; a stream may have none, or many. `seconds` is until the last one."""

    answers: Sequence[InferAnswer]
    seconds: float

    @property
    def first(self) -> float | None:
        """Seconds until the first response."""
        return self.answers[0].at if self.answers else None
