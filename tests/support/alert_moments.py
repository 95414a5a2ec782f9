"""Moments in the life of a target, and which alerts' conditions hold then and which are not known.

The conditions in Python and the expressions for Prometheus are both held against this one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from support.alert_facts import BUSY, NOW, ON_GPU, M, budget, facts, probes, snapshot, table, unheard
from support.frames import FAMILIES, key
from support.objectives import DAY, HOUR, MINUTE, PERIOD, availability
from triton_watch.records import (
    CanaryReason,
    Confidence,
    Counter,
    Finding,
    Gpu,
    ModelConfig,
    ModelState,
    ModelStatus,
    Objective,
    Outcome,
    Severity,
    SilentFailure,
    SloSli,
    Wedged,
)
from unit.canary_samples import state

if TYPE_CHECKING:
    from triton_watch.alerting.definition import Facts


@dataclass(frozen=True)
class Moment:
    """What is known, and the names of the alerts of which at least one case holds, or is not known."""

    name: str
    facts: Facts
    holds: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def finding(
    rule: str = "TW101", severity: Severity = Severity.ERROR, model: str | None = "encoder", *, red: bool = False
) -> Finding:
    """One thing that a check of the live server found."""
    return Finding(rule, "a-slug", severity, Confidence.HIGH, f"{rule} says so.", model, red_line=red)


def in_state(status: ModelStatus, reason: str = "", *, expected: bool = False, version: str = "1") -> ModelState:
    """The model `encoder` as the repository index has it."""
    return ModelState(key("encoder", version), status, reason, expected=expected)


READY: Final = in_state(ModelStatus.READY)
FAILED: Final = in_state(ModelStatus.UNAVAILABLE, "Internal: unable to load model")
FAILS: Final = state(*(CanaryReason.SERVER_ERROR,) * 3, key=M)
WRONG: Final = state(*(CanaryReason.WRONG_SHAPE,) * 3, key=M)
SLOW: Final = state(*(CanaryReason.TOO_SLOW,) * 3, key=M)
PASSED_AGAIN: Final = state(CanaryReason.WRONG_SHAPE, CanaryReason.WRONG_SHAPE, CanaryReason.OK, key=M)
PASSES: Final = state(*(CanaryReason.OK,) * 3, key=M)
NONE_YET: Final = state(key=M)
SAID: Final = {M: SilentFailure(NOW, CanaryReason.WRONG_SHAPE, "OUT has shape [2, 7]", 3.0)}
GOOD: Final = {
    Counter.SUCCESS: 100.0,
    Counter.INFERENCES: 100.0,
    Counter.EXECUTIONS: 20.0,
    Counter.REQUEST_US: 40e6,
    Counter.QUEUE_US: 1e5,
    Counter.COMPUTE_INFER_US: 35e6,
}
CROWDED: Final = {**BUSY, Counter.REQUEST_US: 80e6, Counter.QUEUE_US: 1e6, Counter.COMPUTE_INFER_US: 70e6}
LONELY: Final = {**BUSY, Counter.REQUEST_US: 15e6, Counter.QUEUE_US: 1e5, Counter.COMPUTE_INFER_US: 14e6}
WAITING: Final = {**GOOD, Counter.REQUEST_US: 90e6, Counter.QUEUE_US: 60e6, Counter.COMPUTE_INFER_US: 25e6}
FULL: Final = {Gpu.UTILIZATION: 0.99, Gpu.MEMORY_USED: 79e9, Gpu.MEMORY_TOTAL: 80e9}
CALM: Final = {Gpu.UTILIZATION: 0.5, Gpu.MEMORY_USED: 40e9, Gpu.MEMORY_TOTAL: 80e9}
IDLE: Final = {Gpu.UTILIZATION: 0.02, Gpu.MEMORY_USED: 40e9, Gpu.MEMORY_TOTAL: 80e9}
GPUS: Final = {"encoder": ON_GPU}
NO_BATCHER: Final = ModelConfig("encoder", backend="onnxruntime", max_batch_size=8)
PAGING: Final = {5 * MINUTE: 50.0, HOUR: 50.0, PERIOD: 50.0}
TICKETING: Final = {2 * HOUR: 4.0, DAY: 4.0, PERIOD: 4.0}
AVAILABILITY: Final = availability()
CANARIES: Final = Objective("canaries", SloSli.CANARY, AVAILABILITY.goal, PERIOD, AVAILABILITY.windows)
OBJECTIVES: Final = (AVAILABILITY, CANARIES)
"""The objectives of which rules are made."""
FROZEN: Final = FAMILIES - {"nv_inference_request_duration_us"}
OF_CANARIES: Final = ("TritonCanaryFailing", "TritonCanaryWrongOutput", "TritonSilentFailure")
OF_PAGES: Final = (
    "TritonModelWedged",
    "TritonGpuMetricsMissing",
    "TritonQueueGrowing",
    "TritonNotBatching",
    "TritonGpuMemoryHigh",
    "TritonGpuUnderused",
    "TritonGpuSaturated",
)
OF_FINDINGS: Final = ("TritonConfigErrors", "TritonConfigDrift")
OF_GPU_LOAD: Final = ("TritonGpuUnderused", "TritonGpuSaturated")

_MISSING: Final = ModelState(key("ranker", ""), ModelStatus.MISSING, expected=True)
_LOADING: Final = in_state(ModelStatus.LOADING, expected=True)
_HANGS: Final = probes(live=Outcome.READ_TIMEOUT, ready=Outcome.READ_TIMEOUT, server=Outcome.READ_TIMEOUT)
_NO_HTTP: Final = probes(live=Outcome.REFUSED, ready=Outcome.REFUSED, server=Outcome.REFUSED, index=Outcome.REFUSED)
_SILENT: Final = budget({}, silence=700.0)

MOMENTS: Final = (
    Moment(
        "all is well and known",
        facts(
            snapshot(slis=table(GOOD, ON_GPU, gpu=CALM), configs=GPUS),
            PASSES,
            budgets=[budget({})],
            objectives=OBJECTIVES,
            findings=[],
        ),
    ),
    Moment("nothing is checked, asked or promised", facts(), (), (*OF_FINDINGS, "TritonNotBatching")),
    Moment("the server is down", facts(unheard(), FAILS), ("TritonTargetDown",), (*OF_CANARIES, *OF_PAGES)),
    Moment("the server hangs", facts(unheard(Outcome.READ_TIMEOUT)), ("TritonTargetDown",), ("TritonMetricsMissing",)),
    Moment("it is not ready", facts(snapshot(ready=False)), ("TritonNotReady",)),
    Moment("its health hangs", facts(snapshot(probes=_HANGS, live=None, ready=None)), ("TritonNotReady",)),
    Moment(
        "it has no HTTP port",
        facts(snapshot(probes=_NO_HTTP, live=None, ready=None, models=None)),
        (),
        ("TritonNotReady",),
    ),
    Moment("a model failed to load", facts(snapshot(models=(FAILED,))), ("TritonModelUnavailable",)),
    Moment(
        "one version failed, another is on its way",
        facts(snapshot(models=(FAILED, in_state(ModelStatus.LOADING, version="2")))),
    ),
    Moment(
        "one version failed, another is ready",
        facts(snapshot(models=(FAILED, in_state(ModelStatus.READY, version="2")))),
    ),
    Moment("a model was unloaded", facts(snapshot(models=(in_state(ModelStatus.UNLOADED, "unloaded"),)), WRONG)),
    Moment(
        "the new version failed and the old one was unloaded",
        facts(snapshot(models=(in_state(ModelStatus.UNLOADED, "unloaded", version="0"), FAILED))),
        ("TritonModelUnavailable",),
    ),
    Moment("an expected model is missing", facts(snapshot(models=(READY, _MISSING))), ("TritonModelUnavailable",)),
    Moment("an expected model is loading", facts(snapshot(models=(_LOADING,))), ("TritonModelUnavailable",)),
    Moment(
        "an expected version is loading beside a ready one",
        facts(snapshot(models=(_LOADING, in_state(ModelStatus.READY, version="2", expected=True)))),
    ),
    Moment(
        "the index cannot be read",
        facts(snapshot(models=(FAILED,), probes=probes(index=Outcome.SERVER_ERROR))),
        (),
        ("TritonModelUnavailable",),
    ),
    Moment("a model looks stuck", facts(snapshot(wedged={M: Wedged(2, 30.0, 3.0)})), ("TritonModelWedged",)),
    Moment(
        "there is no metrics page",
        facts(snapshot(slis=None, probes=probes(metrics=Outcome.REFUSED))),
        ("TritonMetricsMissing",),
        OF_PAGES,
    ),
    Moment(
        "the counters stand still",
        facts(snapshot(slis=table(families=FROZEN)), budgets=[_SILENT], objectives=OBJECTIVES),
        ("TritonMetricsMissing",),
        ("TritonMetricsMissing", "TritonModelWedged"),
    ),
    Moment("an indicator is silent", facts(budgets=[_SILENT], objectives=OBJECTIVES), ("TritonMetricsMissing",)),
    Moment(
        "the indicator of a model that is loading is silent",
        facts(snapshot(models=(in_state(ModelStatus.LOADING),)), budgets=[_SILENT], objectives=OBJECTIVES),
    ),
    Moment("no canary runs", facts(budgets=[budget({}, silence=700.0, objective=CANARIES)], objectives=OBJECTIVES)),
    Moment("GPU metrics are missing", facts(snapshot(configs=GPUS)), ("TritonGpuMetricsMissing",)),
    Moment("a canary gets errors", facts(None, FAILS), ("TritonCanaryFailing",)),
    Moment("a canary is too slow", facts(None, SLOW), ("TritonCanaryFailing",)),
    Moment("a canary gets wrong answers", facts(None, WRONG), ("TritonCanaryWrongOutput",)),
    Moment("the last canary passed", facts(None, PASSED_AGAIN), ("TritonCanaryWrongOutput",)),
    Moment("no canary has run yet", facts(None, NONE_YET), (), OF_CANARIES),
    Moment(
        "wrong answers count as success",
        facts(snapshot(silent=SAID), WRONG),
        ("TritonCanaryWrongOutput", "TritonSilentFailure"),
    ),
    Moment(
        "a budget burns fast", facts(budgets=[budget(PAGING)], objectives=OBJECTIVES), ("TritonErrorBudgetBurn:page",)
    ),
    Moment(
        "a budget burns slowly",
        facts(budgets=[budget(TICKETING)], objectives=OBJECTIVES),
        ("TritonErrorBudgetBurn:ticket",),
    ),
    Moment(
        "two budgets burn",
        facts(budgets=[budget({**PAGING, **TICKETING})], objectives=OBJECTIVES),
        ("TritonErrorBudgetBurn:page", "TritonErrorBudgetBurn:ticket"),
    ),
    Moment("a budget burns with few events", facts(budgets=[budget(PAGING, total=19.0)], objectives=OBJECTIVES)),
    Moment(
        "a budget burnt until traffic ended",
        facts(budgets=[budget({HOUR: 50.0, PERIOD: 50.0}, empty=[5 * MINUTE])], objectives=OBJECTIVES),
        (),
        ("TritonErrorBudgetBurn:page",),
    ),
    Moment(
        "a budget burns, and its indicator fell silent",
        facts(budgets=[budget(PAGING, silence=700.0)], objectives=OBJECTIVES),
        ("TritonMetricsMissing",),
        ("TritonErrorBudgetBurn:page", "TritonErrorBudgetBurn:ticket"),
    ),
    Moment(
        "the budget of a model that is gone burns",
        facts(budgets=[budget(PAGING, model=key("gone"))], objectives=OBJECTIVES),
    ),
    Moment(
        "a budget burns, and the index is not to be had",
        facts(
            snapshot(models=None, probes=probes(index=Outcome.RESTRICTED)),
            budgets=[budget(PAGING)],
            objectives=OBJECTIVES,
        ),
        ("TritonErrorBudgetBurn:page",),
    ),
    Moment("a queue is deep", facts(snapshot(slis=table(GOOD, pending=17.0))), ("TritonQueueGrowing",)),
    Moment("a queue is as deep as it may be", facts(snapshot(slis=table(GOOD, pending=16.0)))),
    Moment(
        "nobody knows what a queue is for",
        facts(snapshot(slis=table(GOOD, None, pending=99.0), configs={})),
        (),
        ("TritonQueueGrowing",),
    ),
    Moment(
        "a model without a batcher does not batch",
        facts(snapshot(slis=table(CROWDED, NO_BATCHER), configs={"encoder": NO_BATCHER})),
        ("TritonNotBatching",),
    ),
    Moment("a model with a batcher does not batch", facts(snapshot(slis=table(CROWDED))), ("TritonNotBatching",)),
    Moment("a model has nothing to batch", facts(snapshot(slis=table(LONELY)))),
    Moment(
        "a GPU is full and busy",
        facts(snapshot(slis=table(WAITING, ON_GPU, gpu=FULL), configs=GPUS)),
        ("TritonGpuMemoryHigh", "TritonGpuSaturated"),
    ),
    Moment(
        "a GPU is busy and nothing waits",
        facts(snapshot(slis=table(GOOD, ON_GPU, gpu={**CALM, Gpu.UTILIZATION: 1.0}), configs=GPUS)),
    ),
    Moment(
        "a GPU idles under load",
        facts(snapshot(slis=table(GOOD, ON_GPU, gpu=IDLE), configs=GPUS)),
        ("TritonGpuUnderused",),
    ),
    Moment(
        "a GPU idles without load",
        facts(snapshot(slis=table({}, ON_GPU, gpu=IDLE), configs=GPUS)),
        (),
        (*OF_GPU_LOAD, "TritonNotBatching"),
    ),
    Moment("a check finds errors", facts(findings=[finding(), finding(model=None)]), ("TritonConfigErrors",)),
    Moment(
        "a check finds a red line",
        facts(findings=[finding(severity=Severity.WARNING, red=True)]),
        ("TritonConfigErrors",),
    ),
    Moment(
        "a check finds warnings", facts(findings=[finding(severity=Severity.WARNING), finding("TW834", Severity.INFO)])
    ),
    Moment(
        "what is served is not on disk", facts(findings=[finding("TW833", Severity.WARNING)]), ("TritonConfigDrift",)
    ),
    Moment("a drift is an error, too", facts(findings=[finding("TW830", red=True)]), ("TritonConfigDrift",)),
)
