"""The board Canary: whether models give right answers, how fast, and what the asking costs.

`canary_runs` and `canary_latency` hold its further rows, `canary_series` what they are about.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.dashboards import CANARY, MODEL
from triton_watch.generate.dashboards.board import Board, Context, Row
from triton_watch.generate.dashboards.boards.canary.latency import latency
from triton_watch.generate.dashboards.boards.canary.runs import bands, costs, gaps, runs
from triton_watch.generate.dashboards.boards.canary.series import (
    ALL,
    EACH,
    GOLDEN,
    LAST_RUN,
    LINES,
    NONE_RAN,
    OK,
    RUNS,
    passed,
)
from triton_watch.generate.dashboards.links import of_row, of_target_series
from triton_watch.generate.dashboards.panels import Query, stat, states
from triton_watch.generate.dashboards.scales import (
    GREEN,
    GREY,
    NEUTRAL,
    ORANGE,
    PLAIN,
    RED,
    Named,
    Scale,
    Step,
    bad_above,
    bad_below,
    goals_of,
)
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import AGENT_BOARD, AGENT_SERVERS
from triton_watch.generate.dashboards.verdicts import CANARY_VERDICT
from triton_watch.generate.queries import how_many, how_many_are, worst
from triton_watch.records import SloSli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.generate.dashboards.panels import Panel

_CLIENTS: Final = "triton_watch_model_client_availability_ratio"
_SERVING: Final = (Named("0", "does not serve", RED), Named("1", "serves", GREEN))


def canary(context: Context) -> Board:
    """Return the board."""
    promised = _promised(context)
    rows = (
        Row("Now", (*_counts(promised), _failing(), _serving())),
        Row("Verdicts and runs", (bands(), *runs(promised))),
        Row("Latency, as a client sees it", tuple(latency())),
        Row("What is not asked, and what asking costs", (*gaps(), *costs())),
    )
    return Board(CANARY, AGENT_BOARD, rows)


def _promised(context: Context) -> Scale:
    """Red below what the first objective about canaries promises; without one no share is good or bad."""
    return next((bad_below(one.objective) for one in goals_of(SloSli.CANARY, context.settings)), NEUTRAL)


def _counts(promised: Scale) -> Iterator[Panel]:
    for title, verdict, scale, description in (
        ("Failing", "failing", bad_above(1), "Clients of these models get no answer, an error or a wrong one."),
        ("Unknown", "unknown", Scale(GREEN, (Step(1, ORANGE),)), "None has passed yet: see below what was skipped."),
        ("Passing", "passing", PLAIN, "Models whose last canaries got the right answer."),
    ):
        yield stat(
            title,
            f"Model versions by what their last canaries say. {description}",
            Query(how_many_are(LINES, CANARY_VERDICT, f'verdict="{verdict}"'), title),
            scale=scale,
            is_filled=True,
            no_value=NONE_RAN,
            width=3,
        )
    yield stat(
        "Silent failures",
        "Models whose canaries fail while Triton counts each as a success: no other metric shows it. Take the model "
        "out of service, and look at its outputs.",
        Query(how_many(LINES.highest("triton_watch_model_silent_failure"), "== 1"), "Silent failures"),
        scale=bad_above(1),
        is_filled=True,
        no_value=NONE_RAN,
        width=3,
    )
    yield stat(
        "Servers not serving",
        "Servers of which /-/serving says no. `triton-watch status` gives the reasons.",
        Query(how_many(AGENT_SERVERS.lowest("triton_watch_target_serving"), "== 0"), "Servers not serving"),
        scale=bad_above(1),
        is_filled=True,
        no_value="Nothing known",
        width=3,
    )
    shown = replace(ALL, span="$__range")
    yield stat(
        "Canaries that passed",
        "Share of all canaries in the time that is shown that got the right answer: the availability that clients see.",
        Query(passed(shown.increase(RUNS, OK), shown.increase(RUNS)), "Canaries that passed"),
        unit="percentunit",
        scale=promised,
        decimals=2,
        no_value=NONE_RAN,
        width=3,
    )
    yield stat(
        "Without golden",
        "Model versions whose answers are checked for form alone, so that a wrong number passes. `triton-watch canary "
        "record` writes goldens.",
        Query(how_many(LINES.lowest(GOLDEN), "== 0"), "Without golden"),
        no_value="No canaries",
        width=3,
    )
    yield stat(
        "Longest without a canary",
        "Time since the last canary of the model that waits longest. Far above its interval: see below why it is "
        "skipped.",
        Query(f"time() - min({EACH.series(LAST_RUN)})", "Longest without a canary"),
        unit="s",
        no_value=NONE_RAN,
        width=3,
    )


def _failing() -> Panel:
    reason = replace(EACH, by=(*EACH.by, "reason"))
    failing = EACH.highest("triton_watch_canary_failing")

    def of_failing(expr: str) -> str:
        return f"{expr} and on ({', '.join(EACH.by)}) {failing}"

    return table(
        "Failing now",
        "Models whose canaries fail, and how the last one failed; docs/canary.md explains each reason. Silent: Triton "
        "counts success. `triton-watch canary run` sends one now and prints the server's own words.",
        Column("Reason", reason.highest("triton_watch_canary_failing"), label="reason"),
        Column(
            "Silent",
            of_failing(EACH.highest("triton_watch_model_silent_failure")),
            names=(Named("0", "no", GREY), Named("1", "yes", RED)),
        ),
        Column("Of the last 20 passed", of_failing(EACH.lowest(_CLIENTS)), unit="percentunit", decimals=0),
        Column("Last run", of_failing(f"time() - {EACH.highest(LAST_RUN)}"), unit="s"),
        keys=LINES.by,
        key_links={"model": of_row(MODEL, "target", "model"), "target": of_row(CANARY, "target")},
        no_value="None: no model fails",
        width=16,
    )


def _serving() -> Panel:
    serving = "triton_watch_target_serving"
    rank = f"-{AGENT_SERVERS.ever_lowest(serving)}"
    return states(
        "Servers that serve",
        "What /-/serving says, at most 20 servers, first those that did not serve at some time. No band: not known "
        "yet.",
        Query(worst(AGENT_SERVERS.lowest(serving), AGENT_SERVERS.by, rank), "{{target}}"),
        names=_SERVING,
        links=[of_target_series(CANARY)],
        width=8,
        height=9,
    )
