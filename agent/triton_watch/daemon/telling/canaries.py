"""Canaries: failing ones first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.daemon.facts.canary import Canary, CanaryFailure, CanaryHistory, CanaryList, CanaryRun
from triton_watch.daemon.facts.common import VERSION
from triton_watch.daemon.telling.parts import finite, is_named, number, sentence
from triton_watch.daemon.telling.versions import version_order
from triton_watch.records import CanaryVerdict
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from triton_watch import records
    from triton_watch.daemon.state import StateSource
    from triton_watch.records import CanaryState

_RANK: Final = {CanaryVerdict.FAILING: 0, CanaryVerdict.UNKNOWN: 1, CanaryVerdict.PASSING: 2}


def canary_list(
    source: StateSource,
    now: float,
    *,
    target: str | None = None,
    model: str | None = None,
    verdict: CanaryVerdict | None = None,
    offset: int = 0,
    limit: int = 100,
) -> CanaryList:
    """Return a page of the canaries that match."""
    found = [
        (name, state)
        for name, states in source.canaries().items()
        if is_named(name, target)
        for key, state in states.items()
        if is_named(key.name, model) and verdict in (None, state.verdict)
    ]
    found.sort(key=lambda one: _order(*one))
    page = tuple(canary_of(*one) for one in found[offset : offset + limit])
    return CanaryList(VERSION, now, len(found), offset, limit, page)


def canary_of(target: str, state: CanaryState) -> Canary:
    """Return what is known of a model version's canaries as told."""
    last = state.last
    return Canary(
        target=whole(target),
        model=whole(state.key.name),
        version=whole(state.key.version),
        verdict=state.verdict,
        reason=None if last is None else last.reason,
        detail="" if last is None else sentence(last.detail),
        at=None if last is None else last.at,
        latency_seconds=None if last is None else finite(last.latency),
        interval_seconds=number(state.interval),
        availability=state.availability,
        recent=state.recent,
        golden=state.has_golden,
        first_call_seconds=finite(state.first_call),
        runs=dict(state.runs),
        skipped=dict(state.skipped),
        note=sentence(state.note),
    )


def history_of(past: records.CanaryHistory) -> CanaryHistory:
    """Return the last canaries of a model, and its failures, as told."""
    return CanaryHistory(
        runs=tuple(CanaryRun(one.at, one.reason, finite(one.latency), finite(one.first_response)) for one in past.runs),
        failures=tuple(
            CanaryFailure(one.reason, sentence(one.detail), one.first, one.last, one.count) for one in past.failures
        ),
    )


def _order(target: str, state: CanaryState) -> tuple[object, ...]:
    return _RANK[state.verdict], target, state.key.name, version_order(state.key.version)
