"""Goals from their sections: what a threshold means depends on the SLI, and not every SLI has one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.config.errors import Location, ParseError
from triton_watch.config.fields import positive_duration
from triton_watch.config.slo_fields import parse_ratio
from triton_watch.config.units import format_percentage
from triton_watch.records import Goal, SloSli

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.config.expand import Report
    from triton_watch.config.slo_sections import GoalSection, ObjectiveSection, OverrideSection, ThresholdSection

LATENCIES: Final = (SloSli.QUEUE_TIME, SloSli.REQUEST_TIME, SloSli.TTFT)
WITH_QUANTILE: Final = (SloSli.QUEUE_TIME, SloSli.REQUEST_TIME)

_MISSING: Final = {
    **dict.fromkeys(LATENCIES, "is missing: write the longest time that is good, such as 50ms."),
    SloSli.BATCH_EFFICIENCY: "is missing: write the least ratio that is good, such as 0.5.",
    SloSli.GPU_UTILIZATION: "is missing: write low, high or both under it, such as {low: 20%, high: 90%}.",
}


def goal_of(section: ObjectiveSection, report: Report, at: Location) -> Goal:
    """Return the goal of an objective; what is wrong goes to `report`, and that part is left out."""
    sli = SloSli(section.sli)
    if section.threshold is None and sli in _MISSING:
        report((*at, "threshold"), _MISSING[sli])
    return _with(Goal(section.objective), section, sli, report, at)


def override_of(base: Goal, section: OverrideSection, sli: SloSli, report: Report, at: Location) -> Goal:
    """Return the goal of an override: what it does not say is as in `base`."""
    if not section.model_fields_set - {"models"}:
        report(at, "changes nothing: give threshold, quantile, objective or min_events, or delete it.")
    goal = replace(base, objective=section.objective or base.objective)
    return _with(goal, section, sli, report, at)


def _with(goal: Goal, section: GoalSection, sli: SloSli, report: Report, at: Location) -> Goal:
    """Put what both kinds of section may have over a goal."""
    if section.quantile is not None and sli not in WITH_QUANTILE:
        report((*at, "quantile"), "is only for queue_time and request_time: delete it.")
    if section.threshold is not None:
        try:
            low, high = _LIMITS[sli](section.threshold)
        except ParseError as error:
            report((*at, "threshold"), str(error))
        else:
            goal = replace(goal, low=low, high=high)
    return replace(goal, quantile=section.quantile or goal.quantile, min_events=section.min_events or goal.min_events)


_Limits = tuple[float | None, float | None]
"""The least and the most that is good; None is open."""


def _none(threshold: ThresholdSection) -> _Limits:
    del threshold
    raise ParseError("is not for availability, where a request is good when the server answers it: delete it.")


def _none_of_canaries(threshold: ThresholdSection) -> _Limits:
    del threshold
    raise ParseError("is not for canary, where a canary is good when it passes: delete it, or set canary.max_latency.")


def _longest(threshold: ThresholdSection) -> _Limits:
    if threshold.plain is None:
        raise ParseError("is a mapping where the longest time that is good belongs: write a duration, such as 50ms.")
    return None, positive_duration(threshold.plain)


def _least(threshold: ThresholdSection) -> _Limits:
    if threshold.plain is None:
        raise ParseError("is a mapping where the least ratio that is good belongs: write a number such as 0.5.")
    ratio = parse_ratio(threshold.plain)
    if ratio == 0:
        raise ParseError("0 makes everything good: choose a ratio above 0, such as 0.5.")
    return ratio, None


def _band(threshold: ThresholdSection) -> _Limits:
    low, high = threshold.low, threshold.high
    if threshold.plain is not None:
        raise ParseError("is one value where a band belongs: write low, high or both, such as {low: 20%, high: 90%}.")
    if low is None and high is None:
        raise ParseError("has neither low nor high: add one of them.")
    if low is not None and high is not None and low > high:
        both = f"low of {format_percentage(low)} above its high of {format_percentage(high)}"
        raise ParseError(f"has a {both}, so that nothing would be good: swap them.")
    return low, high


_LIMITS: Final[dict[SloSli, Callable[[ThresholdSection], _Limits]]] = {
    SloSli.AVAILABILITY: _none,
    SloSli.CANARY: _none_of_canaries,
    **dict.fromkeys(LATENCIES, _longest),
    SloSli.BATCH_EFFICIENCY: _least,
    SloSli.GPU_UTILIZATION: _band,
}
