"""How an output is compared with its golden: the methods, and the limits that are right for a datatype."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import sqrt
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.triton.infer.messages import FLOATS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triton_watch.triton.infer.messages import Tensor


class Method(str, Enum):
    """What has to agree. Booleans and texts are compared exactly whatever the method."""

    EXACT = "exact"
    CLOSE = "close"
    """Each value: |got - expected| <= atol + rtol * |expected|."""
    TOP1 = "top1"
    """The index of the largest value along the last axis: the class of a classifier."""
    COSINE = "cosine"
    """The direction of the whole output as one vector: its cosine similarity is at least `least`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How one output is compared. `rtol` and `atol` belong to CLOSE, `least` to COSINE."""

    method: Method
    rtol: float = 0.0
    atol: float = 0.0
    least: float = 0.0


# The same model on the same input answers otherwise with another batch size, GPU, driver or library: kernels are
# chosen anew, sums run in another order, and FP32 products are rounded to TF32's 10 bits by default on many paths.
# Simulated in numpy (residual networks of 12 and 48 layers, 512 wide, a head of 1000 classes) against exact FP32:
#   TF32 inside: logits up to 0.3 % of their root mean square off, probabilities 1 % of themselves
#   FP16:        logits 0.7 % of it,                                             probabilities 2.5 %
#   BF16:        logits 6 % of it,                                               probabilities 24 %
# With a relative limit alone values near zero fail, for their errors are as large as those of the others. So the
# absolute limit is a share of the output's root mean square. These limits left no value outside for TF32 and FP16,
# and all logits inside for BF16. FP64 is met where a sum at the end is FP64 and what went into it was not.
# Other weights, another preprocessing or a broken kernel are off by a large part of the values themselves.
_CLOSE: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"FP64": (1e-6, 1e-6), "FP32": (1e-2, 1e-2), "FP16": (3e-2, 2e-2), "BF16": (1e-1, 1e-1)}
)
"""Datatype -> rtol, and atol for values whose root mean square is 1."""


def default_rule(datatype: str, scale: float = 1.0) -> Rule:
    """The rule for a datatype; `scale` is the root mean square of the values, 0 = not known."""
    if datatype not in _CLOSE:
        return Rule(Method.EXACT)
    rtol, atol = _CLOSE[datatype]
    return Rule(Method.CLOSE, rtol, rounded(atol * (scale or 1.0)))


def scale_of(tensors: Iterable[Tensor]) -> float:
    """The root mean square of all finite values; 0 where there are none, or nothing but zeros."""
    total, count = 0.0, 0
    with np.errstate(all="ignore"):
        for tensor in tensors:
            if tensor.datatype in FLOATS:
                values = tensor.array().astype(np.float64).reshape(-1)
                finite = values[np.isfinite(values)]
                total += float(np.dot(finite, finite))
                count += finite.size
    scale = sqrt(total / count) if count else 0.0
    return scale if scale < float("inf") else 0.0


def rounded(limit: float) -> float:
    """To two digits, as a person reads it in the file; never to zero."""
    return float(f"{limit:.1e}")
