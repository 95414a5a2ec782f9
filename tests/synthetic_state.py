"""A daemon's state made by hand, of any size: what the exporter reads, without polling anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from support.objectives import availability, batch_efficiency, gpu_band, queue_time
from triton_watch.daemon.state import AlertsView, BudgetsView, HistoryStatus, ReloadStatus, TargetBudgets, TargetCounts
from triton_watch.records import (
    AgentStatus,
    AlertKey,
    AlertPhase,
    AlertSettings,
    AlertSeverity,
    AlertState,
    BatchSizes,
    CanaryHistory,
    CanaryReason,
    CanaryResult,
    CanaryState,
    CanaryVerdict,
    ConfigVectors,
    Counter,
    Course,
    Gpu,
    History,
    MetricsFrame,
    ModelConfig,
    ModelIndex,
    ModelKey,
    ModelState,
    ModelStatus,
    Outcome,
    PeerStatus,
    ProbeResult,
    SeriesKey,
    ServerInfo,
    SilentFailure,
    SkipReason,
    Sli,
    SliTable,
    SourceStatus,
    Target,
    TargetSnapshot,
    Wedged,
    WindowSums,
)
from triton_watch.slo.budget import goals_of, judge
from triton_watch.slo.levels import windows_of
from triton_watch.slo.serving import Serving, ServingVerdict
from triton_watch.store.status import StoreStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from prometheus_client import Metric

HOSTILE = (
    'quote " in it',
    "back\\slash",
    "ends with a backslash\\",
    "new\nline",
    "tab\tand\rreturn",
    "größe/模型/🜁",
    'a="b",c="d"} 1 # EOF',
    "{{braces}} %s {0}",
    "nul\0byte",
    "lone surrogate \ud800",
    "",
    " ",
)


PROCESS = AgentStatus(started=1.7e9, memory=80_000_000, cpu=12.5, threads=9)
RELOADED = ReloadStatus(success=True, last_success=1.7e9)


@dataclass
class SyntheticState:
    """A `StateSource` whose answers are its fields."""

    polled: Mapping[str, TargetSnapshot]
    counts: Mapping[str, TargetCounts] = field(default_factory=dict)
    budget_view: BudgetsView = field(default_factory=BudgetsView)
    canary_states: Mapping[str, Mapping[ModelKey, CanaryState]] = field(default_factory=dict)
    verdicts: Mapping[str, ServingVerdict] = field(default_factory=dict)
    alert_view: AlertsView = field(default_factory=AlertsView)
    last_reload: ReloadStatus = RELOADED
    unpolled: Mapping[str, Target] = field(default_factory=dict)
    """Targets that are watched, and had no cycle yet."""
    past: History = field(default_factory=History)
    canary_pasts: Mapping[tuple[str, ModelKey], CanaryHistory] = field(default_factory=dict)
    course_of: Mapping[tuple[str, ModelKey], Mapping[str, Course]] = field(default_factory=dict)
    batches: Mapping[tuple[str, str, str], BatchSizes] = field(default_factory=dict)
    process: AgentStatus = PROCESS
    age: float = 0.5
    first_done: bool = True
    sources: tuple[SourceStatus, ...] = ()
    asked_about: list[str | None] = field(default_factory=list)
    """The models that `serving` was asked about."""

    def snapshots(self) -> Mapping[str, TargetSnapshot]:
        return self.polled

    def targets(self) -> Mapping[str, Target]:
        return {name: snapshot.target for name, snapshot in self.polled.items()} | dict(self.unpolled)

    def counters(self) -> Mapping[str, TargetCounts]:
        return self.counts

    def budgets(self) -> BudgetsView:
        return self.budget_view

    def canaries(self) -> Mapping[str, Mapping[ModelKey, CanaryState]]:
        return self.canary_states

    def serving(self, model: str | None = None) -> Mapping[str, ServingVerdict]:
        self.asked_about.append(model)
        return self.verdicts

    def alerts(self) -> AlertsView:
        return self.alert_view

    def history(self) -> History:
        return self.past

    def canary_history(self, target: str, key: ModelKey) -> CanaryHistory:
        return self.canary_pasts.get((target, key), CanaryHistory())

    def courses(self, target: str, key: ModelKey) -> Mapping[str, Course]:
        return self.course_of.get((target, key), {})

    def batch_sizes(self, target: str, name: str, version: str) -> BatchSizes | None:
        return self.batches.get((target, name, version))

    def agent(self) -> AgentStatus:
        return self.process

    def reload(self) -> ReloadStatus:
        return self.last_reload

    def beat_age(self) -> float:
        return self.age

    def first_cycle_done(self) -> bool:
        return self.first_done

    def discovery(self) -> tuple[SourceStatus, ...]:
        return self.sources


def parse_openmetrics(page: str) -> list[Metric]:
    """The families of an OpenMetrics page, by prometheus_client's strict parser."""
    return list(text_string_to_metric_families(page))  # type: ignore[no-untyped-call]


