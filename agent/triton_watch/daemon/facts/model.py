"""Models, as told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from triton_watch.daemon.facts.alert import Alert
from triton_watch.daemon.facts.budget import Budget, Course
from triton_watch.daemon.facts.canary import Canary, CanaryHistory
from triton_watch.daemon.facts.common import Happening, Links, Trouble
from triton_watch.daemon.facts.finding import Finding
from triton_watch.daemon.facts.moment import Moment
from triton_watch.daemon.facts.standing import Standing
from triton_watch.records.budget import Verdict
from triton_watch.records.canary import CanaryReason, CanaryVerdict
from triton_watch.records.model import ModelStatus
from triton_watch.records.sli import Sli


@dataclass(frozen=True, slots=True)
class Recent:
    """The last hour in steps of `step_seconds`, all lists the oldest first; null = no data in that step.

    `begin` is the begin of the first step. Rates are a second; times are means, seconds.
    """

    begin: Moment
    step_seconds: float
    request_rate: tuple[float | None, ...]
    failure_rate: tuple[float | None, ...]
    queue_time: tuple[float | None, ...]
    request_time: tuple[float | None, ...]
    average_batch: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ModelBrief:
    """One model version on one target, in a line. `headline` is the first thing to know of it, "" = nothing."""

    target: str
    name: str
    version: str
    namespace: str
    standing: Standing
    headline: str
    state: ModelStatus | None
    expected: bool
    ensemble: bool
    canary: CanaryVerdict | None
    """null = it has no canary."""
    canary_reason: CanaryReason | None
    budget_left: float | None
    """Of the objective with the least left."""
    budget_slo: str | None
    budget_verdict: Verdict | None
    slis: Mapping[Sli, float | None]
    request_p99: float | None
    """Seconds, as the server serves it."""
    links: Links
    recent: Recent | None = None
    """Only where it was asked for."""


@dataclass(frozen=True, slots=True)
class ModelList:
    """GET /api/v1/models: trouble first, then the least budget left.

    `counts` are of all models that match but for the standing that was asked for.
    """

    version: int
    at: Moment
    total: int
    offset: int
    limit: int
    counts: Mapping[Standing, int]
    models: tuple[ModelBrief, ...]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One SLI of a model: its value, or in words why there is none, and what an objective asks of it.

    `within` is null where no objective has a bound for it, or nothing is known.
    """

    sli: Sli
    value: float | None
    no_data: str
    unit: str
    """s, ratio, req/s, requests, J, samples."""
    goal: str
    """The bound of the strictest objective in words, "" = none."""
    within: bool | None


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output."""

    name: str
    datatype: str
    dims: tuple[int, ...]
    optional: bool


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the server completed the model's configuration to."""

    backend: str
    platform: str
    max_batch_size: int
    instances: int
    instance_kinds: tuple[str, ...]
    gpus: tuple[int, ...]
    dynamic_batching: bool
    sequence_batching: bool
    decoupled: bool
    response_cache: bool
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One step of an ensemble. Its times cover all of its callers, not this ensemble's alone."""

    name: str
    version: str
    request_rate: float | None
    queue_time: float | None
    compute_infer_time: float | None
    request_time: float | None
    links: Links


@dataclass(frozen=True, slots=True)
class Batches:
    """Executions by batch size since the model was loaded. `problem` says why nothing is known, "" = something is."""

    at: Moment | None
    sizes: tuple[int, ...]
    executions: tuple[int, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class SilentFailure:
    """The canary fails and the server counts success: `counted_success` more around the last such one."""

    at: Moment
    reason: CanaryReason
    detail: str
    counted_success: float


@dataclass(frozen=True, slots=True)
class Wedged:
    """Requests wait, and none was answered."""

    polls: int
    seconds: float
    pending: float


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the model, this one among them."""

    version: str
    namespace: str
    standing: Standing
    state: ModelStatus | None
    reason: str
    links: Links


@dataclass(frozen=True, slots=True)
class ModelDetail:
    """GET /api/v1/models/{target}/{model}: one version, whole; the latest, where none was asked for."""

    version: int
    at: Moment
    brief: ModelBrief
    reason: str
    """Of its state, as the server tells it."""
    troubles: tuple[Trouble, ...]
    versions: tuple[Version, ...]
    indicators: tuple[Indicator, ...]
    percentiles: Mapping[str, Mapping[str, float | None]]
    """Kind (request, queue), then quantile as served, then seconds."""
    failures: Mapping[str, float | None]
    """Requests of the last interval that failed, by reason; null = not served."""
    interval_seconds: float | None
    budgets: tuple[Budget, ...]
    courses: tuple[Course, ...]
    canary: Canary | None
    canary_history: CanaryHistory | None
    silent_failure: SilentFailure | None
    wedged: Wedged | None
    configuration: Configuration | None
    findings: tuple[Finding, ...]
    findings_checked: bool
    members: tuple[Member, ...]
    ensemble_overhead_seconds: float | None
    batches: Batches | None
    recent: Recent | None
    alerts: tuple[Alert, ...]
    events: tuple[Happening, ...]
