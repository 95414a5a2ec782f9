"""The whole, as told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triton_watch.daemon.facts.alert import AlertCounts
from triton_watch.daemon.facts.common import Happening
from triton_watch.daemon.facts.finding import FindingCounts
from triton_watch.daemon.facts.moment import Moment
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.facts.target import TargetBrief


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the agent's log, at level warning or worse."""

    at: Moment
    level: str
    message: str
    facts: str


@dataclass(frozen=True, slots=True)
class Polling:
    """The cycles of one target, of late. `slowest_seconds` and `mean_seconds` are over `cycles` of them."""

    target: str
    interval_seconds: float
    cycles: int
    mean_seconds: float | None
    slowest_seconds: float | None
    skipped_total: int


@dataclass(frozen=True, slots=True)
class Store:
    """Where budgets are kept; `persistent` false: in memory, and `problem` may say why."""

    persistent: bool
    path: str
    last_flush: Moment | None
    bytes: int | None
    problem: str


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent itself."""

    version: str
    started: Moment
    memory_bytes: int
    cpu_seconds: float
    threads: int
    loop_age_seconds: float
    """Since the last beat of the main loop."""
    first_cycle_done: bool
    reload_success: bool
    reloaded_at: Moment | None
    warnings_total: int
    errors_total: int
    log: tuple[LogLine, ...]
    polling: tuple[Polling, ...]
    store: Store | None
    history_success: bool | None
    """Whether the last query of a Prometheus that keeps the budgets succeeded; null = there is none."""
    history_reason: str


@dataclass(frozen=True, slots=True)
class Status:
    """GET /api/v1/status. `sentence` is the verdict in one sentence."""

    version: int
    at: Moment
    standing: Standing
    sentence: str
    models: Mapping[Standing, int]
    targets: tuple[TargetBrief, ...]
    alerts: AlertCounts
    findings: FindingCounts
    events: tuple[Happening, ...]
    """The newest first, at most 20."""
    agent: Agent
