"""Canaries, as told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triton_watch.daemon.facts.moment import Moment
from triton_watch.records.canary import CanaryReason, CanaryVerdict, SkipReason


@dataclass(frozen=True, slots=True)
class CanaryRun:
    """One canary."""

    at: Moment
    reason: CanaryReason
    latency_seconds: float | None
    first_response_seconds: float | None


@dataclass(frozen=True, slots=True)
class CanaryFailure:
    """Canaries that failed in one way, with no other failure in between."""

    reason: CanaryReason
    detail: str
    first_at: Moment
    last_at: Moment
    count: int


@dataclass(frozen=True, slots=True)
class Canary:
    """What is known of a model version's canaries. Counts are since the agent began."""

    target: str
    model: str
    version: str
    verdict: CanaryVerdict
    reason: CanaryReason | None
    """How the last one ended."""
    detail: str
    at: Moment | None
    latency_seconds: float | None
    interval_seconds: float
    availability: float | None
    """Share of `recent` that passed."""
    recent: tuple[bool, ...]
    """The oldest first; true = passed."""
    golden: bool
    """Whether answers are held against a recorded one."""
    first_call_seconds: float | None
    """Of the first one after the model was loaded."""
    runs: Mapping[CanaryReason, int]
    skipped: Mapping[SkipReason, int]
    note: str
    """Why none can be sent, in a sentence."""


@dataclass(frozen=True, slots=True)
class CanaryList:
    """GET /api/v1/canaries: failing ones first."""

    version: int
    at: Moment
    total: int
    offset: int
    limit: int
    canaries: tuple[Canary, ...]


@dataclass(frozen=True, slots=True)
class CanaryHistory:
    """The last runs, the newest first, and failures, which are kept for longer than they are in the runs."""

    runs: tuple[CanaryRun, ...]
    failures: tuple[CanaryFailure, ...]
