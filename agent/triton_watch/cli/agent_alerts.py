"""What a running agent says of its alerts: asked over HTTP, and checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from triton_watch.cli.agent_client import LONGEST
from triton_watch.conventions.paths import API, query
from triton_watch.daemon.facts.moment import read
from triton_watch.records import AlertMode, AlertPhase, AlertSeverity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.cli.agent_client import AgentClient


@dataclass(frozen=True, slots=True)
class ToldAlert:
    """One alert as the agent tells it. Times are Unix seconds."""

    name: str
    severity: AlertSeverity
    phase: AlertPhase
    labels: Mapping[str, str]
    began_at: float
    """When the phase that it is in began."""
    text: str
    advice: str
    known: bool
    not_seen: float
    """Seconds for which a firing alert's condition has not held."""


@dataclass(frozen=True, slots=True)
class ToldPeer:
    """One Alertmanager as the agent tells of it. `up`: None = nothing was sent yet; times are Unix seconds."""

    url: str
    up: bool | None
    error: str
    last_success: float | None
    sent: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Told:
    """The whole answer. `raw` is its JSON; `at` (of the agent's clock) and `evaluated_at` are Unix seconds."""

    raw: Mapping[str, Any]
    mode: AlertMode
    at: float
    evaluated_at: float | None
    alerts: tuple[ToldAlert, ...]
    peers: tuple[ToldPeer, ...]


def ask(agent: AgentClient, target: str | None) -> Told:
    """Ask an agent for all alerts, or those of one target. Raises AgentError, NotThereError."""
    body = agent.get(f"{API}alerts{query({} if target is None else {'target': target})}", "alerts")
    try:
        return _parsed(json.loads(body.decode(errors="replace")))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        raise agent.stranger() from error


def _parsed(raw: Mapping[str, Any]) -> Told:
    if raw["version"] != 1:
        raise ValueError(raw["version"])
    return Told(
        raw=raw,
        mode=AlertMode(raw["mode"]),
        at=read(raw["at"]),
        evaluated_at=None if raw["evaluated_at"] is None else read(raw["evaluated_at"]),
        alerts=tuple(_alert(one) for one in raw["alerts"]),
        peers=tuple(_peer(one) for one in raw["alertmanagers"]),
    )


def _alert(raw: Mapping[str, Any]) -> ToldAlert:
    phase = AlertPhase(raw["phase"])
    began = {AlertPhase.FIRING: raw["firing_since"], AlertPhase.RESOLVED: raw["resolved_at"]}.get(phase)
    return ToldAlert(
        name=clip(raw["name"]),
        severity=AlertSeverity(raw["severity"]),
        phase=phase,
        labels={clip(name): clip(value, 200) for name, value in raw["labels"].items()},
        began_at=read(began or raw["since"]),
        text=clip(raw["detail"] or raw["summary"], LONGEST),
        advice=clip(raw["advice"], LONGEST),
        known=bool(raw["known"]),
        not_seen=float(raw["not_seen_for_seconds"] or 0.0),
    )


def _peer(raw: Mapping[str, Any]) -> ToldPeer:
    last = raw["last_success"]
    return ToldPeer(
        url=clip(raw["url"], 200),
        up=raw["up"],
        error=clip(raw["error"], LONGEST),
        last_success=None if last is None else read(last),
        sent=int(raw["sent"]),
        waiting=int(raw["waiting"]),
    )
