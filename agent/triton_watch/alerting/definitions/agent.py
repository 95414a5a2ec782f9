"""The agent itself, which only Prometheus can miss: TritonWatchDown and TritonWatchdog."""

from __future__ import annotations

from triton_watch.alerting.definition import AlertDefinition
from triton_watch.records import AlertSeverity

WATCH_DOWN = AlertDefinition(
    name="TritonWatchDown",
    severity=AlertSeverity.PAGE,
    summary="triton-watch is down: nobody watches Triton",
    description="Prometheus cannot scrape triton-watch (job {{ $labels.job }}): no other alert about Triton can fire.",
    advice="Start the agent again, and see in its log why it ended; its pages are gone with it: "
    "`triton-watch alerts explain TritonWatchDown` prints the runbook.",
    expr='up{job="$job"} == 0 or absent(up{job="$job"})',
    condition=None,
    dashboard="agent",
    hold=120.0,
)

WATCHDOG = AlertDefinition(
    name="TritonWatchdog",
    severity=AlertSeverity.INFO,
    summary="Alerts about Triton are delivered",
    description="This alert always fires. Send it to a dead man's switch, which calls somebody when it stops coming.",
    advice="Nothing is to be done while it fires; if it stops, alerts about Triton reach nobody.",
    expr="vector(1)",
    condition=None,
    dashboard="agent",
)
