"""The board SLO: what is promised, what is left of it, how fast that burns, and whether it is counted.

`slo_burns` and `slo_events` hold its further rows, `slo_series` what they are about.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from triton_watch.config.units import format_duration
from triton_watch.conventions.dashboards import MODEL, SLO
from triton_watch.generate.dashboards.board import Board, Context, Row
from triton_watch.generate.dashboards.boards.slo.burns import bands, burns, course, spenders
from triton_watch.generate.dashboards.boards.slo.events import counted, events, fleet, objectives
from triton_watch.generate.dashboards.boards.slo.series import (
    BUDGET,
    BURN,
    DEFINED,
    EACH,
    LEGEND,
    LINES,
    NO_EVENTS,
    NO_OBJECTIVES,
    OBJECTIVE,
    SILENCE,
    VERDICTS,
    in_window,
)
from triton_watch.generate.dashboards.links import of_row, of_series
from triton_watch.generate.dashboards.panels import Query, stat
from triton_watch.generate.dashboards.scales import GREEN, ORANGE, YELLOW, Scale, Step, bad_above, bad_below
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import AGENT_BOARD, AGENT_SERVERS, AGENT_SLO
from triton_watch.generate.queries import how_many, how_many_are
from triton_watch.records import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.generate.dashboards.panels import Panel
    from triton_watch.records import BurnWindow


def slo(context: Context) -> Board:
    """Return the board. Its windows and periods are those of the configured objectives."""
    promised = context.settings.slo.objectives
    tiers = tuple(dict.fromkeys((one.period, tier) for one in promised for tier in one.windows))
    periods = tuple(sorted({one.period for one in promised}))
    rows = (
        Row("What is left", (*_counts(), _budgets(tier for _, tier in tiers))),
        Row("What burns", (bands(), course(), *burns(tiers), spenders())),
        Row("What goes wrong", tuple(events())),
        *([Row("The whole fleet over its period (slow)", (fleet(periods),), is_collapsed=True)] if periods else []),
        Row("Whether it is counted", (objectives(), *counted())),
    )
    return Board(SLO, (*AGENT_BOARD, AGENT_SLO), rows, since="now-24h")


def _counts() -> Iterator[Panel]:
    for title, verdict, scale, description in (
        ("Exhausted", "exhausted", bad_above(1), "Nothing is left of these budgets: hold back changes of the models."),
        (
            "Burning",
            "burning",
            Scale(GREEN, (Step(1, ORANGE),)),
            "Budgets that burn so fast that a page or a ticket is due: the table says which, and when they are spent.",
        ),
        (
            "No data",
            "no_data",
            Scale(GREEN, (Step(1, YELLOW),)),
            "Objectives of models of which nothing was counted, for want of traffic or of metrics. Nobody knows "
            "whether they are kept: the last row of this board tells the two apart.",
        ),
    ):
        expr = how_many_are(LINES, "triton_watch_slo_verdict", f'verdict="{verdict}"')
        yield stat(title, description, Query(expr, title), scale=scale, is_filled=True, no_value=NO_OBJECTIVES)
    yield stat(
        "Lowest budget left",
        "The lowest of all objectives and models that are chosen. Below 0 more was spent than the objective allows.",
        Query(f"bottomk(1, {LINES.lowest(BUDGET)})", LEGEND),
        unit="percentunit",
        scale=bad_below(0),
        decimals=1,
        no_value=NO_EVENTS,
        links=[of_series(MODEL)],
    )
    yield stat(
        "Watch nothing",
        "Objectives that count events of no model: their models or targets are misspelt, or no server serves the "
        "indicator. `triton-watch slo check` says which.",
        Query(how_many(DEFINED.total("triton_watch_slo_models_matched"), "== 0"), "Watch nothing"),
        scale=bad_above(1),
        is_filled=True,
        no_value=NO_OBJECTIVES,
    )
    yield stat(
        "Series refused",
        "Series that are not counted because there are more than 50,000 of one target and period. Let the objectives "
        "name fewer models.",
        Query(f"sum({AGENT_SERVERS.highest('triton_watch_slo_series_refused')})", "Series refused"),
        scale=bad_above(1),
        is_filled=True,
        no_value=NO_OBJECTIVES,
    )


def _budgets(tiers: Iterable[BurnWindow]) -> Panel:
    # Of periods that differ, one may have a window that is another's with another factor: the lower one counts.
    pages = sorted((tier for tier in tiers if tier.severity is Page.PAGE), key=lambda tier: -tier.factor)
    factors = {tier.long: tier.factor for tier in pages}
    info = f"max by (instance, slo, sli) ({DEFINED.series('triton_watch_slo_info')})"
    objective = f"{EACH.highest(OBJECTIVE)} * on (instance, slo) group_left (sli) {info}"
    verdict = replace(EACH, by=(*EACH.by, "verdict")).highest("triton_watch_slo_verdict")
    # Where nothing was counted there is no budget: such rows come after those of which something was spent.
    lowest = f"bottomk(200, {EACH.lowest(BUDGET)} or {EACH.highest(OBJECTIVE)})"

    def among(expr: str) -> str:
        return f"({expr}) and on ({', '.join(EACH.by)}) {lowest}"

    return table(
        "The lowest budgets first (at most 200)",
        "What is left of the error budget of the period, how many times too fast it is being spent, and how long it "
        "lasts at that pace. Begin with the first row: click its model, and see there what goes wrong.",
        Column("Indicator", among(objective), label="sli"),
        Column("Objective", among(EACH.highest(OBJECTIVE)), unit="percentunit", decimals=2),
        Column("Budget left", among(EACH.lowest(BUDGET)), unit="percentunit", scale=bad_below(0), decimals=1),
        # To sort by: what has no budget yet would stand before the lowest one.
        Column("Spent", among(f"1 - {EACH.lowest(BUDGET)}"), unit="percentunit", decimals=1),
        *(
            Column(
                f"Burn rate {format_duration(long)}",
                among(EACH.highest(BURN, in_window(long))),
                scale=bad_above(factor),
                decimals=1,
            )
            for long, factor in sorted(factors.items())
        ),
        Column("Lasts", among(EACH.lowest("triton_watch_slo_time_to_exhaustion_seconds")), unit="s"),
        Column("Verdict", among(verdict), label="verdict", names=VERDICTS),
        Column("Silent for", among(EACH.highest(SILENCE)), unit="s"),
        keys=LINES.by,
        key_links={"model": of_row(MODEL, "target", "model"), "target": of_row(SLO, "target")},
        sort_by="Spent",
        no_value=NO_OBJECTIVES,
        height=11,
    )
