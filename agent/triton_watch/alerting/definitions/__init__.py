"""Every alert there is: one list, in the order in which they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.alerting.definitions import agent, budgets, canaries, configuration, gpus, models, server, traffic

if TYPE_CHECKING:
    from triton_watch.alerting.definition import AlertDefinition

ALERTS: Final[tuple[AlertDefinition, ...]] = (
    server.TARGET_DOWN,
    server.NOT_READY,
    models.MODEL_UNAVAILABLE,
    models.MODEL_WEDGED,
    server.METRICS_MISSING,
    gpus.GPU_METRICS_MISSING,
    canaries.CANARY_FAILING,
    canaries.CANARY_WRONG_OUTPUT,
    canaries.SILENT_FAILURE,
    budgets.BUDGET_PAGE,
    budgets.BUDGET_TICKET,
    traffic.QUEUE_GROWING,
    traffic.NOT_BATCHING,
    gpus.GPU_MEMORY_HIGH,
    gpus.GPU_UNDERUSED,
    gpus.GPU_SATURATED,
    configuration.CONFIG_ERRORS,
    configuration.CONFIG_DRIFT,
    agent.WATCH_DOWN,
    agent.WATCHDOG,
)


def by_name(name: str) -> tuple[AlertDefinition, ...]:
    """The definitions of an alert: two where it pages and makes tickets, none where there is no such alert."""
    return tuple(one for one in ALERTS if one.name == name)
