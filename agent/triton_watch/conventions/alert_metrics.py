"""The metrics about alerts, who is told of them, and checks of live configurations."""

from __future__ import annotations

from triton_watch.conventions.metric import ALERTS, Metric

_ALERT = ("alertname", "severity", "alert_state", "target", "model", "version", "slo", "window", "gpu_uuid")
_PEER = ("alertmanager",)

ALERT_METRICS: tuple[Metric, ...] = (
    HEARTBEAT := Metric(
        "triton_watch_heartbeat_timestamp_seconds",
        "gauge",
        "Unix time at which the agent last evaluated its alerts.",
        (),
        ALERTS,
        "seconds",
        notes="It rises each second. One that stands still is an agent that watches nothing any more.",
    ),
    ALERT_STATE := Metric(
        "triton_watch_alert_state",
        "gauge",
        "Alerts that are pending or firing by the agent's own evaluation; the value is always 1.",
        _ALERT,
        ALERTS,
        notes="A label that says nothing of the alert is absent. Resolved alerts have no series.",
    ),
    ALERTS_ACTIVE := Metric(
        "triton_watch_alerts",
        "gauge",
        "How many alerts are pending or firing by the agent's own evaluation.",
        ("severity", "alert_state"),
        ALERTS,
        notes="There for every severity and state, 0 included.",
    ),
    ALERTS_REFUSED := Metric(
        "triton_watch_alerts_refused",
        "gauge",
        "Alerts that were not begun for want of room, at the last evaluation of each target.",
        (),
        ALERTS,
        notes="There is room for 20,000. Anything but 0 is told in the log, too.",
    ),
    ALERTMANAGER_UP := Metric(
        "triton_watch_alertmanager_up",
        "gauge",
        "Whether the Alertmanager took the last alerts that were sent: 1 or 0.",
        _PEER,
        ALERTS,
        notes="Absent before the first alert is sent. Alerts that it did not take are sent again.",
    ),
    ALERTMANAGER_ALERTS := Metric(
        "triton_watch_alertmanager_alerts_total",
        "counter",
        "Alerts by what became of them: sent (taken by the Alertmanager), refused by it, or dropped for want of room.",
        (*_PEER, "notified"),
        ALERTS,
        notes="A firing alert is sent again and again, and counts each time.",
    ),
    ALERTMANAGER_FAILURES := Metric(
        "triton_watch_alertmanager_failures_total",
        "counter",
        "Requests to the Alertmanager that failed and are tried again.",
        _PEER,
        ALERTS,
    ),
    ALERTMANAGER_WAITING := Metric(
        "triton_watch_alertmanager_waiting",
        "gauge",
        "Alerts of which the Alertmanager still has to be told.",
        _PEER,
        ALERTS,
    ),
    ALERTMANAGER_LAST_SUCCESS := Metric(
        "triton_watch_alertmanager_last_success_timestamp_seconds",
        "gauge",
        "Unix time at which the Alertmanager last took alerts.",
        _PEER,
        ALERTS,
        "seconds",
    ),
    CONFIG_FINDINGS := Metric(
        "triton_watch_config_findings",
        "gauge",
        "What `triton-watch check` says of the live server, by rule.",
        ("target", "model", "rule", "severity", "red_line"),
        ALERTS,
        notes="Absent where nothing was found, or nothing checked. `model` is empty where the server itself is meant.",
    ),
)
"""Every metric about alerts, in the order of the page."""
