"""Objectives recorded from Triton's own metrics: events, windows, budgets; and alerts on budgets that burn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.marks import told_apart
from triton_watch.alerting.promql import Matcher, any_of, number
from triton_watch.config.units import format_duration
from triton_watch.conventions import recorded
from triton_watch.generate.rules.lengths import by_length
from triton_watch.generate.rules.triton_burn import burn_alerts
from triton_watch.generate.rules.triton_events import events_of, left_out, parts, span_of, told
from triton_watch.generate.rules.triton_parts import group, matchers, record

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
    slow, windows = _slow(options), by_length(objectives, lambda one: one.burn_lengths | {one.period})
    short = {window: used for window, used in windows.items() if window <= _LONG}
    long = {window: used for window, used in windows.items() if window > _LONG}
    averaged = recorded.SLO_EVENTS_AVERAGED.over(span_of(options))
    recording = [
        *(rule for one in objectives for rule in _events(one, options)),
        *_of_windows(short, _counted(options), options.interval, options),
    ]
    slowly = [
        _averaged(averaged, options),
        *_of_windows(long, averaged, slow, options),
        _budget(objectives, options),
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
    return recorded.SLO_EVENTS.over(span_of(options))


def _events(objective: Objective, options: RuleOptions) -> Iterator[Rule]:
    for result, expr in events_of(objective, options)._asdict().items():
        yield record(_counted(options), expr, slo=objective.name, result=result)


def _averaged(averaged: Recorded, options: RuleOptions) -> Rule:
    events = f"{_counted(options).name}{{{matchers(options)}}}"
    return record(averaged, f"avg_over_time({events}[{format_duration(_slow(options))}])")


def _of_windows(
    windows: dict[float, list[Objective]], source: Recorded, step: float, options: RuleOptions
) -> Iterator[Rule]:
    """The events of each window, and what share of them was bad where budgets are watched over it.

    Each value of the source stands for `step` seconds. A series that is absent adds nothing.
    """
    for window, objectives in windows.items():
        length = format_duration(window)
        slos = Matcher("slo", any_of(one.name for one in objectives))
        series = f"{source.name}{{{matchers(options, [slos])}}}"
        yield record(recorded.SLO_WINDOW_EVENTS.over(length), f"sum_over_time({series}[{length}]) * {number(step)}")
        burning = [one for one in objectives if window in one.burn_lengths]
        if burning:
            yield record(recorded.SLO_ERROR_RATIO.over(length), _bad_share(length, matchers(options)))
            yield record(recorded.SLO_BURN_RATE.over(length), _burn_rate(length, burning, options))


def _bad_share(window: str, where: str) -> str:
    """Formed last, so that an absent result counts as none."""
    name = recorded.SLO_WINDOW_EVENTS.over(window).name
    every = f"sum without (result) ({name}{{{where}}})"
    bad = f'sum without (result) ({name}{{{where}, result="bad"}})'
    return f"({bad} or {every} * 0)\n/ ({every} > 0)"


def _burn_rate(window: str, objectives: Sequence[Objective], options: RuleOptions) -> str:
    ratio = recorded.SLO_ERROR_RATIO.over(window).name
    every = _of_parts(objectives, options)
    return "\nor\n".join(f"{ratio}{{{where}}} / {allowed}" for _, where, allowed in every)


def _budget(objectives: Sequence[Objective], options: RuleOptions) -> Rule:
    """One rule for all objectives, as for burn rates: their series say already which objective they are of."""
    every = _of_parts(objectives, options)
    left = (f"1 - {_bad_share(format_duration(one.period), where)} / {allowed}" for one, where, allowed in every)
    return record(recorded.SLO_BUDGET, "\nor\n".join(left))


def _of_parts(objectives: Sequence[Objective], options: RuleOptions) -> Iterator[tuple[Objective, str, str]]:
    """Yield for each goal of the objectives the matchers of its series, and the share that may be bad."""
    for one in objectives:
        for part in parts(one):
            where = f'{matchers(options, part.models)}, slo="{one.name}"'
            yield one, where, number(1 - part.goal.objective)
