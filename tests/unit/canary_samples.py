"""Canaries' results and states made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triton_watch.records import CanaryReason, CanaryResult, CanaryState, CanaryVerdict, ModelKey

if TYPE_CHECKING:
    from collections.abc import Mapping

M = ModelKey("m", "1")


def result(reason: CanaryReason = CanaryReason.OK, key: ModelKey = M, **fields: Any) -> CanaryResult:
    """A canary from 10 s to 10.1 s, which ended like this."""
    made: dict[str, Any] = {"at": 1.7e9, "began": 10.0, "ended": 10.1, "latency": 0.1 if reason.was_served else None}
    made["detail"] = "" if reason is CanaryReason.OK else f"it is {reason.value}"
    return CanaryResult(key, reason=reason, **{**made, **fields})


def state(*recent: CanaryReason, key: ModelKey = M, verdict: CanaryVerdict | None = None, **fields: Any) -> CanaryState:
    """The state after these outcomes; the verdict is that of two failures out of three."""
    results = [result(one, key) for one in recent]
    failed = [one for one in results if not one.ok]
    bad = sum(not one.ok for one in results[-3:])
    found = CanaryVerdict.FAILING if bad > 1 else CanaryVerdict.PASSING if len(results) > bad else CanaryVerdict.UNKNOWN
    made: dict[str, Any] = {
        "verdict": verdict or found,
        "last": results[-1] if results else None,
        "last_failure": failed[-1] if failed else None,
        "recent": tuple(one.ok for one in results),
    }
    return CanaryState(key, **{**made, **fields})


def states(*given: CanaryState) -> Mapping[ModelKey, CanaryState]:
    """States by their models."""
    return {one.key: one for one in given}
