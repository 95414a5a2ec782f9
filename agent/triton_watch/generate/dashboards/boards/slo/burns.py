"""The board SLO: what burns, how fast, and who spends it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.config.units import format_duration
from triton_watch.conventions.dashboards import MODEL
from triton_watch.generate.dashboards.boards.slo.series import (
    BAD,
    BUDGET,
    BURN,
    DEFINED,
    EVENTS,
    LEGEND,
    LINES,
    NO_EVENTS,
    PERIOD,
    VERDICTS,
    in_window,
    once,
)
from triton_watch.generate.dashboards.links import of_row, of_series
from triton_watch.generate.dashboards.panels import Query, graph, states
from triton_watch.generate.dashboards.scales import GREEN, ORANGE, RED, Scale, Step, bad_below, numbered, worst_first
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.queries import coded, worst
from triton_watch.records import Page
from triton_watch.slo.words import period_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.generate.dashboards.panels import Panel
    from triton_watch.records import BurnWindow

_COLORS: Final = {Page.PAGE: RED, Page.TICKET: ORANGE}


def bands() -> Panel:
    """Verdicts over time, of those that were not ok."""
    verdict = "triton_watch_slo_verdict"
    spent, unknown = LINES.ever(verdict, 'verdict=~"burning|exhausted"'), LINES.ever(verdict, 'verdict="no_data"')
    return states(
        "Verdicts over time",
        "At most 20 objectives of models that were anything but ok at some time that is shown, those that burned or "
        "were exhausted first. See what changed where a band turns: a deployment, the traffic, a server.",
        Query(
            worst(coded(LINES, verdict, "verdict", worst_first(VERDICTS)), LINES.by, f"2 * {spent} or {unknown}"),
            LEGEND,
        ),
        names=numbered(VERDICTS),
        no_value="None: all were ok",
        links=[of_series(MODEL)],
        height=9,
    )


def course() -> Panel:
    """What is left of the budgets over time."""
    return graph(
        "Budget left (lowest 20)",
        "The share of the error budget of the period that is left. It falls while bad events come, and rises again as "
        "they grow older than the period. Below 0: hold back changes until it is back.",
        Query(worst(LINES.lowest(BUDGET), LINES.by, f"-{LINES.ever_lowest(BUDGET)}"), LEGEND),
        unit="percentunit",
        lowest=None,
        highest=1,
        scale=bad_below(0),
        no_value=NO_EVENTS,
        links=[of_series(MODEL)],
        width=24,
    )


def burns(tiers: Sequence[tuple[float, BurnWindow]]) -> Iterator[Panel]:
    """A panel for each row of the burn-rate table, about the objectives that have it."""
    several = len({period for period, _ in tiers}) > 1
    for period, tier in tiers:
        long, short = format_duration(tier.long), format_duration(tier.short)
        of_period = f"on (slo) {DEFINED.highest(PERIOD)} == {period:.12g}"
        alerted = f"on (slo) {DEFINED.series('triton_watch_slo_info', _alerts(tier.severity))}"
        yield graph(
            f"Burn rate over {long} and {short}{f' of {period_words(period)}' if several else ''} (highest 10)",
            f"How many times too fast budgets are spent. While both windows are above {tier.factor:g}, with enough "
            f"events, TritonErrorBudgetBurn fires as a {tier.severity.value}: see below which events are bad, and "
            "since when.",
            *(
                Query(
                    f"topk(10, {LINES.highest(BURN, in_window(window))} and {of_period} and {alerted})",
                    f"{LEGEND} over {format_duration(window)}",
                )
                for window in (tier.long, tier.short)
            ),
            unit="short",
            scale=Scale(GREEN, (Step(tier.factor, _COLORS[tier.severity]),)),
            no_value=NO_EVENTS,
            links=[of_series(MODEL)],
        )


def _alerts(severity: Page) -> str:
    return f'alerts=~".*{severity.value}.*"'


def spenders() -> Panel:
    """Whose events were bad in the time that is shown."""
    shown = replace(LINES, span="$__range")
    # What nobody counts any more, such as a model that was unloaded, spent its part nevertheless.
    bad, total = (f"({once(one)} or {one})" for one in (shown.increase(EVENTS, BAD), shown.increase(EVENTS)))
    most = f"topk(50, {bad} > 0)"
    return table(
        "Who spent the budget in the time that is shown (at most 50)",
        "Bad events by model, the most first, and their share in all bad events of the objective. One model with "
        "nearly all of them is to be mended first; bad events everywhere point to the server, the GPU or the network.",
        Column("Bad events", most, unit="locale", decimals=0),
        Column(
            "Share of all bad",
            f"{most} / on (slo) group_left () (sum by (slo) {bad} > 0)",
            is_bar=True,
            unit="percentunit",
        ),
        Column("Events", f"{total} and {most}", unit="locale", decimals=0),
        Column("Bad of its own", f"{most} / ({total} > 0)", unit="percentunit", decimals=2),
        keys=LINES.by,
        key_links={"model": of_row(MODEL, "target", "model")},
        sort_by="Bad events",
        no_value="None: no event was bad",
    )
