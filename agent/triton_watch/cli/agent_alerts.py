"""What a running agent says of its alerts: asked over HTTP, and checked."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from triton_watch.records import AlertMode, AlertPhase, AlertSeverity, Target, Timeouts
from triton_watch.triton.errors import ConnectError, DnsError, NotHttpError, RefusedError, TritonError, shown
from triton_watch.triton.http import HttpFetcher, Response
from triton_watch.triton.peer_errors import bare, ended
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATH: Final = "/api/v1/alerts"
_BODY_LIMIT: Final = 64_000_000
_TIMEOUTS: Final = Timeouts(connect=2.0, read=5.0, total=10.0)
_NO_TARGET: Final = "There is no target "
_LONGEST: Final = 4000
"""Characters of a text of the agent that are shown."""


class AgentError(Exception):
    """The agent was not heard. The text is one sentence."""


class UnknownTargetError(Exception):
    """The agent has no target of that name. The text is its own sentence."""


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


def ask(url: str, target: str | None) -> Told:
    """Ask the agent at `url` for all alerts, or those of one target. Raises AgentError, UnknownTargetError."""
    query = "" if target is None else f"?target={quote(target, safe='', errors='replace')}"
    agent = Target("agent", url, url, "", timeouts=_TIMEOUTS)
    try:
        with HttpFetcher(agent) as fetcher:
            response = fetcher.fetch("GET", f"{url}{_PATH}{query}", limit=_BODY_LIMIT)
    except TritonError as error:
        raise AgentError(_unheard(url, error)) from error
    return _told(url, response)


def _unheard(url: str, error: TritonError) -> str:
    if isinstance(error, ConnectError) and not isinstance(error, DnsError):
        why = "nothing listens there" if isinstance(error, RefusedError) else "there is no connection"
        start = "start one with `triton-watch run --target URL`, or say with --agent URL where it is"
        return f"no agent answers at {shown(url)}, {why}: {start}."
    if isinstance(error, NotHttpError):
        return f"what listens at {shown(url)} does not speak HTTP: is the port right (an agent's is usually 8003)?"
    return ended(f"the agent at {shown(url)} {bare(error)}")


def _told(url: str, response: Response) -> Told:
    body = response.body.decode(errors="replace")
    if response.status == 404 and body.startswith(_NO_TARGET):
        raise UnknownTargetError(clip(body.strip(), _LONGEST))
    if response.status != 200:
        raise AgentError(_refusal(shown(url), response.status))
    try:
        return _parsed(json.loads(body))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise AgentError(
            f"what {shown(url)} answers is not what an agent of this version tells: what is it?"
        ) from error


def _refusal(url: str, status: int) -> str:
    if status == 404:
        return (
            f"what answers at {url} is no agent of this version (HTTP 404): is the URL right, or is the agent an older "
            "one?"
        )
    return f"what answers at {url} tells no alerts (HTTP {status}): if it is an agent, its log says why."


def _parsed(raw: Mapping[str, Any]) -> Told:
    if raw["version"] != 1:
        raise ValueError(raw["version"])
    return Told(
        raw=raw,
        mode=AlertMode(raw["mode"]),
        at=_seconds(raw["at"]),
        evaluated_at=None if raw["evaluated_at"] is None else _seconds(raw["evaluated_at"]),
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
        began_at=_seconds(began or raw["since"]),
        text=clip(raw["detail"] or raw["summary"], _LONGEST),
        advice=clip(raw["advice"], _LONGEST),
        known=bool(raw["known"]),
        not_seen=float(raw["not_seen_for_seconds"] or 0.0),
    )


def _peer(raw: Mapping[str, Any]) -> ToldPeer:
    last = raw["last_success"]
    return ToldPeer(
        url=clip(raw["url"], 200),
        up=raw["up"],
        error=clip(raw["error"], _LONGEST),
        last_success=None if last is None else _seconds(last),
        sent=int(raw["sent"]),
        waiting=int(raw["waiting"]),
    )


def _seconds(text: str) -> float:
    """Read RFC 3339; the Z is no time zone for Python 3.10."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
