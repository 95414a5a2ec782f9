"""Alerts, and who is told, as told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triton_watch.daemon.facts.moment import Moment
from triton_watch.records.alert import AlertMode, AlertPhase, AlertSeverity


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert that is not inactive."""

    name: str
    severity: AlertSeverity
    phase: AlertPhase
    labels: Mapping[str, str]
    since: Moment
    firing_since: Moment | None
    resolved_at: Moment | None
    summary: str
    detail: str
    advice: str
    value: float | None
    known: bool
    not_seen_for_seconds: float | None
    """For how long a firing alert's condition has not held."""
    runbook_url: str
    dashboard_url: str


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One peer that is told. Counts are of alerts since the agent began; `up` is null before the first notification."""

    url: str
    up: bool | None
    error: str
    last_success: Moment | None
    sent: int
    refused: int
    failed: int
    dropped: int
    waiting: int


@dataclass(frozen=True, slots=True)
class AlertList:
    """GET /api/v1/alerts. `recent` are alerts that have ended, the newest first, kept in memory."""

    version: int
    at: Moment
    mode: AlertMode
    evaluated_at: Moment | None
    alerts: tuple[Alert, ...]
    alertmanagers: tuple[Alertmanager, ...]
    recent: tuple[Alert, ...]


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """Alerts by what they ask for; `page`, `ticket` and `info` fire, `pending` ones do not yet."""

    page: int
    ticket: int
    info: int
    pending: int
