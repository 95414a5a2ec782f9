"""What a model's canaries say of it: pure steps from one `CanaryState` to the next."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.records import LATENCY_BUCKETS, CanaryResult, CanarySettings, CanaryState, CanaryVerdict, SkipReason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    K = TypeVar("K")

REMEMBERED: Final = 20
"""Outcomes that are kept."""


def after_run(
    state: CanaryState, result: CanaryResult, settings: CanarySettings, *, is_first: bool, counts: bool = True
) -> CanaryState:
    """Add a run. `is_first`: the first since the model was loaded; `counts` False leaves the verdict as it is."""
    recent = (*state.recent, result.ok)[-REMEMBERED:] if counts else state.recent
    in_histogram = result.latency is not None and not is_first
    return replace(
        state,
        verdict=verdict_of(recent, settings),
        last=result,
        last_failure=state.last_failure if result.ok else result,
        recent=recent,
        runs=_one_more(state.runs, result.reason),
        last_skip=None,
        buckets=_counted(state.buckets, result.latency) if in_histogram else state.buckets,
        latency_sum=state.latency_sum + (result.latency or 0.0 if in_histogram else 0.0),
        first_call=result.latency if is_first and result.latency is not None else state.first_call,
        requests=state.requests + result.requests,
        overhead=state.overhead + result.overhead,
    )


def after_skip(state: CanaryState, reason: SkipReason) -> CanaryState:
    """Note that a canary that was due was not sent."""
    return replace(state, skipped=_one_more(state.skipped, reason), last_skip=reason)


def with_failure(state: CanaryState, settings: CanarySettings) -> CanaryState:
    """Let a failure count that was told before, and did not then."""
    recent = (*state.recent, False)[-REMEMBERED:]
    return replace(state, recent=recent, verdict=verdict_of(recent, settings))


def verdict_of(recent: tuple[bool, ...], settings: CanarySettings) -> CanaryVerdict:
    """`failures` of the last `window` decide; a lone failure at the start decides nothing yet."""
    last = recent[-settings.window :]
    failed = last.count(False)
    if failed >= settings.failures:
        return CanaryVerdict.FAILING
    return CanaryVerdict.PASSING if any(last) else CanaryVerdict.UNKNOWN


def is_undecided(state: CanaryState) -> bool:
    """Whether the last run says otherwise than the verdict, so that the next one should come soon."""
    if not state.recent:
        return False
    return state.verdict is not (CanaryVerdict.PASSING if state.recent[-1] else CanaryVerdict.FAILING)


def _one_more(counts: Mapping[K, int], key: K) -> Mapping[K, int]:
    return MappingProxyType({**counts, key: counts.get(key, 0) + 1})


def _counted(buckets: tuple[int, ...], latency: float | None) -> tuple[int, ...]:
    place = bisect_left(LATENCY_BUCKETS, latency or 0.0)
    return (*buckets[:place], buckets[place] + 1, *buckets[place + 1 :])
