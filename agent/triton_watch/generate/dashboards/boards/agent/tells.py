"""Whom the agents tell, and whether they keep what they count: rows of the board Agent."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from triton_watch.generate.dashboards.panels import Query, graph, stat, states
from triton_watch.generate.dashboards.scales import GREEN, RED, Named, bad_above
from triton_watch.generate.dashboards.variables import AGENT_TARGETS, AGENTS
from triton_watch.generate.queries import worst

_PEERS: Final = replace(AGENTS, by=("instance", "alertmanager"))
_TOLD: Final = replace(AGENTS, by=("alertmanager", "notified"))
_SEVERITIES: Final = replace(AGENTS, by=("severity", "alert_state"))
_FAILURES: Final = replace(AGENTS, by=("instance", "failure"))
_AGENT, _PEER = "{{instance}}", "{{alertmanager}} from {{instance}}"
_UP: Final = (Named("1", "up", GREEN), Named("0", "down", RED))
_NO_PEER, _NO_STORE, _NO_AGENT = "No Alertmanager was told", "No store is configured", "No agent"
_REFUSED: Final = "triton_watch_slo_series_refused"
_NO_HISTORY: Final = "No Prometheus is configured"


def _age(timestamp: str) -> str:
    return f"time() - {timestamp}"


TELLS: Final = (
    graph(
        "Alerts",
        "Alerts that the agents see, by severity. Firing ones are what Alertmanager is told of: `triton-watch alerts` "
        "lists them with what to do.",
        Query(_SEVERITIES.total("triton_watch_alerts"), "{{severity}} {{alert_state}}"),
        unit="short",
        no_value=_NO_AGENT,
        width=8,
    ),
    states(
        "Alertmanagers",
        "Whether each Alertmanager took the last alerts. Red: it is told again when it answers; see that it runs and "
        "that its URL and credentials are right.",
        Query(_PEERS.highest("triton_watch_alertmanager_up"), _PEER),
        names=_UP,
        no_value=_NO_PEER,
        width=8,
    ),
    graph(
        "Since Alertmanager last took alerts",
        "Grows while an Alertmanager does not answer, and while there is no alert to tell of. With the watchdog "
        "switched on (alerts.watchdog) it stays below the resend interval.",
        Query(_age(_PEERS.highest("triton_watch_alertmanager_last_success_timestamp_seconds")), _PEER),
        unit="s",
        no_value=_NO_PEER,
        width=8,
    ),
    graph(
        "Alerts sent, refused and dropped",
        "Alerts a second by what became of them. Refused: see in the agent's log which, and why; dropped: the "
        "Alertmanager was away for too long.",
        Query(_TOLD.rate("triton_watch_alertmanager_alerts_total"), "{{notified}}: {{alertmanager}}"),
        unit="cps",
        no_value="No Alertmanager is configured",
        width=8,
    ),
    graph(
        "Alerts waiting",
        "Alerts of which an Alertmanager still has to be told. It grows while that does not answer, and falls by "
        "itself when it does.",
        Query(_PEERS.highest("triton_watch_alertmanager_waiting"), _PEER),
        unit="short",
        no_value="No Alertmanager is configured",
        width=8,
    ),
    graph(
        "Failed requests to Alertmanagers",
        "Requests a second that failed and are tried again. If they go on, see that the Alertmanager runs and that "
        "nothing between it and the agent blocks them.",
        Query(_PEERS.rate("triton_watch_alertmanager_failures_total"), _PEER),
        unit="cps",
        no_value="No Alertmanager is configured",
        width=8,
    ),
    graph(
        "Alerts refused for want of room",
        "Alerts that the agent did not begin: it has room for 20,000. More than 0: too many models are in trouble at "
        "once, or an override fires for all; split the targets over several agents.",
        Query(AGENTS.highest("triton_watch_alerts_refused"), _AGENT),
        unit="short",
        scale=bad_above(1),
        no_value=_NO_AGENT,
    ),
    graph(
        "Series of objectives refused",
        "Series of objectives that are not counted for want of room, by target. More than 0: narrow the objectives "
        "down with `models`, or split the target's models.",
        Query(
            worst(AGENT_TARGETS.highest(_REFUSED), AGENT_TARGETS.by, AGENT_TARGETS.ever(_REFUSED)),
            "{{target}}, {{instance}}",
        ),
        unit="short",
        scale=bad_above(1),
        no_value=_NO_AGENT,
    ),
)

STORE: Final = (
    graph(
        "Since the last write",
        "Time since events were last written to disk. It grows while the disk is full or read-only: budgets are lost "
        "with the process then. Free or mend the disk.",
        Query(_age(AGENTS.highest("triton_watch_slo_store_last_flush_timestamp_seconds")), _AGENT),
        unit="s",
        no_value=_NO_STORE,
        width=8,
    ),
    graph(
        "Duration of a write",
        "Time that the last write took. Seconds: the disk is slow or shared; give the state directory a local disk.",
        Query(AGENTS.highest("triton_watch_slo_store_last_flush_duration_seconds"), _AGENT),
        unit="s",
        no_value=_NO_STORE,
        width=8,
    ),
    graph(
        "Size of the store",
        "Size of the store's files. It levels off after one period of the longest objective; give the disk twice as "
        "much.",
        Query(AGENTS.highest("triton_watch_slo_store_bytes"), _AGENT),
        unit="bytes",
        no_value=_NO_STORE,
        width=8,
    ),
    graph(
        "Failures of the store",
        "Failures a second by what was wrong. full: free the disk; read_only: make the state directory writable; "
        "corrupt, foreign or newer: the file is set aside, and the log says where.",
        Query(_FAILURES.rate("triton_watch_slo_store_failures_total"), "{{failure}}, {{instance}}"),
        unit="cps",
        no_value="None has failed, or no store",
        width=8,
    ),
    stat(
        "Store files set aside",
        "Store files in the time range that could not be used and were renamed: budgets began anew. The log says "
        "where they lie; keep them for a report.",
        Query(f"sum(increase({AGENTS.series('triton_watch_slo_store_set_aside_total')}[$__range]))"),
        scale=bad_above(1),
        no_value=_NO_STORE,
        decimals=0,
        width=4,
        height=8,
    ),
    states(
        "Prometheus behind the budgets",
        "Whether the last query of the configured Prometheus succeeded. Red: budgets and burn rates stand still; see "
        "its URL and credentials under slo.prometheus.",
        Query(AGENTS.highest("triton_watch_slo_history_up"), _AGENT),
        names=_UP,
        no_value=_NO_HISTORY,
        width=6,
    ),
    graph(
        "Age of its last answer",
        "Time that the last answer of the configured Prometheus is old. It grows while the queries fail or are slow.",
        Query(_age(AGENTS.highest("triton_watch_slo_history_timestamp_seconds")), _AGENT),
        unit="s",
        no_value=_NO_HISTORY,
        width=6,
    ),
)
