"""Whether an output agrees with its golden, and if not, in what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from triton_watch.probes.canary.golden import figures, measures
from triton_watch.probes.canary.golden.constant import constant_where_golden_is_not, is_constant
from triton_watch.probes.canary.golden.rules import Method, Rule, default_rule
from triton_watch.triton.infer.messages import BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from triton_watch.probes.canary.golden.measures import Numbers
    from triton_watch.triton.infer.messages import Tensor

__all__ = ["Method", "Rule", "constant_where_golden_is_not", "default_rule", "difference", "is_constant"]

_ROUNDING = 1e-9
"""A cosine of float64 vectors is not exact: one of 1 may come out a little lower."""


def difference(expected: Tensor, got: Tensor, rule: Rule) -> str:
    """Empty when the two agree, else a sentence with the figures. Values that are not finite agree with their like."""
    if expected.datatype != got.datatype:
        return f"the datatype is {got.datatype} where {expected.datatype} was expected"
    if expected.shape != got.shape:
        return f"the shape is {list(got.shape)} where {list(expected.shape)} was expected"
    if expected.data == got.data:
        return ""
    try:
        if expected.datatype == BYTES:
            old, new = (tensor.array().reshape(-1).tolist() for tensor in (expected, got))
            return figures.first_text(expected, old, new)
        return _numeric(expected, got, rule)
    except ValueError as error:  # bytes that do not fit the shape, which whoever received them should have said
        return f"the values cannot be read: {error}"


def _numeric(expected: Tensor, got: Tensor, rule: Rule) -> str:
    if expected.datatype == "BOOL" or rule.method not in _BY_METHOD:
        return _values(expected, got, 0.0, 0.0)
    return _BY_METHOD[rule.method](expected, got, rule)


def _close(expected: Tensor, got: Tensor, rule: Rule) -> str:
    return _values(expected, got, rule.rtol, rule.atol)


def _values(expected: Tensor, got: Tensor, rtol: float, atol: float) -> str:
    old, new = measures.numbers(expected), measures.numbers(got)
    apart = measures.gaps(old, new)
    wrong = measures.beyond(old, new, apart, (rtol, atol))
    count = int(np.count_nonzero(wrong))
    if not count:
        return ""
    text = figures.differ(count, old.size, "values")
    if rtol or atol:
        text += f" by more than rtol {rtol:g} and atol {atol:g} allow"
    return text if expected.datatype == "BOOL" else f"{text}: {figures.largest(expected, got, wrong, apart)}"


def _top1(expected: Tensor, got: Tensor, _: Rule) -> str:
    old, new = _rows(expected), _rows(got)
    if not old.size:
        return ""
    missing = np.isnan(old) if old.dtype.kind == "f" else np.zeros(old.shape, np.bool_)
    if old.dtype.kind == "f" and missing.tobytes() != (gone := np.isnan(new)).tobytes():
        return f"NaN stands in {np.count_nonzero(gone)} places where {np.count_nonzero(missing)} were expected"
    if missing.any():
        old, new = (np.where(missing, -np.inf, rows) for rows in (old, new))
    was, now = old.argmax(axis=1), new.argmax(axis=1)
    wrong = was != now
    count = int(np.count_nonzero(wrong))
    if not count:
        return ""
    row = int(wrong.argmax())
    first, came = int(was[row]), int(now[row])
    where = f", {figures.place(expected.shape[:-1], row)}" if len(old) > 1 else ""
    return (
        f"the largest value is elsewhere in {count} of {len(old)} vectors: class {first} was expected and class {came}"
        f" came{where} ({new[row, first]:.6g} for class {first}, {new[row, came]:.6g} for class {came})"
    )


def _cosine(expected: Tensor, got: Tensor, rule: Rule) -> str:
    similarity = measures.cosine(measures.numbers(expected), measures.numbers(got))
    if similarity >= rule.least - _ROUNDING:
        return ""
    if np.isnan(similarity):
        return _values(expected, got, 0.0, 0.0)
    return f"the cosine similarity is {similarity:.4f} where at least {rule.least:g} was expected"


def _rows(tensor: Tensor) -> Numbers:
    last = tensor.shape[-1] if tensor.shape else 1
    return measures.numbers(tensor).reshape(-1, last) if tensor.size else np.empty((0, 1))


_BY_METHOD: Mapping[Method, Callable[[Tensor, Tensor, Rule], str]] = {
    Method.CLOSE: _close,
    Method.TOP1: _top1,
    Method.COSINE: _cosine,
}
"""All but EXACT."""
