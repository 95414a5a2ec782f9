"""States in a word and a kind: each kind has a colour and a shape in the style, so that no colour stands alone."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.daemon.facts.standing import Standing
from triton_watch.records.alert import AlertPhase, AlertSeverity
from triton_watch.records.budget import Verdict
from triton_watch.records.canary import CanaryVerdict
from triton_watch.records.finding import Severity
from triton_watch.records.history import EventLevel
from triton_watch.slo.serving import Serving
from triton_watch.slo.troubles import Level
from triton_watch.wording.words import VERDICT_WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum


class Mark(NamedTuple):
    """`word` is that of the API; `kind` is a class of the style, one of those of `Standing`."""

    word: str
    kind: str


_MARKS: Final[Mapping[Enum, Mark]] = MappingProxyType(
    {
        **{one: Mark(one.value, one.value) for one in Standing},
        Verdict.OK: Mark(VERDICT_WORDS[Verdict.OK], "ok"),
        Verdict.BURNING: Mark(VERDICT_WORDS[Verdict.BURNING], "burning"),
        Verdict.EXHAUSTED: Mark(VERDICT_WORDS[Verdict.EXHAUSTED], "failing"),
        Verdict.NO_DATA: Mark(VERDICT_WORDS[Verdict.NO_DATA], "unknown"),
        CanaryVerdict.PASSING: Mark("passing", "ok"),
        CanaryVerdict.FAILING: Mark("failing", "failing"),
        CanaryVerdict.UNKNOWN: Mark("unknown", "unknown"),
        Severity.ERROR: Mark("error", "failing"),
        Severity.WARNING: Mark("warning", "burning"),
        Severity.INFO: Mark("info", "advice"),
        AlertSeverity.PAGE: Mark("page", "failing"),
        AlertSeverity.TICKET: Mark("ticket", "burning"),
        AlertSeverity.INFO: Mark("info", "advice"),
        AlertPhase.PENDING: Mark("pending", "unknown"),
        AlertPhase.FIRING: Mark("firing", "failing"),
        AlertPhase.RESOLVED: Mark("resolved", "ok"),
        EventLevel.TROUBLE: Mark("trouble", "failing"),
        EventLevel.RECOVERY: Mark("recovery", "ok"),
        Level.PROBLEM: Mark("problem", "failing"),
        Level.ADVICE: Mark("advice", "advice"),
        Serving.SERVING: Mark("serving", "ok"),
        Serving.NOT_SERVING: Mark("not serving", "failing"),
        Serving.UNKNOWN: Mark("unknown", "unknown"),
    }
)

YES, NO, UNKNOWN = Mark("yes", "ok"), Mark("no", "failing"), Mark("unknown", "unknown")


def mark(of: Enum) -> Mark:
    """Return the mark of a state."""
    return _MARKS[of]


def yes_or_no(value: bool | None) -> Mark:
    """Return the mark of what holds, does not, or is not known."""
    return UNKNOWN if value is None else YES if value else NO
