"""Objectives recorded from Triton's own metrics: events, windows, budgets; and alerts on budgets that burn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.marks import told_apart
from triton_watch.alerting.promql import Matcher, any_of, number
from triton_watch.config.units import format_duration
from triton_watch.conventions import recorded
from triton_watch.generate.rules.triton_burn import burn_alerts
from triton_watch.generate.rules.triton_events import events_of, left_out, parts, span_of, told
from triton_watch.generate.rules.triton_parts import group, matchers, over, record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.conventions.recorded import Recorded
    from triton_watch.generate.rules.options import RuleOptions
    from triton_watch.generate.rules.triton_parts import Group, Rule
    from triton_watch.records import Objective, Settings

_SLOW: Final = 120.0
"""Seconds at least between two looks at long windows; below the 5 minutes for which Prometheus shows a value."""
_LONG: Final = 6 * 3600.0
"""Windows above it are added up from averages, a quarter as many: a month of every 30 s is 86,400 values a series."""


def slo_groups(settings: Settings, options: RuleOptions) -> list[Group]:
    """Return the groups `triton-slo`, `triton-slo-slow` and `triton-slo-alerts`; none without an objective."""
    objectives = [one for one in settings.slo.objectives if told(one, options)]
    if not objectives:
        return []
    slow = _slow(options)
    windows = _windows(objectives)
    short = {window: names for window, names in windows.items() if window <= _LONG}
    long = {window: names for window, names in windows.items() if window > _LONG}
    recording = [
        *(rule for one in objectives for rule in _events(one, options)),
        *_sums(short, _counted(options), options.interval, options),
        _ratio(options),
    ]
    slowly = [
        _averaged(options),
        *_sums(long, over(recorded.SLO_EVENTS_AVERAGED, span_of(options)), slow, options),
        *(_budget(one, options) for one in objectives),
    ]
    groups = [group("triton-slo", options.interval, recording), group("triton-slo-slow", slow, slowly)]
    alerts = told_apart(rule for one in objectives for rule in burn_alerts(one, settings.alerts, options))
    return [*groups, *([group("triton-slo-alerts", options.interval, alerts)] if alerts else [])]


def left_out_of_objectives(settings: Settings, options: RuleOptions) -> tuple[str, ...]:
    """Return what of the objectives the rules do not say, a sentence each, for a comment."""
    return tuple(sentence for one in settings.slo.objectives for sentence in left_out(one, options))


def _slow(options: RuleOptions) -> float:
    """A whole number of intervals, so that each average is of as many values."""
    return options.interval * math.ceil(_SLOW / options.interval)


def _counted(options: RuleOptions) -> Recorded:
    return over(recorded.SLO_EVENTS, span_of(options))


def _windows(objectives: Sequence[Objective]) -> dict[float, list[str]]:
    """Each window (seconds, ascending) with the names of the objectives that need it; the period is one."""
    found: dict[float, list[str]] = {}
    for one in objectives:
        for window in {one.period} | {length for tier in one.windows for length in (tier.long, tier.short)}:
            found.setdefault(window, []).append(one.name)
    return dict(sorted(found.items()))


def _events(objective: Objective, options: RuleOptions) -> Iterator[Rule]:
    for result, expr in events_of(objective, options)._asdict().items():
        yield record(_counted(options), expr, slo=objective.name, result=result)


def _averaged(options: RuleOptions) -> Rule:
    events = f"{_counted(options).name}{{{matchers(options)}}}"
    averaged = over(recorded.SLO_EVENTS_AVERAGED, span_of(options))
    return record(averaged, f"avg_over_time({events}[{format_duration(_slow(options))}])")


def _sums(windows: dict[float, list[str]], source: Recorded, step: float, options: RuleOptions) -> Iterator[Rule]:
    """Each value of the source stands for `step` seconds. A series that is absent adds nothing."""
    for window, names in windows.items():
        length = format_duration(window)
        series = f"{source.name}{{{matchers(options, [Matcher('slo', any_of(names))])}}}"
        yield record(recorded.SLO_WINDOW_EVENTS, f"sum_over_time({series}[{length}]) * {number(step)}", window=length)


def _ratio(options: RuleOptions) -> Rule:
    """Of every window that is recorded, in whichever group; formed last, so that an absent result counts as none."""
    name, where = recorded.SLO_WINDOW_EVENTS.name, matchers(options)
    every = f"sum without (result) ({name}{{{where}}})"
    bad = f'sum without (result) ({name}{{{where}, result="bad"}})'
    return record(recorded.SLO_ERROR_RATIO, f"({bad} or {every} * 0) / ({every} > 0)")


def _budget(objective: Objective, options: RuleOptions) -> Rule:
    own = f'slo="{objective.name}", window="{format_duration(objective.period)}"'
    every = []
    for part in parts(objective):
        where = f"{recorded.SLO_ERROR_RATIO.name}{{{matchers(options, part.models)}, {own}}}"
        every.append(f"1 - sum without (window) ({where}) / {number(1 - part.goal.objective)}")
    return record(recorded.SLO_BUDGET, " or ".join(every), slo=objective.name)
