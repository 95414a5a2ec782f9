"""The page of the agent itself: how it fares, and what else it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.conventions import paths
from triton_watch.daemon.site import asking
from triton_watch.daemon.site.sparks import of_cycles
from triton_watch.daemon.site.visit import Page
from triton_watch.daemon.telling.agent import agent_of, cycle_seconds

if TYPE_CHECKING:
    from triton_watch.daemon.site.visit import Visit

MOST_TARGETS: Final = 100
MOST_LINES: Final = 50
_LAG: Final = 10.0
"""Seconds without a beat of the main loop that are worth a word."""


def agent(visit: Visit) -> Page:
    """The page."""
    asking.values_of(visit.query, ())
    own, lengths = agent_of(visit.source), cycle_seconds(visit.source)
    return Page(
        "agent",
        "The agent",
        "agent",
        {
            "agent": own,
            "is_late": own.loop_age_seconds > _LAG,
            "cpu_share": own.cpu_seconds / max(1.0, visit.at - own.started),
            "polling": [
                (one, visit.link.to(paths.target_page(one.target)), of_cycles(lengths.get(one.target, ())))
                for one in own.polling[:MOST_TARGETS]
            ],
            "polling_total": len(own.polling),
            "log": own.log[:MOST_LINES],
            "routes": [(one, visit.link.to(one.path)) for one in visit.routes if one.summary],
        },
    )
