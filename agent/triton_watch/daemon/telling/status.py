"""The whole, beginning with the verdict in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.daemon.facts.common import VERSION
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.facts.status import Status
from triton_watch.daemon.telling.agent import agent_of
from triton_watch.daemon.telling.alerts import alert_counts
from triton_watch.daemon.telling.findings import finding_counts, found_of
from triton_watch.daemon.telling.parts import happening
from triton_watch.daemon.telling.sentences import nobody_found, verdict_sentence
from triton_watch.daemon.telling.targets import briefs_of
from triton_watch.daemon.telling.views import total, views

if TYPE_CHECKING:
    from triton_watch.daemon.state import StateSource

_EVENTS: Final = 20


def status(source: StateSource, now: float) -> Status:
    """Return what is to be said of everything at Unix time `now`."""
    found = views(source, now)
    briefs = briefs_of(source, found)
    return Status(
        version=VERSION,
        at=now,
        standing=min((one.standing for one in briefs), key=lambda one: one.rank, default=Standing.UNKNOWN),
        sentence=verdict_sentence(found) if found else nobody_found(source.discovery()),
        models=total(found),
        targets=briefs,
        alerts=alert_counts(source.alerts().states),
        findings=finding_counts(found_of(source)),
        events=tuple(map(happening, source.history().events[:_EVENTS])),
        agent=agent_of(source),
    )
