"""How far two arrays of one shape and datatype are apart. Integers exactly, floats in float64; nothing warns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from triton_watch.triton.infer.messages import Tensor

Numbers: TypeAlias = "NDArray[Any]"
Flags: TypeAlias = "NDArray[np.bool_]"

_WIDTH = 2.0**64


def numbers(tensor: Tensor) -> Numbers:
    """The elements in a row: floats as float64, booleans as 0 and 1, integers as they are. Raises ValueError."""
    values = tensor.array().reshape(-1)
    if values.dtype.kind == "b":
        truth: Numbers = (values.view(np.uint8) != 0).view(np.uint8)  # any byte but 0 is true, not 1 alone
        return truth
    with np.errstate(all="ignore"):  # a signaling NaN warns where it is cast
        return values.astype(np.float64) if values.dtype.kind == "f" else values


def gaps(expected: Numbers, got: Numbers) -> Numbers:
    """|got - expected|: uint64 for integers, which holds every difference; floats may end as inf or NaN."""
    if expected.dtype.kind == "f":
        with np.errstate(all="ignore"):
            apart = got - expected
            distance: Numbers = np.abs(apart, out=apart)
            return distance
    below, above = _as_uint64(expected), _as_uint64(got)
    return np.where(got > expected, above - below, below - above)  # modulo 2**64, and the difference is below that


def beyond(expected: Numbers, got: Numbers, apart: Numbers, limits: tuple[float, float]) -> Flags:
    """Which values differ by more than `limits`, rtol and atol. What is not finite agrees with its like alone."""
    rtol, atol = limits
    with np.errstate(all="ignore"):
        if expected.dtype.kind != "f":
            return _beyond_integers(expected, apart, rtol, atol)
        limit = np.abs(expected)
        limit *= rtol
        limit += atol
        wrong: Flags = ~(apart <= limit)
        if not np.isfinite(apart).all():
            odd = ~(np.isfinite(expected) & np.isfinite(got))
            wrong[odd] = ~_alike(expected[odd], got[odd])
        return wrong


def excess(expected: Numbers, apart: Numbers, limits: tuple[float, float]) -> float:
    """How many times as wide the limits must be to hold every finite difference."""
    rtol, atol = limits
    with np.errstate(all="ignore"):
        times = apart / (np.abs(expected) * rtol + atol)
    return float(np.max(times, where=np.isfinite(times), initial=0.0))


def cosine(expected: Numbers, got: Numbers) -> float:
    """The cosine similarity of two vectors; NaN where they are not finite at the same places.

    Two zero vectors are alike, and a zero vector is like no other.
    """
    one, other = expected.astype(np.float64), got.astype(np.float64)
    with np.errstate(all="ignore"):
        odd = ~(np.isfinite(one) & np.isfinite(other))
        if odd.any():
            if not _alike(one[odd], other[odd]).all():
                return float("nan")
            one[odd] = other[odd] = 0.0
        sizes = [float(np.abs(vector).max(initial=0.0)) for vector in (one, other)]
        if not all(sizes):
            return 0.0 if any(sizes) else 1.0
        one /= sizes[0]  # the squares of neither the largest nor the smallest values leave float64 now
        other /= sizes[1]
        return float(np.dot(one, other) / np.sqrt(np.dot(one, one) * np.dot(other, other)))


def _alike(expected: Numbers, got: Numbers) -> Flags:
    alike: Flags = (expected == got) | (np.isnan(expected) & np.isnan(got))
    return alike


def _beyond_integers(expected: Numbers, apart: Numbers, rtol: float, atol: float) -> Flags:
    if not rtol and atol < 1:
        different: Flags = apart != 0
        return different
    limit = np.floor(np.abs(expected.astype(np.float64)) * rtol + atol)
    wide = limit >= _WIDTH
    wrong: Flags = ~wide & (apart > np.where(wide, 0.0, limit).astype(np.uint64))
    return wrong


def _as_uint64(values: Numbers) -> Numbers:
    return values.astype(np.int64).view(np.uint64) if values.dtype.kind == "i" else values.astype(np.uint64)
