"""The board SLO: the events behind the budgets, and whether they are counted at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from triton_watch.config.units import format_duration
from triton_watch.conventions.dashboards import MODEL, SLO
from triton_watch.generate.dashboards.boards.slo.series import (
    BAD,
    DEFINED,
    EACH,
    EVENTS,
    LEGEND,
    LINES,
    NO_EVENTS,
    NO_OBJECTIVES,
    OBJECTIVE,
    PERIOD,
    SILENCE,
    once,
)
from triton_watch.generate.dashboards.links import of_series, of_target_series
from triton_watch.generate.dashboards.panels import Query, bars, graph
from triton_watch.generate.dashboards.scales import bad_below
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import AGENT_SERVERS
from triton_watch.generate.queries import worst
from triton_watch.slo.words import period_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.generate.dashboards.panels import Panel


def events() -> Iterator[Panel]:
    """Shares of bad events, and how many there are."""
    by_target = replace(EACH, by=("slo", "target"))
    allowed = f"1 - min by (slo) ({EACH.series(OBJECTIVE)})"
    bad, good, every = (_rate(*matchers) for matchers in ((BAD,), ('result="good"',), ()))
    yield graph(
        "Share of bad events over all models and servers",
        "Bad events divided by all events, added up first. Dashed: the most that the objective allows, where models "
        "differ the least strict one. A line above its dashed one spends more than there is.",
        Query(f"{bad} / ({every} > 0)", "{{slo}}"),
        Query(allowed, "{{slo}} allowed"),
        unit="percentunit",
        limits=" allowed$",
        no_value=NO_EVENTS,
    )
    yield graph(
        "Share of bad events by server (highest 20)",
        "Bad events divided by all events of a server. One server far above the others has a fault of its own: "
        "compare its version, GPU and load.",
        Query(f"topk(20, {by_target.rate(EVENTS, BAD)} / ({by_target.rate(EVENTS)} > 0))", "{{slo}} on {{target}}"),
        unit="percentunit",
        no_value=NO_EVENTS,
        links=[of_target_series(SLO)],
    )
    for title, expr, description in (
        (
            "Bad events",
            bad,
            "Requests, or seconds with traffic, that broke the objective. A step: see what was deployed then.",
        ),
        (
            "Good events",
            good,
            "Requests, or seconds with traffic, that kept it. None at all: no traffic, or no data.",
        ),
    ):
        yield graph(
            f"{title} per second",
            description,
            Query(expr, "{{slo}}"),
            unit="cps",
            no_value=NO_EVENTS,
        )


def _rate(*matchers: str) -> str:
    """Events a second of each objective."""
    return f"sum by (slo) ({once(LINES.rate(EVENTS, *matchers))})"


def fleet(periods: Iterable[float]) -> Panel:
    """Weighted by traffic: bad events against those that the events of each model allow."""
    queries = []
    for period in periods:
        within = replace(LINES, span=format_duration(period))
        allowed = f"sum by (slo) ({once(within.increase(EVENTS))} * (1 - {within.highest(OBJECTIVE)}))"
        bad = f"sum by (slo) ({once(within.increase(EVENTS, BAD))})"
        left = f"1 - {bad} / ({allowed} > 0)"
        of_period = f"on (slo) {DEFINED.highest(PERIOD)} == {period:.12g}"
        queries.append(Query(f"({left}) and {of_period}", f"{{{{slo}}}} over {period_words(period)}"))
    return bars(
        "Budget left of all chosen models and servers",
        "One budget for all that is chosen, each model weighted by its traffic: 1 - bad events / bad events allowed. "
        "Prometheus must keep samples as long as the period, or it speaks of less. Below 0: the promise is broken.",
        *queries,
        unit="percentunit",
        scale=bad_below(0),
        lowest=None,
        highest=1,
        no_value=NO_EVENTS,
        width=24,
    )


def objectives() -> Panel:
    """What is promised, and of how many models."""
    info = replace(DEFINED, by=("slo", "sli"))
    return table(
        "Objectives",
        "What the agents promise. No model: the objective watches nothing, for its models or targets are misspelt, or "
        "no server serves the indicator. `triton-watch slo check` says it in words.",
        Column("Indicator", info.highest("triton_watch_slo_info"), label="sli"),
        Column("Period", f"{DEFINED.highest(PERIOD)} / 86400", unit="suffix:d"),
        Column("Model versions", DEFINED.total("triton_watch_slo_models_matched"), scale=bad_below(1)),
        Column("Events an alert needs", DEFINED.highest("triton_watch_slo_min_events")),
        Column("No data after", DEFINED.highest("triton_watch_slo_no_data_after_seconds"), unit="s"),
        keys=DEFINED.by,
        no_value=NO_OBJECTIVES,
        sort_by="Model versions",
        is_descending=False,
    )


def counted() -> Iterator[Panel]:
    """Whether anything hinders the counting."""
    yield graph(
        "Silence of indicators (longest 20)",
        "Time since an indicator last had something to say; an idle model says that it is idle. When it grows, the "
        "metrics page, the model or its counters are missing, and TritonMetricsMissing is due.",
        Query(worst(LINES.highest(SILENCE), LINES.by, LINES.ever(SILENCE)), LEGEND),
        Query(f"max ({DEFINED.series('triton_watch_slo_no_data_after_seconds')})", "no data from here on"),
        unit="s",
        limits="^no data from here on$",
        no_value=NO_OBJECTIVES,
        links=[of_series(MODEL)],
        width=8,
    )
    odd = replace(DEFINED, matchers=f'{DEFINED.matchers}, target=~"$target"', by=("slo", "target"))
    yield graph(
        "Odd intervals per second (highest 20)",
        "Intervals that were thrown away because their numbers cannot be. It should be 0: look at the server's "
        "metrics page, or whether one address leads to several servers.",
        Query(f"topk(20, {odd.rate('triton_watch_slo_odd_intervals_total')})", "{{slo}} on {{target}}"),
        unit="cps",
        no_value=NO_OBJECTIVES,
        width=8,
    )
    refused = "triton_watch_slo_series_refused"
    yield graph(
        "Series refused (highest 20)",
        "Series that are not counted for lack of room, by server. It should be 0: let objectives name fewer models.",
        Query(worst(AGENT_SERVERS.highest(refused), AGENT_SERVERS.by, AGENT_SERVERS.ever(refused)), "{{target}}"),
        unit="short",
        no_value=NO_OBJECTIVES,
        width=8,
    )
