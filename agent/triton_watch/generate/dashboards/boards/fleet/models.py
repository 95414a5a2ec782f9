"""The board Fleet: its models, those in most trouble first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.conventions.dashboards import CANARY, FLEET, MODEL, SLO
from triton_watch.generate.dashboards.boards.fleet.series import BUDGET, IN_TROUBLE
from triton_watch.generate.dashboards.links import of_row, of_series
from triton_watch.generate.dashboards.panels import Query, states
from triton_watch.generate.dashboards.scales import (
    GREEN,
    GREY,
    ORANGE,
    RED,
    YELLOW,
    Named,
    Scale,
    bad_above,
    bad_below,
    goals_of,
    numbered,
    threshold_of,
    worst_first,
)
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import AGENT_MODELS, AGENT_WATCHED, BY_TARGET
from triton_watch.generate.dashboards.verdicts import CANARY_NAMES, CANARY_VERDICT, FAILING, canary_verdict
from triton_watch.generate.queries import coded, worst
from triton_watch.records import SloSli

if TYPE_CHECKING:
    from triton_watch.generate.dashboards.board import Context
    from triton_watch.generate.dashboards.panels import Panel

_STATES: Final = (
    Named("READY", "ready", GREEN),
    Named("UNLOADED", "unloaded", GREY),
    Named("NOT_LOADED", "not loaded", GREY),
    Named("UNLOADING", "unloading", YELLOW),
    Named("LOADING", "loading", YELLOW),
    Named("UNKNOWN", "unknown", ORANGE),
    Named("MISSING", "missing", RED),
    Named("UNAVAILABLE", "unavailable", RED),
)


def models(context: Context) -> Panel:
    """A row for each model version."""
    of_model = of_row(MODEL, "target", "model")
    state = replace(AGENT_WATCHED, by=(*AGENT_WATCHED.by, "state"))
    gauge = AGENT_WATCHED.highest
    waits, takes = (_longest(context, sli) for sli in (SloSli.QUEUE_TIME, SloSli.REQUEST_TIME))
    efficient = bad_below(threshold_of("TritonNotBatching", context.settings.alerts))
    return table(
        "Models, those in most trouble first",
        "Troubles counts what is wrong with a model version: not ready, canary failing, silent failure, wedged, a "
        "budget that burns or is exhausted. Indicators are those of the last poll. Click a model, its canary or its "
        "budget.",
        Column("Troubles", _troubles(), scale=bad_above(1)),
        Column("State", state.highest("triton_watch_model_state"), label="state", names=_STATES),
        Column(
            "Canary",
            canary_verdict(AGENT_WATCHED),
            names=CANARY_NAMES,
            links=(of_row(CANARY, "target", "model"),),
        ),
        Column("Wedged", gauge("triton_watch_model_wedged"), names=(Named("0", "no", GREEN), Named("1", "yes", RED))),
        Column(
            "Lowest budget",
            AGENT_WATCHED.lowest(BUDGET),
            unit="percentunit",
            scale=bad_below(0),
            links=(of_row(SLO, "target", "model"),),
        ),
        Column("Availability", AGENT_WATCHED.lowest("triton_watch_model_availability_ratio"), unit="percentunit"),
        Column("Requests/s", gauge("triton_watch_model_requests_per_second"), unit="reqps"),
        Column("Queue time", gauge("triton_watch_model_queue_time_seconds"), unit="s", scale=waits),
        Column("Request time", gauge("triton_watch_model_request_time_seconds"), unit="s", scale=takes),
        Column(
            "Batch efficiency",
            AGENT_WATCHED.lowest("triton_watch_model_batch_efficiency_ratio"),
            unit="percentunit",
            scale=efficient,
        ),
        keys=BY_TARGET,
        key_links={"model": of_model, "target": of_row(FLEET, "target")},
        sort_by="Troubles",
        no_value="No models known",
        height=12,
    )


def _troubles() -> str:
    """How many things are wrong with each model version; each that is not known counts as none.

    Of a server that is down the canaries are all that is known.
    """
    series = AGENT_WATCHED.highest
    none = f"0 * ({series('triton_watch_model_ready')} or {series(CANARY_VERDICT)})"
    troubles = (
        series("triton_watch_model_state", IN_TROUBLE),
        series(CANARY_VERDICT, FAILING),
        series("triton_watch_model_silent_failure"),
        series("triton_watch_model_wedged"),
        series("triton_watch_slo_verdict", 'verdict=~"burning|exhausted"'),
    )
    return " + ".join(f"({one} or {none})" for one in troubles)


def _longest(context: Context, sli: SloSli) -> Scale | None:
    """Red from the time on that the first objective about the mean of `sli` allows."""
    means = (one.high for one in goals_of(sli, context.settings) if one.quantile is None)
    return next((bad_above(high) for high in means if high is not None), None)


def model_bands() -> Panel:
    """States over time, of those that were not ready."""
    state = coded(AGENT_MODELS, "triton_watch_model_state", "state", worst_first(_STATES))
    return states(
        "Models that are or were not ready",
        "At most 20 of the models that failed to load, were loading or were missing at some time that is shown. Red "
        "for long: read the server's log, or run `triton-watch check` on its URL.",
        Query(
            worst(state, AGENT_MODELS.by, AGENT_MODELS.ever("triton_watch_model_state", IN_TROUBLE)),
            "{{model}} {{version}} on {{target}}",
        ),
        names=numbered(_STATES),
        no_value="None: all were ready",
        links=[of_series(MODEL)],
    )
