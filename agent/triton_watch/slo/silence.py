"""SilentFailure: a model's canaries fail, and the server counts no failure (PAINS: requests fail, success climbs)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.records import CanaryReason, CanaryVerdict, Counter, ModelKey, SilentFailure
from triton_watch.slo.apart import rows_by_name
from triton_watch.slo.owed import SETTLED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import CanaryResult, CanaryState, MetricsFrame

_PAGES: Final = 12
_FAILURES: Final = [Counter.FAIL_BACKEND, Counter.FAIL_OTHER, Counter.FAIL_REJECTED, Counter.FAIL_UNLABELLED]
_SAY_NOTHING: Final = frozenset(
    {
        CanaryReason.OK,
        CanaryReason.UNREACHABLE,
        CanaryReason.DEADLINE,
        CanaryReason.NOT_SERVED,
        CanaryReason.TOO_SLOW,
    }
)
"""Ends of which the server could not know, or that are no errors."""


class SilenceWatch:
    """Holds failed canaries against the failure counters around them. For one target, not for two threads at once."""

    def __init__(self) -> None:
        self._pages: deque[MetricsFrame] = deque(maxlen=_PAGES)
        self._judged: dict[ModelKey, float] = {}
        self._found: dict[ModelKey, SilentFailure] = {}

    def observe(
        self, page: MetricsFrame | None, states: Mapping[ModelKey, CanaryState]
    ) -> dict[ModelKey, SilentFailure]:
        """Take in a page, if there is one; return the models that fail silently now."""
        if page is not None:
            if not states:
                self._pages.clear()  # only the last one may precede a canary
            self._pages.append(page)
        for key, state in states.items():
            failure = state.last_failure
            if failure is not None and failure.ended != self._judged.get(key):
                self._judge(key, failure)
        self._found = {key: one for key, one in self._found.items() if key in states and not _passes(states[key])}
        self._judged = {key: one for key, one in self._judged.items() if key in states}
        return {key: one for key, one in self._found.items() if states[key].verdict is CanaryVerdict.FAILING}

    def _judge(self, key: ModelKey, failure: CanaryResult) -> None:
        """Decide about a failure once a page has settled after it; a page is needed from before it, too."""
        after = next((page for page in self._pages if page.at >= failure.ended + SETTLED), None)
        before = [page for page in self._pages if page.at <= failure.began]
        if after is None:
            return
        self._judged[key] = failure.ended
        if not before or failure.reason in _SAY_NOTHING:
            if failure.reason in _SAY_NOTHING:
                self._found.pop(key, None)
            return
        failed, succeeded = risen(before[-1], after, key)
        was_refused = failure.reason in (CanaryReason.OVERLOADED, CanaryReason.REFUSED)
        is_excused = failure.was_made_up and failure.reason is CanaryReason.REFUSED
        if failed == 0 and succeeded > 0 and not is_excused:
            self._found[key] = SilentFailure(failure.at, failure.reason, failure.detail, succeeded)
        elif failed > 0 or was_refused:
            self._found.pop(key, None)


def _passes(state: CanaryState) -> bool:
    """Whether the model is well again: should it fail later, that is another failure."""
    return state.verdict is CanaryVerdict.PASSING and state.last is not None and state.last.ok


def risen(before: MetricsFrame, after: MetricsFrame, key: ModelKey) -> tuple[float, float]:
    """How much the failure and the success counters rose; NaN where that is not known, after a reset too."""
    rows = [rows_by_name(page.models).get((key.name, key.version)) for page in (before, after)]
    if None in rows:
        return np.nan, np.nan
    then, now = (page.counters[:, row] for page, row in zip((before, after), rows, strict=True))
    increase = now - then
    if (increase < 0).any():
        return np.nan, np.nan
    return float(np.nansum(increase[_FAILURES])), float(increase[Counter.SUCCESS])
