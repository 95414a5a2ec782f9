"""Alerts: what is known of each, what may be set, and how a peer that takes them fares."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from triton_watch.records.target import Credentials, Timeouts, TlsSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

Labels = tuple[tuple[str, str], ...]
"""Names and values, sorted by name, none empty."""


class AlertSeverity(str, Enum):
    """Who is told: somebody at once, a ticket, or whoever looks."""

    PAGE = "page"
    TICKET = "ticket"
    INFO = "info"


class AlertPhase(str, Enum):
    """Where an alert stands. One that is inactive has no state at all."""

    PENDING = "pending"
    """The condition holds, not yet for long enough."""
    FIRING = "firing"
    RESOLVED = "resolved"
    """It fired, and does no more; kept until every peer had time to hear it."""


class AlertMode(str, Enum):
    """Who notifies: this agent, or a Prometheus that has the generated rules; OFF evaluates nothing."""

    AGENT = "agent"
    PROMETHEUS = "prometheus"
    OFF = "off"


class AlertKey(NamedTuple):
    """Which alert. `labels` say of what: target, model, version, slo, ...; not alertname and severity."""

    alert: str
    severity: AlertSeverity
    labels: Labels


@dataclass(frozen=True, slots=True)
class AlertCase:
    """What a condition says of one subject. `holds`: None = not known, which neither fires nor resolves.

    `labels` are those beside target. `detail` says in words what is so and why; it ends with a full stop.
    `hold` replaces the definition's own, seconds.
    """

    labels: Labels
    holds: bool | None
    detail: str = ""
    value: float | None = None
    hold: float | None = None


@dataclass(frozen=True, slots=True)
class AlertState:
    """One alert that is not inactive; never changed, replaced whole.

    `active_at` (the condition began to hold), `fired_at` and `resolved_at` are Unix seconds. `held` is for how many
    seconds the condition has been holding, `unmet` for how many a firing alert's has not; both are counted by the
    monotonic clock and not while the agent is down. `recent` are the last outcomes of the condition, the newest last,
    as many as the definition's window. `is_known`: the last evaluation had data.
    """

    key: AlertKey
    phase: AlertPhase
    active_at: float
    fired_at: float | None = None
    resolved_at: float | None = None
    held: float = 0.0
    unmet: float = 0.0
    hold: float = 0.0
    recent: tuple[bool, ...] = ()
    is_known: bool = True
    summary: str = ""
    detail: str = ""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One peer. `url` has no slash at its end, and a path where it is served below one."""

    url: str
    timeouts: Timeouts = field(default_factory=lambda: Timeouts(connect=2.0, read=10.0, total=10.0))
    credentials: Credentials = field(default_factory=Credentials)
    tls: TlsSettings = field(default_factory=TlsSettings)


@dataclass(frozen=True, slots=True)
class AlertOverride:
    """Other values for the alerts that match; None = as defined. Globs; the first that matches an alert wins.

    `models` other than ("*",) match only alerts about a model. `threshold` is in the unit of the definition.
    `labels` are added to the alert.
    """

    alerts: tuple[str, ...] = ("*",)
    targets: tuple[str, ...] = ("*",)
    models: tuple[str, ...] = ("*",)
    enabled: bool = True
    severity: AlertSeverity | None = None
    hold: float | None = None
    keep: float | None = None
    failures: int | None = None
    window: int | None = None
    threshold: float | None = None
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """The `alerts` section. Times are seconds.

    `external_url` is where people reach this agent, no slash at its end; "" = the address it listens on.
    `runbook_url` may hold {alert}, `dashboard_url` {dashboard}, {target} and {model}; "" = pages of the agent itself.
    `severities` renames the values of the severity label. `config_check` is the time between two checks of the
    live configuration, None = never.
    """

    mode: AlertMode = AlertMode.AGENT
    alertmanagers: tuple[Alertmanager, ...] = ()
    external_labels: Labels = ()
    external_url: str = ""
    runbook_url: str = ""
    dashboard_url: str = ""
    severities: Mapping[AlertSeverity, str] = field(default_factory=dict)
    resend_interval: float = 60.0
    watchdog: bool = False
    config_check: float | None = 600.0
    overrides: tuple[AlertOverride, ...] = ()

    def severity_label(self, severity: AlertSeverity) -> str:
        """What the severity label says."""
        return self.severities.get(severity, severity.value)


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """How one Alertmanager fares. `up`: None = nothing was sent yet; `error` is a sentence, "" = none.

    Counts are since the process began: `sent` alerts were taken, `refused` ones not (4xx), `failed` POSTs are tried
    again, `dropped` alerts found no room. `waiting` alerts are still to be told.
    """

    url: str
    up: bool | None = None
    error: str = ""
    last_success: float | None = None
    sent: int = 0
    refused: int = 0
    failed: int = 0
    dropped: int = 0
    waiting: int = 0
