"""The last canaries of each model, packed: a thousand models that fail in every way they can take 8 MB.

What was packed is unpacked when somebody looks at the model. It stays while a model is unloaded, and goes with its
target.
"""

from __future__ import annotations

import math
import struct
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.records import CanaryFailure, CanaryHistory, CanaryReason, CanaryRun
from triton_watch.wording.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.records import CanaryResult, ModelKey

RUNS: Final = 30
FAILURES: Final = 20
MODELS: Final = 2_000
"""Models over all targets; the one that has not been asked for longest makes room."""
DETAIL: Final = 300
"""Bytes of UTF-8 that are kept of a detail: of plain English, so many characters."""

_REASONS: Final = tuple(CanaryReason)
_NUMBER: Final = {reason: number for number, reason in enumerate(_REASONS)}
_RUN: Final = struct.Struct("<Bddd")
"""Number of the reason; at, latency, first response (NaN = no answer)."""
_FAILURE: Final = struct.Struct("<BddIH")
"""Number of the reason; first, last, count, and how many bytes of detail follow."""


class _Packed(NamedTuple):
    """One model, the newest first."""

    runs: bytes = b""
    failures: bytes = b""


class CanaryPast:
    """For any number of threads; who reads waits for nobody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Held for moments, by those who add."""
        self._models: OrderedDict[tuple[str, str, str], _Packed] = OrderedDict()
        """By target, name and version; those that were asked last are last."""

    def add(self, target: str, result: CanaryResult) -> None:
        """A canary ended."""
        place = target, result.key.name, result.key.version
        with self._lock:
            # Replaced where it is, then moved: it is there at any moment, for readers hold no lock.
            self._models[place] = _added(self._models.get(place, _Packed()), result)
            self._models.move_to_end(place)
            if len(self._models) > MODELS:
                self._models.popitem(last=False)

    def of(self, target: str, key: ModelKey) -> CanaryHistory:
        """What is kept of a model, which may not be loaded; empty where nothing is."""
        packed = self._models.get((target, key.name, key.version), _Packed())
        return CanaryHistory(tuple(_runs(packed.runs)), tuple(_failures(packed.failures)))

    def forget(self, target: str) -> None:
        """A target is no longer watched."""
        with self._lock:
            kept = ((place, packed) for place, packed in self._models.items() if place[0] != target)
            self._models = OrderedDict(kept)


def _added(before: _Packed, result: CanaryResult) -> _Packed:
    latency, first = (math.nan if one is None else one for one in (result.latency, result.first_response))
    run = _RUN.pack(_NUMBER[result.reason], result.at, latency, first)
    runs = (run + before.runs)[: RUNS * _RUN.size]
    return _Packed(runs, before.failures if result.ok else _failed(before.failures, result))


def _failed(failures: bytes, result: CanaryResult) -> bytes:
    """The failures with one more, which counts on the newest where it says the same."""
    number, detail = _NUMBER[result.reason], _clipped(result.detail)
    first, count = result.at, 1
    if failures:
        before, began, _, times, length = _FAILURE.unpack_from(failures)
        end = _FAILURE.size + length
        if (before, failures[_FAILURE.size : end]) == (number, detail):
            first, count, failures = began, times + 1, failures[end:]
    newest = _FAILURE.pack(number, first, result.at, count, len(detail)) + detail
    return newest + failures[: _end_of(failures, FAILURES - 1)]


def _clipped(detail: str) -> bytes:
    return printable(detail[:DETAIL]).encode()[:DETAIL].decode(errors="ignore").encode()


def _end_of(failures: bytes, most: int) -> int:
    """Where the newest so many end."""
    end = 0
    for _ in range(most):
        if end == len(failures):
            break
        end += _FAILURE.size + _FAILURE.unpack_from(failures, end)[-1]
    return end


def _runs(packed: bytes) -> Iterator[CanaryRun]:
    for number, at, latency, first in _RUN.iter_unpack(packed):
        yield CanaryRun(at, _REASONS[number], _known(latency), _known(first))


def _failures(packed: bytes) -> Iterator[CanaryFailure]:
    place = 0
    while place < len(packed):
        number, first, last, count, length = _FAILURE.unpack_from(packed, place)
        place += _FAILURE.size + length
        yield CanaryFailure(_REASONS[number], packed[place - length : place].decode(), first, last, count)


def _known(seconds: float) -> float | None:
    return None if math.isnan(seconds) else seconds
