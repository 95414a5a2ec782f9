"""The board Canary: verdicts and runs over time, what is not asked, and what asking costs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.dashboards import MODEL
from triton_watch.generate.dashboards.boards.canary.series import (
    GOLDEN,
    LAST_RUN,
    LEGEND,
    LINES,
    NONE_RAN,
    OK,
    RUNS,
    passed,
)
from triton_watch.generate.dashboards.links import of_row, of_series
from triton_watch.generate.dashboards.panels import Query, bars, graph, states
from triton_watch.generate.dashboards.scales import ORANGE, Named, Scale
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import AGENT_WATCHED
from triton_watch.generate.dashboards.verdicts import CANARY_NAMES, CANARY_VERDICT, FAILING, canary_verdict
from triton_watch.generate.queries import worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.generate.dashboards.panels import Panel

_BY_REASON: Final = replace(AGENT_WATCHED, by=("reason",))


def bands() -> Panel:
    """Verdicts over time, the worst models first."""
    failed, unknown = LINES.ever(CANARY_VERDICT, FAILING), LINES.ever(CANARY_VERDICT, 'verdict="unknown"')
    rank = f"2 * {failed} or {unknown} or 0 * {LINES.ever(CANARY_VERDICT)}"
    return states(
        "Verdicts of canaries (at most 20 models)",
        "Models whose canaries failed at some time that is shown come first. Red that comes and goes: one of several "
        "instances or GPUs may be wrong. Red since a deployment: roll it back.",
        Query(worst(canary_verdict(LINES), LINES.by, rank), LEGEND),
        names=CANARY_NAMES,
        no_value=NONE_RAN,
        links=[of_series(MODEL)],
        height=10,
    )


def runs(promised: Scale) -> Iterator[Panel]:
    """How canaries ended, over time and by model."""
    shown = replace(LINES, span="$__range")
    yield graph(
        "Canaries by how they ended",
        "Canaries per second, by reason; all that are not ok failed. The first of a kind begins its series and is not "
        "seen by rate().",
        Query(_BY_REASON.rate(RUNS), "{{reason}}"),
        unit="cps",
        is_stacked=True,
        no_value=NONE_RAN,
        width=8,
    )
    yield graph(
        "Failures by reason",
        "The same without those that passed. unreachable, deadline, overloaded: the server; refused: the canary's "
        "input; the rest: the model.",
        Query(_BY_REASON.rate(RUNS, 'reason!="ok"'), "{{reason}}"),
        unit="cps",
        is_stacked=True,
        no_value="None failed",
        width=8,
    )
    yield bars(
        "Canaries that passed (lowest 20)",
        "By model, in the time that is shown: what clients see of its availability, whatever the server counts.",
        Query(f"bottomk(20, {passed(shown.increase(RUNS, OK), shown.increase(RUNS))})", LEGEND),
        unit="percentunit",
        scale=promised,
        highest=1,
        no_value=NONE_RAN,
        links=[of_series(MODEL)],
        width=8,
    )


def gaps() -> Iterator[Panel]:
    """Canaries that are not sent, or see less than they could."""
    yield graph(
        "Skipped canaries by reason",
        "Canaries per second that were due and not sent. no_input: give the model an input in the configuration; "
        "needs_grpc: open the gRPC port; pending, backing_off: the server has enough to do, or does not answer.",
        Query(_BY_REASON.rate("triton_watch_canary_skipped_total"), "{{reason}}"),
        unit="cps",
        is_stacked=True,
        no_value="None was skipped",
        width=8,
    )
    yield graph(
        "Time since the last canary (longest 20)",
        "It falls to 0 with each canary. A line that keeps rising is a model that nobody asks any more: see the "
        "reasons beside.",
        Query(f"topk(20, time() - {LINES.lowest(LAST_RUN)})", LEGEND),
        unit="s",
        no_value=NONE_RAN,
        links=[of_series(MODEL)],
        width=8,
    )
    yield table(
        "Models without a golden (at most 100)",
        "Their answers are checked for form alone: shape, type, NaN. Record goldens with `triton-watch canary record`.",
        Column("Golden", f"topk(100, {LINES.lowest(GOLDEN)} == 0)", names=(Named("0", "none", ORANGE),)),
        keys=LINES.by,
        key_links={"model": of_row(MODEL, "target", "model")},
        no_value="None: all have one, or there is no canary",
        width=8,
        height=8,
    )


def costs() -> Iterator[Panel]:
    """What canaries take of the server and of the agent."""
    for title, metric, unit, description in (
        (
            "Requests of canaries (highest 20)",
            "triton_watch_canary_requests_total",
            "reqps",
            "What canaries add to the load of each model. Where an inference is dear, give the model a longer "
            "interval.",
        ),
        (
            "CPU time of canaries (highest 20)",
            "triton_watch_canary_cpu_seconds_total",
            "percentunit",
            "Share of a core that the agent spends on canaries of each model. Large inputs and streams cost most: "
            "give them a longer interval.",
        ),
    ):
        yield graph(
            title,
            description,
            Query(worst(LINES.rate(metric), LINES.by, LINES.gained(metric)), LEGEND),
            unit=unit,
            no_value=NONE_RAN,
            links=[of_series(MODEL)],
        )
