"""Answers that say nothing: all zero, or all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from triton_watch.triton.infer.messages import BYTES, FLOATS

if TYPE_CHECKING:
    from triton_watch.triton.infer.messages import Tensor


def is_constant(tensor: Tensor) -> bool:
    """Whether all values are the same, where there are several, or zero. An empty text is zero, NaN equals NaN."""
    if not tensor.size:
        return False
    if tensor.datatype == BYTES:
        texts = set(tensor.array().reshape(-1).tolist())
        return len(texts) == 1 and (tensor.size > 1 or b"" in texts)
    if tensor.datatype == "BOOL":
        return len({byte != 0 for byte in tensor.data}) == 1 and (tensor.size > 1 or not tensor.data[0])
    values = tensor.array().reshape(-1)
    first = values[0]
    if tensor.datatype in FLOATS and np.isnan(first):
        return tensor.size > 1 and bool(np.isnan(values).all())
    with np.errstate(all="ignore"):
        return bool(first == 0 or tensor.size > 1) and bool((values == first).all())


def constant_where_golden_is_not(expected: Tensor, got: Tensor) -> str:
    """A sentence where the answer is constant and the golden is not, else empty."""
    if not is_constant(got) or is_constant(expected):
        return ""
    value = _shown(got)
    if got.size == 1:
        return f"the only value is {value}, and {_shown(expected)} was expected"
    return f"all {got.size} values are {value}, and those that were expected are not all the same"


def _shown(tensor: Tensor) -> str:
    value = tensor.array().reshape(-1)[0]
    return f'"{value.decode("utf-8", "backslashreplace")[:60]}"' if tensor.datatype == BYTES else str(value)
