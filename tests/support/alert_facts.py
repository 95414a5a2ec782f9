"""What is known of a target at one moment, made by hand: for conditions of alerts."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from support.frames import FAMILIES, frame, key
from support.frames import facts as config_facts
from support.objectives import availability
from triton_watch.alerting.definition import Facts
from triton_watch.records import (
    BudgetTable,
    CanaryState,
    Counter,
    Finding,
    Gpu,
    ModelConfig,
    ModelKey,
    ModelState,
    ModelStatus,
    Objective,
    Outcome,
    ProbeResult,
    SeriesKey,
    SliTable,
    Target,
    TargetSnapshot,
    WindowSums,
)
from triton_watch.slo.budget import goals_of, judge
from triton_watch.slo.levels import windows_of
from triton_watch.slo.sli import compute

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TARGET = Target("gpu-7", "http://gpu-7:8000", "http://gpu-7:8002/metrics", "gpu-7:8001")
M = key("encoder")
GPU = "GPU-1"
COUNTED = tuple(c for c in Counter if c not in (Counter.FAIL_UNLABELLED, Counter.CACHE_HITS, Counter.CACHE_MISSES))
CONFIG = ModelConfig("encoder", backend="onnxruntime", max_batch_size=8, dynamic_batching=True)
ON_GPU = ModelConfig("encoder", backend="onnxruntime", max_batch_size=8, dynamic_batching=True, uses_gpu=True)
NOW = 1.7e9


def table(
    counts: Mapping[Counter, float] | None = None,
    config: ModelConfig | None = CONFIG,
    *,
    pending: float = 0.0,
    gpu: Mapping[Gpu, float] | None = None,
    families: frozenset[str] = FAMILIES,
    keys: Sequence[ModelKey] = (M,),
) -> SliTable:
    """The SLIs of ten seconds in which each model counted `counts`; one GPU where its values are given."""
    nothing: Mapping[Counter, float] = dict.fromkeys(COUNTED, 0.0)
    gpus = None if gpu is None else {GPU: gpu}
    before = frame(10.0, dict.fromkeys(keys, nothing), gpus=gpus, families=families)
    counted = {one: {**nothing, **(counts or {})} for one in keys}
    after = frame(20.0, counted, gpus=gpus, pending=pending, families=families)
    return compute(before, after, config_facts(after, *([] if config is None else [config])))


BUSY = {Counter.SUCCESS: 100.0, Counter.INFERENCES: 100.0, Counter.EXECUTIONS: 100.0}
"""Ten requests a second, none of which shares a batch."""


def probes(**outcomes: Outcome) -> Mapping[str, ProbeResult]:
    """The results of a cycle's probes: all well but for these."""
    names = ("metrics", "live", "ready", "server", "index", "config")
    found = {name: outcomes.get(name, Outcome.OK) for name in names}
    details = {name: "" if one is Outcome.OK else f"http://gpu-7: {one.value}" for name, one in found.items()}
    return MappingProxyType({name: ProbeResult(name, one, 0.1, details[name]) for name, one in found.items()})


def snapshot(**fields: Any) -> TargetSnapshot:
    """A snapshot of a healthy target with one model, `encoder`, but for these fields."""
    made: dict[str, Any] = {
        "target": TARGET,
        "cycle": 9,
        "at": NOW,
        "duration": 0.1,
        "probes": probes(),
        "live": True,
        "ready": True,
        "models": (ModelState(M, ModelStatus.READY),),
        "configs": {CONFIG.name: CONFIG},
        "slis": table(),
        "heard_before": (True, True),
    }
    return TargetSnapshot(**{**made, **fields})


def unheard(outcome: Outcome = Outcome.REFUSED) -> TargetSnapshot:
    """A target of which nothing has been heard in three cycles."""
    failed = dict.fromkeys(("metrics", "live", "ready", "server", "index", "config"), outcome)
    return snapshot(probes=probes(**failed), live=None, ready=None, slis=None, heard_before=(False, False))


def facts(
    of: TargetSnapshot | None = None,
    *canaries: CanaryState,
    budgets: Sequence[BudgetTable] = (),
    objectives: Sequence[Objective] = (),
    findings: Sequence[Finding] | None = None,
) -> Facts:
    """The facts of a target; a healthy one where no snapshot is given."""
    return Facts(
        snapshot=of or snapshot(),
        canaries={one.key: one for one in canaries},
        budgets=tuple(budgets),
        objectives={one.name: one for one in objectives},
        findings=None if findings is None else tuple(findings),
    )


def budget(
    bad: Mapping[float, float],
    *,
    total: float = 1000.0,
    empty: Sequence[float] = (),
    silence: float = 0.0,
    objective: Objective | None = None,
    model: ModelKey = M,
) -> BudgetTable:
    """A table of one series: so many of `total` events were bad in each window (seconds), none in the others.

    Windows in `empty` hold no event at all.
    """
    one = objective or availability()
    windows = windows_of([one])
    in_all = np.array([[0.0 if window in empty else total] for window in windows])
    failed = np.array([[bad.get(window, 0.0)] for window in windows])
    keys = (SeriesKey(one.name, TARGET.name, model),)
    sums = WindowSums(
        at=NOW,
        keys=keys,
        windows=windows,
        good=in_all - failed,
        bad=failed,
        covered=np.array([windows[-1]]),
        silence=np.array([silence]),
    )
    return judge(sums, goals_of(keys, {one.name: one}))
