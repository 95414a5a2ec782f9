"""The states of a target's canaries: what is known now, and what is kept of models that come back."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.probes.canary.states import after_run, after_skip, with_failure
from triton_watch.records import CanaryState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from triton_watch.probes.canary.single import Canary
    from triton_watch.records import CanaryResult, CanarySettings, ModelKey, SkipReason


class StateBook:
    """For any number of threads. `states` never changes after it was handed out.

    Each canary changes one state and a poll reads them all, so that they are copied when they are read, not when they
    change: with thousands of models a copy for each canary would cost more than the canary.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Held for moments, never for as long as a canary takes."""
        self._resting: dict[ModelKey, CanaryState] = {}
        self._current: dict[ModelKey, CanaryState] = {}
        self._copy: Mapping[ModelKey, CanaryState] | None = None
        """What was handed out last, as long as it is true."""

    @property
    def states(self) -> Mapping[ModelKey, CanaryState]:
        """All states of one moment."""
        copy = self._copy
        if copy is None:
            with self._lock:
                copy = self._copy = MappingProxyType(self._current.copy())
        return copy

    def get(self, key: ModelKey) -> CanaryState | None:
        """The state of one model; None = it has no canary."""
        with self._lock:
            return self._current.get(key)

    def open(self, canary: Canary) -> None:
        """A model has a canary from now on; what was counted of it goes on."""
        with self._lock:
            key = canary.key
            before = self._current.get(key) or self._resting.pop(key, None) or CanaryState(key)
            self._put(_described(before, canary))

    def close(self, key: ModelKey) -> None:
        """A model has none any more; its counts rest until it comes back, and its verdict is forgotten."""
        with self._lock:
            state = self._current.pop(key, None)
            if state is not None:
                self._resting[key] = _counts_of(state)
                self._copy = None

    def forget_all_but(self, known: AbstractSet[ModelKey]) -> None:
        """Models that the server does not know any more do not come back."""
        with self._lock:
            self._resting = {key: state for key, state in self._resting.items() if key in known}

    def describe(self, canary: Canary) -> None:
        """A canary's plan may have been made anew, or its hindrance have come or gone."""
        self._change(canary.key, lambda state: _described(state, canary))

    def skip(self, key: ModelKey, reason: SkipReason) -> None:
        """A canary that was due was not sent."""
        self._change(key, lambda state: after_skip(state, reason))

    def add(self, result: CanaryResult, settings: CanarySettings, *, is_first: bool, counts: bool) -> None:
        """A canary ended; `counts` False leaves the verdict as it is."""
        self._change(result.key, lambda state: after_run(state, result, settings, is_first=is_first, counts=counts))

    def let_count(self, key: ModelKey, settings: CanarySettings) -> None:
        """A failure that was told before, and did not count then, counts."""
        self._change(key, lambda state: with_failure(state, settings))

    def _change(self, key: ModelKey, step: Callable[[CanaryState], CanaryState]) -> None:
        with self._lock:
            state = self._current.get(key)
            if state is not None:
                self._put(step(state))

    def _put(self, state: CanaryState) -> None:
        self._current[state.key] = state
        self._copy = None


def _described(state: CanaryState, canary: Canary) -> CanaryState:
    note = canary.hindrance or canary.note
    return replace(state, note=note, has_golden=canary.has_golden, interval=canary.options.interval)


def _counts_of(state: CanaryState) -> CanaryState:
    return CanaryState(
        state.key,
        runs=state.runs,
        skipped=state.skipped,
        buckets=state.buckets,
        latency_sum=state.latency_sum,
        requests=state.requests,
        overhead=state.overhead,
    )
