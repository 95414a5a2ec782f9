"""Targets, as told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triton_watch.daemon.facts.common import Happening, Links, Trouble
from triton_watch.daemon.facts.moment import Moment
from triton_watch.daemon.facts.standing import Standing
from triton_watch.records.outcome import Outcome
from triton_watch.slo.serving import Serving


@dataclass(frozen=True, slots=True)
class TargetBrief:
    """One Triton, in a line. `headline` is the first thing to know of it."""

    name: str
    url: str
    standing: Standing
    headline: str
    serving: Serving
    live: bool | None
    ready: bool | None
    server: str | None
    """Name and version."""
    at: Moment | None
    """End of the last poll; null = none yet."""
    stale: bool
    """The last poll is too long ago to count."""
    interval_seconds: float
    models: Mapping[Standing, int]
    request_rate: float | None
    """Requests a second, added up over the models: one to an ensemble counts with each of its steps, too."""
    failure_rate: float | None
    links: Links


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe of the last poll."""

    name: str
    outcome: Outcome
    seconds: float
    detail: str


@dataclass(frozen=True, slots=True)
class GpuShare:
    """A model's estimated share of the compute time on a GPU."""

    model: str
    version: str
    share: float


@dataclass(frozen=True, slots=True)
class GpuState:
    """One GPU; `energy_joules` over the last interval."""

    uuid: str
    utilization: float | None
    memory_used: float | None
    memory_total: float | None
    power_watts: float | None
    power_limit_watts: float | None
    energy_joules: float | None
    shares: tuple[GpuShare, ...]


@dataclass(frozen=True, slots=True)
class Cycle:
    """One poll cycle: its end, its length, and how many probes failed."""

    at: Moment
    seconds: float
    failed: int


@dataclass(frozen=True, slots=True)
class ProbeFailures:
    """How often a probe ended so since the agent began."""

    probe: str
    outcome: Outcome
    count: int


@dataclass(frozen=True, slots=True)
class TargetDetail:
    """One Triton, whole. `reasons` are why it does not serve."""

    version: int
    at: Moment
    brief: TargetBrief
    reasons: tuple[str, ...]
    metrics_url: str
    extensions: tuple[str, ...]
    probes: tuple[Probe, ...]
    troubles: tuple[Trouble, ...]
    """At most 100; `troubles_total` counts them all."""
    troubles_total: int
    gpus: tuple[GpuState, ...]
    cycles: tuple[Cycle, ...]
    cycles_total: int
    skipped_total: int
    probe_failures: tuple[ProbeFailures, ...]
    events: tuple[Happening, ...]


@dataclass(frozen=True, slots=True)
class TargetList:
    """GET /api/v1/targets: the worst first."""

    version: int
    at: Moment
    total: int
    offset: int
    limit: int
    targets: tuple[TargetDetail, ...]
