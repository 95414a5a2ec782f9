"""Outputs that a gRPC server put into typed fields instead of raw bytes: Triton does not, other servers may."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from triton_watch.triton.infer.messages import BYTES, FLOATS, Tensor, TensorError, tensor_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "BOOL": "bool_contents",
        **dict.fromkeys(("INT8", "INT16", "INT32"), "int_contents"),
        "INT64": "int64_contents",
        **dict.fromkeys(("UINT8", "UINT16", "UINT32"), "uint_contents"),
        "UINT64": "uint64_contents",
        "FP32": "fp32_contents",
        "FP64": "fp64_contents",
        BYTES: "bytes_contents",
    }
)
"""Datatype -> field of InferTensorContents in the open inference protocol; FP16 and BF16 have none."""


def tensor_of_contents(contents: Any, datatype: str, shape: tuple[int, ...]) -> Tensor:  # noqa: ANN401 - protobuf
    """The tensor. Raises `TensorError` where there is no such field or its values do not make the shape."""
    name = _FIELDS.get(datatype)
    if name is None:
        raise TensorError(f"{datatype} came without its bytes")
    # Whole numbers stay Python's own until they are converted: as floats, large ones would lose digits.
    kind = np.float64 if datatype in FLOATS else np.object_
    values = np.array(list(getattr(contents, name)), dtype=kind)
    try:
        if min(shape, default=0) >= 0:
            return tensor_of(values.reshape(shape), datatype)
    except TensorError:
        raise
    except (ValueError, OverflowError):
        pass  # told below, with the shape
    raise TensorError(f"{values.size} values for shape {list(shape)}")
