"""What a model used to answer, where nothing was recorded: an answer to the other input shows all the same.

Only answers of several floats count, for those do not meet by chance, and only once each input has a usual answer:
`SURE` times and nothing else, or nearly always over a longer time. A model that varies has none.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.triton.infer.messages import FLOATS, Tensor, TensorError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SURE: Final = 3
_FEWEST_VALUES: Final = 4
_REMEMBERED: Final = 32
"""Answers to one input that are remembered."""
_WITHOUT_ODD: Final = 6
_MOST_ODD: Final = 0.15
"""This share of the answers after the first `_WITHOUT_ODD` may be others than the usual one."""


@dataclass(slots=True)
class _Answers:
    """The last answers to one input."""

    digests: deque[bytes] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    def usual(self) -> bytes | None:
        """The answer that nearly all of them are, if they are enough to be sure."""
        total = len(self.digests)
        if total < SURE:
            return None
        digest, count = Counter(self.digests).most_common(1)[0]
        return digest if total - count <= max(0, int((total - _WITHOUT_ODD) * _MOST_ODD)) else None


class Memory:
    """The answers to each input of one model, as digests; begun anew with each load of the model."""

    def __init__(self) -> None:
        self._answers: dict[int, _Answers] = {}

    def swapped_with(self, variant: int, outputs: Sequence[Mapping[str, Tensor]]) -> int | None:
        """Return the other input whose usual answer this one is, and not its own; remember the answer if not so."""
        digest = _digest(outputs)
        if digest is None:
            return None
        own = self._answers.setdefault(variant, _Answers())
        if own.usual() not in (None, digest):
            for other, answers in self._answers.items():
                if answers.usual() == digest:
                    return other
        own.digests.append(digest)
        return None


def _digest(outputs: Sequence[Mapping[str, Tensor]]) -> bytes | None:
    """A digest of an answer that says something; None for one that could be the same by chance."""
    telling = False
    found = blake2b(digest_size=16)
    for answer in outputs:
        for name in sorted(answer):
            tensor = answer[name]
            found.update(f"{name}\0{tensor.datatype}\0{tensor.shape}\0".encode())
            found.update(tensor.data)
            telling = telling or _tells(tensor)
    return found.digest() if telling else None


def _tells(tensor: Tensor) -> bool:
    if tensor.datatype not in FLOATS or tensor.size < _FEWEST_VALUES:
        return False
    try:
        return len(np.unique(tensor.array())) >= _FEWEST_VALUES
    except TensorError:  # an output that nobody promised, and so nobody has read yet
        return False
