"""Recording rules over the events that agents count: error ratios, burn rates and budgets, of a target and a fleet.

`increase()` takes a counter that begins at 0 again for what it is, a restart of the agent. Increases are added up over
the agents that saw them, one after the other or at a time, and divided by how many count now: a pair that watches the
same server makes no second event of any. The greatest of the increases would not do: an agent that moved to another
node leaves its events under another instance, and a month of which most parts are dropped tells another ratio.
Ratios are formed last. What became of a series that is gone is known by what was last recorded of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from triton_watch.alerting.promql import any_of, inside
from triton_watch.config.units import format_duration
from triton_watch.conventions import recorded_slo as r
from triton_watch.conventions.recorded_slo import by
from triton_watch.conventions.slo import SLO_EVENTS, SLO_OBJECTIVE
from triton_watch.generate.rules.lengths import by_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from triton_watch.conventions.recorded import Recorded
    from triton_watch.records import Objective

Rule: TypeAlias = "dict[str, Any]"
_DAY: Final = 86_400.0
SLOW_INTERVAL: Final = 240.0
"""Seconds between two looks at long windows. At five minutes, Prometheus's lookback, the last value would be gone
before the next is there, and an alert that waits for hours would begin anew."""


def recording_groups(objectives: Sequence[Objective], interval: float) -> list[dict[str, Any]]:
    """Return the groups of recording rules: short windows each `interval` (seconds), long ones and periods seldom."""
    if not objectives:
        return []
    windows = _names(by_length(objectives, lambda one: one.burn_lengths))
    periods = _names(by_length(objectives, lambda one: {one.period}))
    fast = [one for one in windows if one < _DAY]
    slow = sorted({*windows, *periods} - {*fast})
    all_slos = tuple(one.name for one in objectives)
    first = [*_now(all_slos), *_of_windows(fast, windows, periods)]
    second = [*_of_windows(slow, windows, periods), *_budgets(periods)]
    return [
        {"name": "triton-watch-recorded", "interval": format_duration(interval), "rules": first},
        {
            "name": "triton-watch-recorded-long",
            "interval": format_duration(max(interval, SLOW_INTERVAL)),
            "rules": second,
        },
    ]


def slo_matcher(slos: Iterable[str]) -> str:
    """Return the matcher for series of these objectives."""
    return f'slo=~"{inside(any_of(slos))}"'


def _names(objectives: Mapping[float, Sequence[Objective]]) -> dict[float, tuple[str, ...]]:
    return {length: tuple(one.name for one in having) for length, having in objectives.items()}


def _now(slos: Sequence[str]) -> Iterator[Rule]:
    """What is promised now, and how many agents count."""
    objective = f"{SLO_OBJECTIVE.name}{{{slo_matcher(slos)}}}"
    yield _rule(r.OBJECTIVE.name, f"max by ({by(r.OBJECTIVE)}) ({objective})")
    yield _rule(r.AGENTS.name, f"count by ({by(r.AGENTS)}) ({objective})")


def _of_windows(
    windows: Iterable[float], burns: Mapping[float, tuple[str, ...]], periods: Mapping[float, tuple[str, ...]]
) -> Iterator[Rule]:
    for window in windows:
        slos = tuple(dict.fromkeys((*burns.get(window, ()), *periods.get(window, ()))))
        yield from _events(format_duration(window), slos)
        if window in burns:
            yield from _rates(format_duration(window))


def _events(window: str, slos: Iterable[str]) -> Iterator[Rule]:
    """The events themselves: the one look at a long stretch of counters, from which all else is made."""
    events, fleet = r.EVENTS, r.FLEET_EVENTS
    yield _rule(
        events.over(window).name,
        f"sum by ({by(events)}) (increase({SLO_EVENTS.name}{{{slo_matcher(slos)}}}[{window}]))\n"
        f"/ on ({by(r.AGENTS)}) group_left () last_over_time({r.AGENTS.name}[{window}])",
    )
    yield _rule(fleet.over(window).name, f"sum by ({by(fleet)}) ({events.over(window).name})")


def _rates(window: str) -> Iterator[Rule]:
    ratio = r.ERROR_RATIO.over(window).name
    promised = f"last_over_time({r.OBJECTIVE.name}[{window}])"
    yield _rule(ratio, _share(r.EVENTS, window))
    yield _rule(r.BURN_RATE.over(window).name, f"{ratio} / (1 - {promised})")
    yield _rule(r.FLEET_ERROR_RATIO.over(window).name, _share(r.FLEET_EVENTS, window))
    yield _rule(r.FLEET_BURN_RATE.over(window).name, _spent(r.FLEET_BURN_RATE, window))


def _budgets(periods: Mapping[float, tuple[str, ...]]) -> Iterator[Rule]:
    """One rule for all periods: two that record the same name are taken for a mistake."""
    for budget in (r.BUDGET_REMAINING, r.FLEET_BUDGET_REMAINING):
        spent = [_spent(budget, format_duration(period), slo_matcher(slos)) for period, slos in periods.items()]
        yield _rule(budget.name, "\nor\n".join(f"1 - (\n{_indented(one)}\n)" for one in spent))


def _share(events: Recorded, window: str) -> str:
    """Bad events of all."""
    name = events.over(window).name
    return f'sum without (result) ({name}{{result="bad"}})\n/ (sum without (result) ({name}) > 0)'


def _spent(level: Recorded, window: str, slos: str = "") -> str:
    """Bad events of those that are allowed, added up to the level; the allowance is each series' own."""
    events = r.EVENTS.over(window).name
    bad = ", ".join(filter(None, (slos, 'result="bad"')))
    of_slos = f"{{{slos}}}" if slos else ""
    return (
        f"sum by ({by(level)}) ({events}{{{bad}}})\n"
        f"/ (sum by ({by(level)}) (\n"
        f"  sum without (result) ({events}{of_slos}) * (1 - last_over_time({r.OBJECTIVE.name}{of_slos}[{window}]))\n"
        f") > 0)"
    )


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _rule(record: str, expr: str) -> Rule:
    return {"record": record, "expr": expr}