def names(count: int) -> tuple[ModelKey, ...]:
    """`count` plain model keys."""
    return tuple(ModelKey(f"model_{i:05d}", "1") for i in range(count))


def state_of(keys: Sequence[ModelKey], gpus: int = 2) -> SyntheticState:
    """One target `triton` that serves `keys` on `gpus` GPUs, with a value for every SLI of every model."""
    counts = TargetCounts(
        cycles=12345678, skipped=2, failures={("metrics", Outcome.EMPTY): 3, ("health", Outcome.REFUSED): 1}
    )
    return SyntheticState(
        {"triton": snapshot_of(keys, gpus)},
        {"triton": counts},
        canary_states={"triton": canaries_of(keys)},
        verdicts={"triton": ServingVerdict(Serving.NOT_SERVING, ("it is said to be so",))},
    )


LATENCIES = (0.004, 0.005, 0.03, 0.7, 1.0, 99.0)
"""Seconds: of the canaries of each model, by which its histogram is made."""


def canaries_of(keys: Sequence[ModelKey]) -> dict[ModelKey, CanaryState]:
    """Canaries of each model of which everything is known; the last one failed, and the first ones were faster."""
    found = {}
    for key in (ModelKey(key.name, key.version) for key in keys):
        last = CanaryResult(
            key,
            at=1.7e9,
            began=10.0,
            ended=10.5,
            reason=CanaryReason.NOT_FINITE,
            detail="SCORES holds NaN",
            latency=0.5,
            first_response=0.25,
            responses=1,
        )
        found[key] = CanaryState(
            key,
            verdict=CanaryVerdict.FAILING,
            last=last,
            last_failure=last,
            recent=(True, False, False),
            runs={CanaryReason.OK: 5, CanaryReason.NOT_FINITE: 2},
            skipped={SkipReason.PENDING: 3, SkipReason.STILL_RUNNING: 1},
            buckets=(2, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1),
            latency_sum=sum(LATENCIES),
            first_call=2.5,
            requests=8,
            overhead=0.0625,
            has_golden=True,
        )
    return found


OBJECTIVES = (availability(), queue_time(), batch_efficiency(), gpu_band(0.2, 0.9))


def budgets_of(keys: Sequence[ModelKey], targets: Sequence[str] = ("triton",)) -> BudgetsView:
    """Budgets of four objectives of `keys` on each target, every value known: all of them burn."""
    objectives = {one.name: one for one in OBJECTIVES}
    found = {}
    for target in targets:
        series = tuple(SeriesKey(one.name, target, key) for one in OBJECTIVES for key in keys)
        windows = windows_of(OBJECTIVES)
        # Young series: as long as the period is not full, further traffic adds to the budget.
        good = np.outer(np.arange(1.0, len(windows) + 1), np.full(len(series), 1e6))
        sums = WindowSums(
            at=1.7e9,
            keys=series,
            windows=windows,
            good=good,
            bad=good[::-1] / 1e4,
            covered=np.full(len(series), windows[-1]),
            silence=np.full(len(series), 3.0),
        )
        counted = np.array([good[-1], np.full(len(series), 12345678.5)])
        table = judge(sums, goals_of(series, objectives), counted)
        matched = dict.fromkeys(objectives, len(keys))
        found[target] = TargetBudgets((table,), matched, odd=dict.fromkeys(objectives, 2))
    store = StoreStatus(persistent=True, path="slo.sqlite", last_flush=1.7e9, last_flush_seconds=0.01, bytes=4096)
    return BudgetsView(OBJECTIVES, found, store, HistoryStatus(success=True, at=1.7e9))


