"""Canaries that a server has counted, or will: what has to come off its counters before they are about clients."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_watch.records import CanaryReason, CanarySent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import CanaryResult, ModelConfig, ModelKey

_LATEST = -1
"""An ensemble's step without a version of its own means the latest."""
_MOST_STEPS = 1000
"""Ensembles cannot contain themselves; should a server say so all the same, this ends it."""


@dataclass(slots=True)
class _Count:
    passed: int = 0
    failed: int = 0
    served: int = 0
    broken: int = 0
    rows: int = 0

    def frozen(self) -> CanarySent:
        return CanarySent(self.passed, self.failed, self.served, self.broken, self.rows)


class SentCounts:
    """Counts canaries until they are taken. Not for two threads at once."""

    def __init__(self) -> None:
        self._counts: dict[ModelKey, _Count] = defaultdict(_Count)

    def add(self, result: CanaryResult, rows: int, members: Mapping[ModelKey, int]) -> None:
        """Count a canary whose request has `rows` rows; `members` are an ensemble's steps, by how often they run."""
        own = self._counts[result.key]
        own.passed += result.ok
        own.failed += not result.ok
        _add(own, result, rows, 1)
        for key, times in members.items():
            _add(self._counts[key], result, rows, times)

    def take(self) -> Mapping[ModelKey, CanarySent]:
        """What was counted since the last time."""
        counts, self._counts = self._counts, defaultdict(_Count)
        return {key: count.frozen() for key, count in counts.items()}


def _add(count: _Count, result: CanaryResult, rows: int, times: int) -> None:
    """Of a sequence that went wrong half way, the requests that had their responses were served."""
    served = result.requests if result.reason.was_served else min(result.responses, result.requests)
    count.served += served * times
    count.rows += served * rows * times
    if result.reason is CanaryReason.SERVER_ERROR:
        count.broken += times
        count.rows += rows * times


def members_of(
    config: ModelConfig, configs: Mapping[str, ModelConfig], ready: frozenset[ModelKey]
) -> dict[ModelKey, int]:
    """The models that one request to an ensemble runs, through ensembles within it, and how often each."""
    found: dict[ModelKey, int] = defaultdict(int)
    stack = list(config.steps)
    for _ in range(_MOST_STEPS):
        if not stack:
            break
        step = stack.pop()
        key = _key(step.model, step.model_version, ready)
        if key is not None:
            found[key] += 1
        member = configs.get(step.model)
        if member is not None:
            stack += member.steps
    return dict(found)


def _key(name: str, version: int, ready: frozenset[ModelKey]) -> ModelKey | None:
    candidates = [key for key in ready if key.name == name]
    if version != _LATEST:
        candidates = [key for key in candidates if key.version == str(version)]
    return max(candidates, key=lambda key: (len(key.version), key.version), default=None)
