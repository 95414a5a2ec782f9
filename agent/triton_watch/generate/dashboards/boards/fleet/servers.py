"""The board Fleet: alerts, servers, and what they take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.links import runbook_url
from triton_watch.conventions.dashboards import CANARY, FLEET, MODEL, SLO
from triton_watch.generate.dashboards.boards.fleet.series import FIRING, NOBODY
from triton_watch.generate.dashboards.links import of_row, of_target_series
from triton_watch.generate.dashboards.panels import Query, graph, states
from triton_watch.generate.dashboards.scales import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    YELLOW,
    Link,
    Named,
    numbered,
    worst_first,
)
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import AGENT_SERVERS, AGENT_TARGETS, AGENT_WATCHED
from triton_watch.generate.queries import coded, worst
from triton_watch.records import AlertSeverity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.generate.dashboards.board import Context
    from triton_watch.generate.dashboards.panels import Panel

_BY_AGENT: Final = replace(AGENT_WATCHED, by=AGENT_TARGETS.by)
"""Added up over the models of a server, for each agent that watches it."""
_EXPECTED: Final = replace(AGENT_WATCHED, by=("instance", "target", "model"))
_YES_NO: Final = (Named("0", "no", RED), Named("1", "yes", GREEN))
_SERVER_STATES: Final = (
    Named("0", "does not answer", RED),
    Named("1", "not ready", ORANGE),
    Named("2", "answers, does not serve", YELLOW),
    Named("3", "serves", GREEN),
    Named("4", "not judged yet", GREY),
)


def alerts(context: Context) -> Panel:
    """What fires, one by one."""
    settings = context.settings.alerts
    names = tuple(
        Named(one.value, settings.severity_label(one), color)
        for one, color in ((AlertSeverity.INFO, BLUE), (AlertSeverity.TICKET, ORANGE), (AlertSeverity.PAGE, RED))
    )
    codes = {settings.severity_label(AlertSeverity(name)): place for name, place in worst_first(names).items()}
    firing = coded(replace(FIRING, by=("instance", *FIRING.by)), "triton_watch_alert_state", "severity", codes)
    agent = settings.external_url or "http://${__data.fields.instance}"
    return table(
        "Alerts firing (at most 500)",
        "What the agents' own evaluation says fires now, pages first. Click an alert for its runbook, a model or an "
        "objective for its board.",
        Column("Severity", f"topk(500, {firing})", names=numbered(names)),
        keys=FIRING.by,
        key_links={
            "alertname": Link("Runbook", runbook_url(settings, agent, "${__data.fields.alertname}")),
            "model": (of_row(MODEL, "target", "model"), of_row(CANARY, "target", "model")),
            "slo": of_row(SLO, "target", "model"),
        },
        sort_by="Severity",
        no_value="None: no alert fires",
        width=16,
    )


def missing() -> Panel:
    """Models that should be there."""
    expected = _EXPECTED.highest("triton_watch_model_expected_missing")
    return table(
        "Expected models that are not served",
        "Models that the configuration expects, and of which no version is ready. Missing: the name is not in the "
        "repository, so deploy it or correct `expected_models`; otherwise it is not loaded.",
        Column(
            "Missing",
            f"{expected} unless on (instance, target, model) {_EXPECTED.highest('triton_watch_model_ready')} == 1",
            names=(Named("0", "not ready", ORANGE), Named("1", "missing", RED)),
        ),
        keys=("target", "model"),
        key_links={"target": of_row(FLEET, "target"), "model": of_row(MODEL, "target", "model")},
        no_value="None: all that are expected are served",
        width=8,
    )


def servers() -> Panel:
    """A row for each server."""
    versions = replace(AGENT_TARGETS, by=(*AGENT_TARGETS.by, "server_version"))
    return table(
        "Servers",
        "Each server as each agent sees it. Up: anything answers; serving: clients get right answers. Requests of an "
        "ensemble count at its members, too. Click a server for its models.",
        Column("Up", AGENT_TARGETS.lowest("triton_watch_target_heard"), names=_YES_NO),
        Column("Ready", AGENT_TARGETS.lowest("triton_watch_target_ready"), names=_YES_NO),
        Column("Serving", AGENT_TARGETS.lowest("triton_watch_target_serving"), names=_YES_NO),
        Column("Models ready", _BY_AGENT.total("triton_watch_model_ready")),
        Column("Models", f"count by ({', '.join(_BY_AGENT.by)}) ({_BY_AGENT.series('triton_watch_model_ready')})"),
        Column("Requests/s", _BY_AGENT.total("triton_watch_model_requests_per_second"), unit="reqps"),
        Column("Errors/s", _BY_AGENT.total("triton_watch_model_failures_per_second"), unit="reqps"),
        Column("Last poll", f"time() - {AGENT_TARGETS.highest('triton_watch_last_cycle_timestamp_seconds')}", unit="s"),
        Column("Version", versions.highest("triton_watch_target_info"), label="server_version"),
        keys=("target",),
        key_links={"target": (of_row(FLEET, "target"), of_row(MODEL, "target"))},
        sort_by="Serving",
        is_descending=False,
        no_value=NOBODY,
    )


def server_bands() -> Panel:
    """Whether servers served, over time."""
    names = tuple(f"triton_watch_target_{one}" for one in ("heard", "ready", "serving"))
    heard, ready, serving = (AGENT_SERVERS.lowest(one) for one in names)
    state = f"({heard} == 0) or ({ready} == 0) + 1 or {serving} + 2 or 4 * {heard}"
    lowest = (AGENT_SERVERS.ever_lowest(one) for one in (names[2], names[0]))
    return states(
        "Servers over time",
        "At most 20 servers, first those that did not serve at some time that is shown. A band that begins orange is "
        "a server that loads its models; yellow: Triton says that it is ready, and clients would not be served.",
        Query(worst(state, AGENT_SERVERS.by, f"-({' or '.join(lowest)})"), "{{target}}"),
        names=_SERVER_STATES,
        no_value=NOBODY,
        links=[of_target_series(FLEET)],
        height=9,
    )


def traffic() -> Iterator[Panel]:
    """Requests and failures of the servers; of several agents that watch one, the highest that any saw."""
    requests, failures = (_BY_AGENT.total(f"triton_watch_model_{one}_per_second") for one in ("requests", "failures"))
    for title, description, expr, unit in (
        (
            "Requests by server (highest 20)",
            "Requests that models completed, canaries left out; those of an ensemble count at its members, too. One "
            "server far from the others: look at the load balancer.",
            requests,
            "reqps",
        ),
        (
            "Failures by server (highest 20)",
            "Requests that the server counted as failed. Open the models of a server that stands out. What fails "
            "silently is not in here: see the canaries.",
            failures,
            "reqps",
        ),
        (
            "Share of requests that failed (highest 20)",
            "Failures divided by requests, added up over the models of a server first. One server alone: its GPU or "
            "its version; all of them: the model or its clients.",
            f"{failures} / ({requests} > 0)",
            "percentunit",
        ),
    ):
        yield graph(
            title,
            description,
            Query(f"topk(20, max by (target) ({expr}))", "{{target}}"),
            unit=unit,
            links=[of_target_series(MODEL)],
            width=8,
        )
