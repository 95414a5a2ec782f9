"""The board Fleet: which servers and models are in trouble, and which first.

`fleet_servers` and `fleet_models` hold its further rows, `fleet_series` what they are about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.alerting.definitions.server import TARGET_DOWN
from triton_watch.conventions.dashboards import AGENT, CANARY, CONFIG, FLEET, SLO
from triton_watch.generate.dashboards.board import Board, Context, Row
from triton_watch.generate.dashboards.boards.fleet.models import model_bands, models
from triton_watch.generate.dashboards.boards.fleet.series import BUDGET, FIRING, IN_TROUBLE, NOBODY
from triton_watch.generate.dashboards.boards.fleet.servers import alerts, missing, server_bands, servers, traffic
from triton_watch.generate.dashboards.links import of_choice, of_series
from triton_watch.generate.dashboards.panels import Query, stat
from triton_watch.generate.dashboards.scales import BLUE, GREEN, ORANGE, RED, Scale, Step, bad_above, bad_below
from triton_watch.generate.dashboards.variables import AGENT_BOARD, AGENT_MODELS, AGENT_SERVERS, AGENTS, AGENTS_UP
from triton_watch.generate.dashboards.verdicts import CANARY_VERDICT, FAILING
from triton_watch.generate.queries import counted, how_many, how_many_are
from triton_watch.records import AlertSeverity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.conventions.dashboards import DashboardName
    from triton_watch.generate.dashboards.panels import Panel


def fleet(context: Context) -> Board:
    """Return the board."""
    rows = (
        Row("What is wrong", (*_counts(), *_urgent(context))),
        Row("Alerts and servers", (alerts(context), missing(), servers(), server_bands())),
        Row("Models", (models(context), model_bands())),
        Row("Traffic", tuple(traffic())),
    )
    return Board(FLEET, AGENT_BOARD, rows)


def _count(title: str, description: str, expr: str, board: DashboardName, no_value: str = NOBODY) -> Panel:
    link, query = of_choice(board), Query(expr, title)
    return stat(title, description, query, scale=bad_above(1), is_filled=True, no_value=no_value, links=[link], width=3)


def _counts() -> Iterator[Panel]:
    yield _count(
        "Servers down",
        "Servers of which nothing answered in most of the last polls. See that the process runs and that the agent "
        "can reach its ports.",
        how_many(AGENT_SERVERS.highest("triton_watch_target_silent_cycles"), f">= {TARGET_DOWN.failures}"),
        FLEET,
    )
    yield _count(
        "Servers not ready",
        "Servers that answer and say that they are not ready. By default one model that failed to load is enough: "
        "look at the models below.",
        counted(
            f"{AGENT_SERVERS.lowest('triton_watch_target_ready')} == 0",
            AGENT_SERVERS.highest("triton_watch_target_heard"),
        ),
        FLEET,
    )
    yield _count(
        "Servers not serving",
        "Servers of which /-/serving says no: not ready, an expected model not ready or wedged, or a canary that "
        "fails. `triton-watch status` gives the reasons.",
        how_many(AGENT_SERVERS.lowest("triton_watch_target_serving"), "== 0"),
        CANARY,
    )
    yield _count(
        "Models not ready",
        "Model versions that failed to load, are loading, or are missing; what somebody unloaded does not count. The "
        "server's log has the reason.",
        how_many_are(AGENT_MODELS, "triton_watch_model_state", IN_TROUBLE),
        CONFIG,
        "No models known",
    )
    yield _count(
        "Canaries failing",
        "Model versions whose test requests fail, whatever the server counts: so do their clients. Open the Canary "
        "board for the reasons.",
        how_many_are(AGENT_MODELS, CANARY_VERDICT, FAILING),
        CANARY,
        "No canary has run",
    )
    yield _count(
        "Silent failures",
        "Model versions that fail while Triton counts each request as a success. No metric of Triton shows it: look "
        "at what the canaries say.",
        how_many(AGENT_MODELS.highest("triton_watch_model_silent_failure"), "== 1"),
        CANARY,
        "No canary has run",
    )
    yield _count(
        "Wedged models",
        "Model versions for which requests wait and none is answered. Reload the model, or restart the server.",
        how_many(AGENT_MODELS.highest("triton_watch_model_wedged"), "== 1"),
        FLEET,
        "No metrics page",
    )
    yield _count(
        "Agents down",
        "Agents of the last day that Prometheus cannot scrape now. What they watch is missing on this board: start "
        "them first.",
        how_many(AGENTS_UP, "== 0"),
        AGENT,
        "No agents",
    )


def _urgent(context: Context) -> Iterator[Panel]:
    for severity, title, color in (
        (AlertSeverity.PAGE, "Pages firing", RED),
        (AlertSeverity.TICKET, "Tickets firing", ORANGE),
        (AlertSeverity.INFO, "Infos firing", BLUE),
    ):
        matcher = f'severity="{context.settings.alerts.severity_label(severity)}"'
        yield stat(
            title,
            "Alerts that fire by the agents' own evaluation, about the chosen models or about no model. The table "
            "below has them one by one, with their runbooks.",
            Query(
                counted(
                    FIRING.highest("triton_watch_alert_state", matcher), AGENTS.series("triton_watch_alerts", matcher)
                ),
                title,
            ),
            scale=Scale(GREEN, (Step(1, color),)),
            is_filled=True,
            no_value=NOBODY,
            width=3,
        )
    yield stat(
        "Lowest error budgets left",
        "The three lowest of all objectives and models. Below 0 more was spent than the objective allows: hold back "
        "changes of that model, and see on the SLO board what spends it.",
        Query(
            f"bottomk(3, min by (slo, target, model, version) ({AGENT_MODELS.series(BUDGET)}))",
            "{{slo}}: {{model}} {{version}} on {{target}}",
        ),
        unit="percentunit",
        scale=bad_below(0),
        decimals=1,
        no_value="No events counted yet",
        links=[of_series(SLO)],
        width=15,
    )
