"""The page of alerts: what fires, what is about to, what is over, and who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.conventions import paths
from triton_watch.daemon.site import asking
from triton_watch.daemon.site.parts import AlertRow, alert_rows
from triton_watch.daemon.site.visit import Page
from triton_watch.daemon.telling.alerts import alert_list
from triton_watch.records.alert import AlertMode, AlertPhase

if TYPE_CHECKING:
    from triton_watch.daemon.site.visit import Visit

NAMES: Final = ("target",)
MOST: Final = 80
MOST_RECENT: Final = 30
_HEADS: Final = {
    AlertPhase.FIRING: ("Firing", ""),
    AlertPhase.PENDING: ("Pending", "Their conditions hold, but not for long enough yet."),
    AlertPhase.RESOLVED: ("Just resolved", "The Alertmanagers still hear of it."),
}
_MODES: Final = {
    AlertMode.AGENT: "This agent evaluates the alerts and tells the Alertmanagers below.",
    AlertMode.PROMETHEUS: "A Prometheus with the generated rules notifies; this agent evaluates alerts to show them.",
    AlertMode.OFF: "Alerts are switched off in the configuration (alerts.mode: off): nothing is evaluated.",
}


class Group(NamedTuple):
    """The alerts of a phase; `left_out` is how many rows there are beside `rows`."""

    head: str
    note: str
    phase: AlertPhase
    counted: str
    rows: list[AlertRow]
    left_out: int


def alerts(visit: Visit) -> Page:
    """The page; the query chooses a target."""
    values = asking.values_of(visit.query, NAMES)
    target = asking.of_target(values, visit.targets)
    found = alert_list(visit.source, visit.at, target=target)
    groups = []
    for phase, (head, note) in _HEADS.items():
        members = [one for one in found.alerts if one.phase is phase]
        rows = alert_rows(visit, members)
        groups.append(Group(head, note, phase, _counted(len(rows), len(members)), rows[:MOST], len(rows[MOST:])))
    return Page(
        "alerts",
        "Alerts",
        "alerts",
        {
            "found": found,
            "mode": _MODES[found.mode],
            "target": target,
            "target_names": visit.targets,
            "groups": groups,
            "recent": alert_rows(visit, found.recent[:MOST_RECENT]),
            "runbooks": visit.link.to("/runbooks/"),
            "everything": visit.link.to(paths.ALERTS),
        },
    )


def _counted(rows: int, alerts: int) -> str:
    """Write how many rows there are, and how many alerts: those that differ in their window share a row."""
    return f"{rows:,}" if rows == alerts else f"{rows:,} · {alerts:,} with each window"
