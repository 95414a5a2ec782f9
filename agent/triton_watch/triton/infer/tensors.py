"""Tensors as bytes, as they are on the wire, the same for gRPC and HTTP; and the arrays that they are read into."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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

LENGTH = struct.Struct("<I")
"""How many bytes a text has, before each text."""


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


def _texts(data: bytes) -> Iterator[bytes]:
    at, end = 0, len(data)
    while at < end:
        if at + LENGTH.size > end:
            raise TensorError("the bytes end inside a length")
        (length,) = LENGTH.unpack_from(data, at)
        at += LENGTH.size
        if at + length > end:
            raise TensorError(f"a text of {length} bytes is announced where {end - at} are left")
        yield data[at : at + length]
        at += length


def _widened(values: NDArray[np.uint16]) -> NDArray[np.float32]:
    return (values.astype("<u4") << np.uint32(16)).view("<f4")
