"""The pages of alerts: what fires and who is told, as JSON, and the runbooks. Field names are a contract."""

from __future__ import annotations

import json
import math
import time
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from triton_watch.alerting.effective import definition_of
from triton_watch.alerting.links import about_labels, dashboard_url, runbook_url
from triton_watch.alerting.manager.payload import rfc3339
from triton_watch.alerting.runbooks import runbook
from triton_watch.conventions.alerts import ALERT_NAMES
from triton_watch.daemon.app import PLAIN, Request, Response, Route, plain
from triton_watch.daemon.link_page import link_page
from triton_watch.daemon.queries import asked, no_target
from triton_watch.records import AlertPhase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from triton_watch.daemon.state import AlertsView, StateSource
    from triton_watch.records import AlertState, PeerStatus

VERSION: Final = 1
JSON: Final = "application/json; charset=utf-8"
MARKDOWN: Final = "text/markdown; charset=utf-8"
RUNBOOKS: Final = "/runbooks/"
_PHASES: Final = tuple(phase.value for phase in AlertPhase)


def alert_routes(source: StateSource, now: Callable[[], float] = time.time) -> tuple[Route, ...]:
    """The routes about alerts; `now` gives Unix seconds."""
    return (
        Route("/api/v1/alerts", partial(alerts, source, now), "alerts, and who is told, as JSON (?phase=, ?target=)"),
        Route(RUNBOOKS, runbooks, "what each alert means, and what to do", prefix=True),
    )


def alerts(source: StateSource, now: Callable[[], float], request: Request) -> Response:
    """All alerts that are not inactive, or those of one `?phase=` or `?target=`."""
    given = asked(request, phase="PHASE", target="NAME")
    if isinstance(given, Response):
        return given
    phase, target = given.get("phase"), given.get("target")
    if phase is not None and phase not in _PHASES:
        sentence = f"There is no phase {phase[:100]!r}; there are: {', '.join(_PHASES)}."
        return plain(HTTPStatus.BAD_REQUEST, sentence)
    targets = source.counters().keys()
    if target is not None and target not in targets:
        return no_target(target, targets)
    view = source.alerts()
    states = [one for one in view.states if phase in (None, one.phase.value)]
    states = [one for one in states if target in (None, dict(one.key.labels).get("target"))]
    body = json.dumps(described(view, states, now()), allow_nan=False)
    return Response(HTTPStatus.OK, JSON, f"{body}\n".encode())


def described(view: AlertsView, states: list[AlertState], at: float) -> dict[str, Any]:
    """Return these alerts of the view as JSON data. Times are RFC 3339; what is not known is null."""
    return {
        "version": VERSION,
        "at": moment(at),
        "mode": view.settings.mode.value,
        "evaluated_at": moment(view.evaluated_at),
        "alerts": [_alert(state, view) for state in states],
        "alertmanagers": [_peer(peer) for peer in view.peers],
    }


def moment(seconds: float | None) -> str | None:
    """Write Unix seconds as RFC 3339 does, to the millisecond: 2026-11-28T00:36:12.250Z."""
    return None if seconds is None else rfc3339(seconds)


def runbooks(request: Request) -> Response:
    """The runbook whose name ends the path, or a page of links to all. Plain text, unless Markdown is asked for."""
    name = request.path.removeprefix(RUNBOOKS)
    if not name:
        links = ((f"{RUNBOOKS}{one}", one, "") for one in ALERT_NAMES)
        return link_page("Runbooks of triton-watch", "Runbooks", links)
    if name not in ALERT_NAMES:
        return plain(HTTPStatus.NOT_FOUND, f"There is no runbook {name[:100]!r}; there are: {', '.join(ALERT_NAMES)}.")
    # Browsers save what is called Markdown; whoever follows the link of an alert wants to read.
    kind = MARKDOWN if "text/markdown" in request.header("Accept") else PLAIN
    return Response(HTTPStatus.OK, kind, runbook(name).encode(), {"Vary": "Accept"})


def _alert(state: AlertState, view: AlertsView) -> dict[str, Any]:
    definition, known = definition_of(state.key), state.value is not None and math.isfinite(state.value)
    board = "" if definition is None else definition.dashboard
    about = about_labels(dict(state.key.labels))
    return {
        "name": state.key.alert,
        "severity": state.key.severity.value,
        "phase": state.phase.value,
        "labels": dict(state.key.labels),
        "since": moment(state.active_at),
        "firing_since": moment(state.fired_at),
        "resolved_at": moment(state.resolved_at),
        "summary": state.summary,
        "detail": state.detail,
        "advice": "" if definition is None else definition.advice,
        "value": state.value if known else None,
        "known": state.is_known,
        "not_seen_for_seconds": round(state.unmet, 1) if state.phase is AlertPhase.FIRING else None,
        "runbook_url": runbook_url(view.settings, view.external_url, state.key.alert),
        "dashboard_url": dashboard_url(view.settings, view.external_url, board, about),
    }


def _peer(peer: PeerStatus) -> Mapping[str, Any]:
    return {
        "url": peer.url,
        "up": peer.up,
        "error": peer.error,
        "last_success": moment(peer.last_success),
        "sent": peer.sent,
        "refused": peer.refused,
        "failed": peer.failed,
        "dropped": peer.dropped,
        "waiting": peer.waiting,
    }
