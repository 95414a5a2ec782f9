"""What the HTTP side reads of the running daemon: snapshots and counts, never a lock, never a poll."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from triton_watch.records import AlertSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import (
        AgentStatus,
        AlertState,
        BatchSizes,
        BudgetTable,
        CanaryHistory,
        CanaryState,
        Course,
        Finding,
        History,
        ModelKey,
        Objective,
        Outcome,
        PeerStatus,
        SourceStatus,
        Target,
        TargetSnapshot,
    )
    from triton_watch.slo.serving import ServingVerdict
    from triton_watch.store.status import StoreStatus


@dataclass(frozen=True, slots=True)
class TargetCounts:
    """Monotonic counts of one target since the process began. `failures` is by (probe, outcome)."""

    cycles: int = 0
    skipped: int = 0
    failures: Mapping[tuple[str, Outcome], int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class ReloadStatus:
    """The last attempt to load the configuration; `last_success` is Unix seconds, None = never."""

    success: bool
    last_success: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TargetBudgets:
    """What is known of one target's objectives: a table for each period. Counts are by the objective's name."""

    tables: tuple[BudgetTable, ...] = ()
    matched: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    odd: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    refused: int = 0


@dataclass(frozen=True, slots=True)
class HistoryStatus:
    """The last query of a configured Prometheus; `at` is the Unix time that its last answer is about, None = none."""

    success: bool
    at: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class BudgetsView:
    """Objectives, budgets by target, and how the store and the history fare; None = there is none."""

    objectives: tuple[Objective, ...] = ()
    targets: Mapping[str, TargetBudgets] = field(default_factory=lambda: MappingProxyType({}))
    store: StoreStatus | None = None
    history: HistoryStatus | None = None


@dataclass(frozen=True, slots=True)
class AlertsView:
    """The alerts that are not inactive, and the Alertmanagers that are told.

    `external_url` is where people reach this agent. `findings` are those of the last check of each live server,
    by target; a target that was not checked is not there.
    """

    settings: AlertSettings = field(default_factory=AlertSettings)
    external_url: str = ""
    states: tuple[AlertState, ...] = ()
    peers: tuple[PeerStatus, ...] = ()
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=lambda: MappingProxyType({}))
    refused: int = 0
    """Alerts for which there was no room."""
    ended: tuple[AlertState, ...] = ()
    """Alerts that have resolved and are told no more, the newest first; at most 100, in memory."""
    evaluated_at: float | None = None
    """Unix seconds of the last evaluation, at which nothing may have been new; None = none yet."""


class StateSource(Protocol):
    """The running daemon, as its exporter and pages see it. Every method returns at once."""

    def targets(self) -> Mapping[str, Target]:
        """What is watched, by name, polled already or not; not to change afterwards."""

    def snapshots(self) -> Mapping[str, TargetSnapshot]:
        """The latest snapshot of each target by the target's name; none before its first cycle ended.

        The mapping must not change after it was handed out: hand out a copy, or swap in a new one.
        """

    def counters(self) -> Mapping[str, TargetCounts]:
        """The counts of every configured target, by its name; also not to change afterwards."""

    def budgets(self) -> BudgetsView:
        """The objectives and what their events say."""

    def canaries(self) -> Mapping[str, Mapping[ModelKey, CanaryState]]:
        """What is known of the canaries of each target, by model; not to change afterwards."""

    def serving(self, model: str | None = None) -> Mapping[str, ServingVerdict]:
        """For each target, whether a client that comes now would be served, all its models or one."""

    def alerts(self) -> AlertsView:
        """What fires, what is about to, and who is told."""

    def history(self) -> History:
        """The last hour of each target, its poll cycles, and what happened of late."""

    def canary_history(self, target: str, key: ModelKey) -> CanaryHistory:
        """The last canaries of a model, and how it failed; empty where it has none."""

    def courses(self, target: str, key: ModelKey) -> Mapping[str, Course]:
        """How the events of each objective of a model came about, by the objective's name.

        Waits for at most as long as a poll takes to be counted: a millisecond.
        """

    def batch_sizes(self, target: str, name: str, version: str) -> BatchSizes | None:
        """Executions of a model by batch size; None = not asked yet.

        The server is asked for the statistics of the models that somebody looks at, and of no others: this
        notes that somebody does.
        """

    def agent(self) -> AgentStatus:
        """How the process itself fares."""

    def reload(self) -> ReloadStatus:
        """The last attempt to load the configuration; the first load counts."""

    def beat_age(self) -> float:
        """Seconds since the last beat of the main loop."""

    def first_cycle_done(self) -> bool:
        """Whether every target has had its first cycle, whatever came out of it.

        With discovery: every source was asked once, and every target that was found by then has had a cycle.
        """

    def discovery(self) -> tuple[SourceStatus, ...]:
        """How each source of targets fares; none where all are configured one by one."""
