"""Where an alert sends its reader: its runbook, and the board that shows what it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triton_watch.records import AlertSettings


def runbook_url(settings: AlertSettings, external_url: str, name: str) -> str:
    """The runbook of the alert `name`: a page of the agent, which is reached at `external_url`, or what is set."""
    if settings.runbook_url:
        return settings.runbook_url.replace("{alert}", name)
    return f"{external_url.rstrip('/')}/runbooks/{name}"


def dashboard_url(settings: AlertSettings, external_url: str, dashboard: str) -> str:
    """The board `dashboard` (`AlertDefinition.dashboard`): what is set, or the agent's own status page."""
    if settings.dashboard_url:
        return settings.dashboard_url.replace("{dashboard}", dashboard)
    return f"{external_url.rstrip('/')}/"
