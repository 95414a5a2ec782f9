"""The words for a difference: how many values, the largest one, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.probes.canary.golden.measures import Flags, Numbers
    from triton_watch.triton.infer.messages import Tensor

_BEFORE, _SHOWN = 20, 60
"""Characters of a text that are shown, and how many of them before the first that differs."""


def differ(count: int, total: int, what: str) -> str:
    """`3 of 10 values differ`."""
    return f"{count} of {total} {what} {'differs' if count == 1 else 'differ'}"


def largest(expected: Tensor, got: Tensor, wrong: Flags, apart: Numbers) -> str:
    """The largest absolute and relative difference among the wrong values, each with its place and values."""
    pair = _Pair(expected, got)
    with np.errstate(all="ignore"):
        odd = wrong & ~(np.isfinite(pair.old) & np.isfinite(pair.new))
        if odd.any():
            return f"the first that is not finite on both sides {pair.at(int(odd.argmax()))}"
        most = int(np.where(wrong, apart, 0).argmax())
        shares = np.where(wrong & (pair.old != 0), apart / np.abs(pair.old.astype(np.float64)), 0.0)
    text = f"the largest difference is {pair.apart(most, apart)} {pair.at(most)}"
    if not shares.any():
        return text
    relative = int(shares.argmax())
    where = "there too" if relative == most else pair.at(relative)
    return f"{text}; the largest relative difference is {shares[relative]:.3g} {where}"


def first_text(expected: Tensor, old: Sequence[bytes], new: Sequence[bytes]) -> str:
    """How many texts differ, and the first that does, cut to where it does. Empty where none does."""
    wrong = [number for number, (one, other) in enumerate(zip(old, new, strict=True)) if one != other]
    if not wrong:
        return ""
    one, other = old[wrong[0]], new[wrong[0]]
    same = _same_start(one, other)
    return (
        f"{differ(len(wrong), len(old), 'texts')}: {place(expected.shape, wrong[0])} {_cut(one, same)} was expected"
        f" and {_cut(other, same)} came"
    )


def place(shape: Sequence[int], number: int) -> str:
    """`at [0, 3]`, the index of the element of this number in C order."""
    return f"at {[int(index) for index in np.unravel_index(number, tuple(shape))]}"


class _Pair:
    """The values as they were answered, in a row: they are shown in the precision of their own datatype."""

    def __init__(self, expected: Tensor, got: Tensor) -> None:
        self.shape = expected.shape
        self.old: Numbers = expected.array().reshape(-1)
        self.new: Numbers = got.array().reshape(-1)

    def at(self, number: int) -> str:
        return f"{place(self.shape, number)}, where {self.old[number]} was expected and {self.new[number]} came"

    def apart(self, number: int, apart: Numbers) -> Any:  # noqa: ANN401 - an int of any size, or a text
        return int(apart[number]) if apart.dtype.kind == "u" else f"{apart[number]:.3g}"


def _same_start(one: bytes, other: bytes) -> int:
    pairs = zip(one, other, strict=False)
    return next((number for number, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))


def _cut(text: bytes, same: int) -> str:
    start = same - _BEFORE if same > 2 * _BEFORE else 0
    part = text[start : start + _SHOWN].decode("utf-8", "backslashreplace")
    visible = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in part)
    return f'"{"…" if start else ""}{visible}{"…" if len(text) > start + _SHOWN else ""}"'
