"""Alerts, and who is told. Field names and values are those of /api/v1/alerts since its first version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.alerting.effective import definition_of
from triton_watch.alerting.links import runbook_url, shown_at
from triton_watch.daemon.facts.alert import Alert, AlertCounts, AlertList, Alertmanager
from triton_watch.daemon.facts.common import VERSION
from triton_watch.daemon.telling.parts import finite, is_named
from triton_watch.records import AlertPhase, AlertSeverity
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.daemon.state import AlertsView, StateSource
    from triton_watch.records import AlertState, PeerStatus


def alert_list(
    source: StateSource,
    now: float,
    *,
    phase: AlertPhase | None = None,
    target: str | None = None,
    model: str | None = None,
) -> AlertList:
    """Return the alerts that are not inactive, those of one phase, target or model; the same of ended ones."""
    view = source.alerts()
    return AlertList(
        version=VERSION,
        at=now,
        mode=view.settings.mode,
        evaluated_at=view.evaluated_at,
        alerts=tuple(
            told(one, view) for one in view.states if phase in (None, one.phase) and is_about(one, target, model)
        ),
        alertmanagers=tuple(map(_peer, view.peers)),
        recent=tuple(told(one, view) for one in view.ended if is_about(one, target, model)),
    )


def alert_counts(states: Iterable[AlertState]) -> AlertCounts:
    """Count the alerts that fire by what they ask for, and those that are about to."""
    states = tuple(states)
    firing = [one.key.severity for one in states if one.phase is AlertPhase.FIRING]
    return AlertCounts(
        page=firing.count(AlertSeverity.PAGE),
        ticket=firing.count(AlertSeverity.TICKET),
        info=firing.count(AlertSeverity.INFO),
        pending=sum(one.phase is AlertPhase.PENDING for one in states),
    )


def is_about(
    state: AlertState, target: str | None = None, model: str | None = None, version: str | None = None
) -> bool:
    """Whether an alert is about these. An alert that names no version is about all of them."""
    labels = dict(state.key.labels)
    return (
        is_named(labels.get("target", ""), target)
        and is_named(labels.get("model", ""), model)
        and ("version" not in labels or is_named(labels["version"], version))
    )


def told(state: AlertState, view: AlertsView) -> Alert:
    """Return one alert of the view as told."""
    definition = definition_of(state.key)
    board = "" if definition is None else definition.dashboard
    labels = dict(state.key.labels)
    return Alert(
        name=state.key.alert,
        severity=state.key.severity,
        phase=state.phase,
        labels={name: whole(value) for name, value in labels.items()},
        since=state.active_at,
        firing_since=state.fired_at,
        resolved_at=state.resolved_at,
        summary=whole(state.summary),
        detail=whole(state.detail),
        advice="" if definition is None else definition.advice,
        value=finite(state.value),
        known=state.is_known,
        not_seen_for_seconds=round(state.unmet, 1) if state.phase is AlertPhase.FIRING else None,
        runbook_url=runbook_url(view.settings, view.external_url, state.key.alert),
        dashboard_url=shown_at(view.settings, view.external_url, board, labels),
    )


def _peer(peer: PeerStatus) -> Alertmanager:
    return Alertmanager(
        url=peer.url,
        up=peer.up,
        error=whole(peer.error),
        last_success=peer.last_success,
        sent=peer.sent,
        refused=peer.refused,
        failed=peer.failed,
        dropped=peer.dropped,
        waiting=peer.waiting,
    )