def alerts_of(at: float, settings: AlertSettings | None = None) -> AlertsView:
    """Alerts of two targets in each phase as of `at` (Unix seconds), and Alertmanagers that fare in each way."""
    ranker = (("model", "ranker"), ("target", "gpu-7"), ("version", "1"))
    states = (
        AlertState(
            AlertKey("TritonCanaryFailing", AlertSeverity.PAGE, ranker),
            AlertPhase.FIRING,
            active_at=at - 750.0,
            fired_at=at - 725.5,
            summary="Canaries of model ranker on gpu-7 fail",
            detail="ranker:1 on gpu-7: 3 of 3 canaries failed: SCORES holds NaN.",
            value=3.0,
        ),
        AlertState(
            AlertKey("TritonErrorBudgetBurn", AlertSeverity.TICKET, (*ranker[:1], ("slo", "latency"), *ranker[1:])),
            AlertPhase.FIRING,
            active_at=at - 9000.0,
            fired_at=at - 7300.0,
            is_known=False,
            summary="Error budget of latency burns slowly: model ranker on gpu-7",
            detail="ranker:1 on gpu-7 burns latency 3.2x over 1d and 2h.",
            value=float("nan"),
        ),
        AlertState(
            AlertKey("TritonNotReady", AlertSeverity.PAGE, (("target", "gpu-8"),)),
            AlertPhase.PENDING,
            active_at=at - 42.0,
            summary="Triton gpu-8 is not ready",
            detail="gpu-8 says that it is not ready.",
        ),
        AlertState(
            AlertKey("TritonTargetDown", AlertSeverity.PAGE, (("target", "gpu-8"),)),
            AlertPhase.RESOLVED,
            active_at=at - 600.0,
            fired_at=at - 590.0,
            resolved_at=at - 61.0,
            summary="Triton gpu-8 is down",
        ),
    )
    peers = (
        PeerStatus("http://one:9093", up=True, last_success=at - 12.0, sent=1234),
        PeerStatus(
            "http://two:9093", up=False, error="http://two:9093 refused the connection.", failed=7, waiting=2, refused=1
        ),
        PeerStatus("http://three:9093"),
    )
    return AlertsView(settings or AlertSettings(), "http://watch:8003", states, peers, evaluated_at=at - 0.75)


def snapshot_of(keys: Sequence[ModelKey], gpus: int = 2) -> TargetSnapshot:
    """A snapshot of a ready target that serves `keys`."""
    return TargetSnapshot(
        target=Target("triton", "http://x:8000", "http://x:8002/metrics", "x:8001"),
        cycle=7,
        at=1_700_000_000.25,
        duration=0.0125,
        probes={
            "health": ProbeResult("health", Outcome.OK, 0.001),
            "metrics": ProbeResult("metrics", Outcome.READ_TIMEOUT, 2.0),
            "metadata": ProbeResult("metadata", Outcome.NOT_TRIED, 0.0),
        },
        live=True,
        ready=False,
        server=ServerInfo('tri"ton', "2.51.0"),
        models=tuple(ModelState(key, ModelStatus.READY) for key in keys),
        configs={key.name: ModelConfig(key.name, backend="python", max_batch_size=8) for key in keys},
        slis=table_of(keys, gpus),
        silent={
            ModelKey(key.name, key.version): SilentFailure(1.7e9, CanaryReason.NOT_FINITE, "SCORES holds NaN", 3.0)
            for key in keys[::2]
        },
        wedged={key: Wedged(4, 60.0, 3.0) for key in keys[1::2]},
    )


def table_of(keys: Sequence[ModelKey], gpus: int = 2) -> SliTable:
    """An SLI table in which every cell has a value; the values span many magnitudes."""
    n = len(keys)
    random = np.random.default_rng(7)
    index = ModelIndex(tuple(keys), {key: i for i, key in enumerate(keys)})
    return SliTable(
        interval=15.0,
        models=index,
        values=random.random((len(Sli), n)) * 10.0 ** random.integers(-7, 9, (len(Sli), n)),
        deltas=np.ones((len(Counter), n)),
        is_new=np.zeros(n, dtype=np.bool_),
        was_reset=np.zeros(n, dtype=np.bool_),
        configs=ConfigVectors(
            known=np.ones(n, dtype=np.bool_),
            max_batch_size=np.full(n, 8.0),
            instances=np.ones(n),
            is_ensemble=np.zeros(n, dtype=np.bool_),
            has_cache=np.zeros(n, dtype=np.bool_),
            on_gpu=np.array([[float(i % max(1, gpus) == g) for i in range(n)] for g in range(gpus)]).reshape(gpus, n),
        ),
        gpu_share=random.random((gpus, n)),
        gpu_energy=np.full(gpus, 100.0),
        frame=frame_of(index, gpus),
    )


def frame_of(index: ModelIndex, gpus: int = 2) -> MetricsFrame:
    """A page of 4,096 bytes whose GPUs have a quarter of their memory in use."""
    values = np.full((len(Gpu), gpus), 0.5)
    values[Gpu.MEMORY_USED], values[Gpu.MEMORY_TOTAL] = 2.0**30, 2.0**32
    return MetricsFrame(
        at=1000.0,
        models=index,
        counters=np.ones((len(Counter), len(index))),
        pending=np.zeros(len(index)),
        quantiles={},
        gpus=tuple(f"GPU-{g}" for g in range(gpus)),
        gpu_values=values,
        server={},
        families=frozenset(),
        size=4096,
    )
