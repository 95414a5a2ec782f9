"""One model: is it well, where does it run, and what does it do.

`model_traffic`, `model_times` and `model_llm` hold its further rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.conventions import MODEL_INFO
from triton_watch.conventions.dashboards import BATCHING, CANARY, CONFIG, MODEL, SLO
from triton_watch.generate.dashboards.board import Board, Context, Row
from triton_watch.generate.dashboards.boards.model.llm import language_models
from triton_watch.generate.dashboards.boards.model.times import quantiles, times
from triton_watch.generate.dashboards.boards.model.traffic import load, replicas, traffic
from triton_watch.generate.dashboards.links import of_choice, of_row
from triton_watch.generate.dashboards.panels import Query, stat
from triton_watch.generate.dashboards.scales import NEUTRAL, Scale, bad_above, bad_below, goals_of
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import BY_TARGET, MODEL_BOARD, TOGETHER, WATCHED
from triton_watch.generate.dashboards.verdicts import (
    CANARY_NAMES,
    CANARY_VERDICT,
    FAILING,
    READY_NAMES,
    canary_verdict,
)
from triton_watch.generate.queries import error_ratio, how_many, how_many_are, mean_time, requests
from triton_watch.records import SloSli

if TYPE_CHECKING:
    from triton_watch.generate.dashboards.panels import Panel

_NO_AGENT: Final = "Not watched"
_NO_CANARY: Final = "No canary has run"
_READY: Final = WATCHED.lowest("triton_watch_model_ready")
_CLIENTS: Final = "triton_watch_model_client_availability_ratio"
_TROUBLE: Final = bad_above(1)
_INFO: Final = replace(WATCHED, by=MODEL_INFO.labels)


def model(context: Context) -> Board:
    """Return the board."""
    rows = (
        Row("How it is", (*_troubles(), *_figures(context))),
        Row("Where it runs", (_places(context), _facts())),
        Row("Traffic and errors", traffic()),
        Row("Where the time goes", times()),
        Row("Quantiles", quantiles()),
        Row("Replicas", replicas()),
        Row("Load", load()),
        Row("Language models", language_models(), is_collapsed=True),
    )
    return Board(MODEL, MODEL_BOARD, rows)


def _promise(context: Context, sli: SloSli) -> float | None:
    """The share of good events that is promised of every model."""
    return next((one.objective for one in goals_of(sli, context.settings)), None)


def _errors_scale(context: Context) -> Scale:
    promise = _promise(context, SloSli.AVAILABILITY)
    return NEUTRAL if promise is None else bad_above(1 - promise)


def _clients_scale(context: Context) -> Scale:
    promise = _promise(context, SloSli.CANARY) or _promise(context, SloSli.AVAILABILITY)
    return NEUTRAL if promise is None else bad_below(promise)


def _troubles() -> tuple[Panel, ...]:
    return (
        stat(
            "Not ready",
            "Versions on servers that are not ready, by the repository index. The table below says where; the server's "
            "log says why.",
            Query(how_many(_READY, "== 0")),
            scale=_TROUBLE,
            no_value=_NO_AGENT,
            width=3,
        ),
        stat(
            "Canaries failing",
            "Versions on servers whose canaries fail. The Canary board says how: a wrong answer, an error, a timeout.",
            Query(how_many_are(WATCHED, CANARY_VERDICT, FAILING)),
            scale=_TROUBLE,
            no_value=_NO_CANARY,
            links=[of_choice(CANARY)],
            width=3,
        ),
        stat(
            "Silent failures",
            "Canaries fail while the server counts successes and no failure. Do not trust the server's own count then: "
            "look at the answers on the Canary board.",
            Query(how_many(WATCHED.highest("triton_watch_model_silent_failure"), "== 1")),
            scale=_TROUBLE,
            no_value=_NO_CANARY,
            width=3,
        ),
        stat(
            "Wedged",
            "Requests wait for the model and none was answered for several polls. Load it anew, or restart its server.",
            Query(how_many(WATCHED.highest("triton_watch_model_wedged"), "== 1")),
            scale=_TROUBLE,
            no_value=_NO_AGENT,
            width=3,
        ),
    )


def _figures(context: Context) -> tuple[Panel, ...]:
    return (
        stat(
            "Requests",
            "Requests that ended in a second, good and failed, of all chosen models on all chosen Tritons.",
            Query(requests(TOGETHER)),
            unit="reqps",
            with_course=True,
            width=3,
        ),
        stat(
            "Errors, server's count",
            "Share of the requests that Triton counts as failed. It misses wrong answers and requests that it refused "
            "before they were queued: compare it with what canaries see.",
            Query(error_ratio(TOGETHER)),
            unit="percentunit",
            scale=_errors_scale(context),
            width=3,
        ),
        stat(
            "Good for clients",
            "Share of the last 20 canaries that passed, where it is lowest. Low while the server counts no errors: "
            "clients get errors that Triton does not count.",
            Query(f"min ({WATCHED.series(_CLIENTS)})"),
            unit="percentunit",
            scale=_clients_scale(context),
            no_value=_NO_CANARY,
            width=3,
        ),
        stat(
            "Mean request time",
            "Mean time of an answered request in the server. When it rises, the panels on times say which part does.",
            Query(mean_time(TOGETHER, "request")),
            unit="s",
            width=3,
        ),
    )


def _places(context: Context) -> Panel:
    """The agent's view, for it alone knows targets; each value is of the last poll."""
    return table(
        "By server and version, at the last poll",
        "Every server on which an agent watches the model. Not ready: read the server's log. Canaries fail: open the "
        "Canary board. One server slower than the others: look at its GPU.",
        Column("Ready", _READY, names=READY_NAMES),
        Column("Canaries", canary_verdict(WATCHED), names=CANARY_NAMES),
        Column("Good for clients", WATCHED.lowest(_CLIENTS), "percentunit", _clients_scale(context)),
        Column("Requests", WATCHED.highest("triton_watch_model_requests_per_second"), "reqps"),
        Column(
            "Errors, server's count",
            f"1 - {WATCHED.lowest('triton_watch_model_availability_ratio')}",
            "percentunit",
            _errors_scale(context),
        ),
        Column("Request time", WATCHED.highest("triton_watch_model_request_time_seconds"), "s"),
        Column("Queue time", WATCHED.highest("triton_watch_model_queue_time_seconds"), "s"),
        Column("In flight", WATCHED.highest("triton_watch_model_requests_in_flight"), decimals=1),
        keys=BY_TARGET,
        key_links={"target": of_row(SLO, "target", "model"), "model": of_row(CANARY, "target", "model")},
        sort_by="Ready",
        is_descending=False,
        no_value=_NO_AGENT,
        height=7,
    )


def _facts() -> Panel:
    return table(
        "Configuration that is loaded",
        "The model's completed configuration on each server. Servers that differ got different files: compare them. "
        "The Batching board says what to change, the Config board what is wrong.",
        Column("", _INFO.highest(MODEL_INFO.name)),
        keys=_INFO.by,
        hidden=("Value",),
        key_links={
            "dynamic_batching": of_row(BATCHING, "target", "model"),
            "target": of_row(CONFIG, "target", "model"),
        },
        no_value=_NO_AGENT,
        height=5,
    )
