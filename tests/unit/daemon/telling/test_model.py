"""One model, whole: which version it is, what its objectives ask of it, and what else is known."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.objectives import availability, batch_efficiency, gpu_band, override, queue_time
from triton_watch.daemon.state import AlertsView, BudgetsView
from triton_watch.daemon.telling.model import model_detail
from triton_watch.records import (
    AlertKey,
    AlertPhase,
    AlertSeverity,
    AlertState,
    BatchSizes,
    CanaryFailure,
    CanaryHistory,
    CanaryReason,
    CanaryRun,
    Confidence,
    Counter,
    Course,
    EnsembleStep,
    Event,
    EventKind,
    EventLevel,
    Finding,
    Goal,
    History,
    ModelConfig,
    ModelKey,
    ModelState,
    ModelStatus,
    Severity,
    Sli,
    TensorSpec,
    Wedged,
)
from triton_watch.slo.sli import ROW
from unit.daemon.telling.scenes import (
    AT,
    NOW,
    SILENT,
    WEDGED,
    budgets,
    calm,
    deaf,
    failing,
    key,
    passing,
    ready,
    snapshot,
    source,
)

if TYPE_CHECKING:
    from triton_watch.daemon.facts.model import Indicator, ModelDetail
    from triton_watch.records import Objective, TargetSnapshot

M = key("m")
LEFT = {M: 0.25}


def detail(snap: TargetSnapshot, *asked: Any, **fields: Any) -> ModelDetail:
    found = model_detail(source(snap, **fields), NOW, "t", "m", *asked)
    assert found is not None
    return found


def values(**slis: float) -> TargetSnapshot:
    table = calm([M])
    for name, value in slis.items():
        table.values[ROW[Sli[name.upper()]]] = value
    return snapshot([ready(M)], slis=table, configs={"m": ModelConfig("m", max_batch_size=8)})


def indicator(sli: Sli, snap: TargetSnapshot, *objectives: Objective) -> Indicator:
    found = detail(snap, budget_view=BudgetsView(objectives))
    return next(one for one in found.indicators if one.sli is sli)


UNLOADED = ModelStatus.UNLOADED
VERSIONS = {
    "the greatest number": ([ready(key("m", one)) for one in ("9", "10", "2")], (), "10"),
    "not one that nobody wants": ([ready(key("m", "2")), ModelState(key("m", "3"), UNLOADED)], (), "2"),
    "one that failed to load": ([ready(key("m", "2")), ModelState(key("m", "3"), ModelStatus.UNAVAILABLE)], (), "3"),
    "an unloaded one where there is no other": ([ModelState(key("m", one), UNLOADED) for one in "12"], (), "2"),
    "a number rather than a name": ([ready(key("m", one)) for one in ("1", "new")], (), "1"),
    "the one that is asked for": ([ready(key("m", one)) for one in "123"], ("2",), "2"),
    "one without a version": ([ModelState(key("m", ""), ModelStatus.NOT_LOADED)], (), ""),
}


@pytest.mark.parametrize("case", VERSIONS)
def test_without_a_version_the_latest_one_that_is_wanted_is_told(case: str) -> None:
    states, asked, expected = VERSIONS[case]
    found = detail(snapshot(states), *asked)
    assert found.brief.version == expected
    assert len(found.versions) == len(states)


def test_versions_are_listed_in_order_with_their_state_and_page() -> None:
    states = [ready(key("m", "10")), ModelState(key("m", "9"), ModelStatus.UNAVAILABLE, "no\nfile")]
    found = detail(snapshot(states)).versions
    assert [(one.version, one.state, one.reason, one.links.page) for one in found] == [
        ("9", ModelStatus.UNAVAILABLE, "no file", "/models/t/m?version=9"),
        ("10", ModelStatus.READY, "", "/models/t/m?version=10"),
    ]


def test_what_nobody_knows_is_not_found() -> None:
    state = source(snapshot([ready(M)]))
    for asked in (("u", "m"), ("t", "n"), ("t", "m", "2"), ("t", "m", "1", "team")):
        assert model_detail(state, NOW, *asked) is None


def test_a_namespace_tells_models_of_one_name_apart() -> None:
    spaced = [ModelKey("m", "1", space) for space in ("red", "blue")]
    found = detail(snapshot([ready(M)], slis=calm(spaced)), "1", "blue")
    assert found.brief.namespace == "blue"
    assert detail(snapshot([ready(M)], slis=calm(spaced))).brief.namespace in ("red", "blue")


def test_every_indicator_has_a_value_or_a_reason() -> None:
    found = detail(values(request_rate=2.0)).indicators
    assert [one.sli for one in found] == list(Sli)
    assert all((one.value is None) is bool(one.no_data) for one in found)
    blind = detail(snapshot([ready(M)])).indicators
    assert {(one.value, one.no_data) for one in blind} == {(None, "the last poll read no metrics page")}


BOUNDS = {
    "a time within its bound": (Sli.QUEUE_TIME, {"queue_time": 0.04}, (queue_time(0.05),), "≤ 50 ms", True),
    "a time at its bound": (Sli.QUEUE_TIME, {"queue_time": 0.05}, (queue_time(0.05),), "≤ 50 ms", True),
    "a time over its bound": (Sli.QUEUE_TIME, {"queue_time": 0.06}, (queue_time(0.05),), "≤ 50 ms", False),
    "no value": (Sli.QUEUE_TIME, {}, (queue_time(0.05),), "≤ 50 ms", None),
    "no objective": (Sli.QUEUE_TIME, {"queue_time": 0.06}, (availability(),), "", None),
    "the strictest of several": (
        Sli.QUEUE_TIME,
        {"queue_time": 0.03},
        (queue_time(0.05), queue_time(0.02), queue_time(0.1)),
        "≤ 20 ms",
        False,
    ),
    "an objective of another model": (
        Sli.QUEUE_TIME,
        {"queue_time": 0.06},
        (queue_time(0.05, models=("other",)),),
        "",
        None,
    ),
    "an objective of another target": (
        Sli.QUEUE_TIME,
        {"queue_time": 0.06},
        (queue_time(0.05, targets=("other",)),),
        "",
        None,
    ),
    "an override for the model": (
        Sli.QUEUE_TIME,
        {"queue_time": 0.06},
        (queue_time(0.05, overrides=(override("m", Goal(0.9, high=0.2)),)),),
        "≤ 200 ms",
        True,
    ),
    "availability against the ratio": (
        Sli.AVAILABILITY,
        {"availability": 0.995},
        (availability(0.99), availability(0.999)),
        "≥ 99.9%",
        False,
    ),
    "batches that are too small": (
        Sli.BATCH_EFFICIENCY,
        {"batch_efficiency": 0.55},
        (batch_efficiency(0.5), batch_efficiency(0.6)),
        "≥ 60%",
        False,
    ),
    "a GPU in its band": (
        Sli.GPU_UTILIZATION,
        {"gpu_utilization": 0.5},
        (gpu_band(0.2, 0.9),),
        "at 20%\N{EN DASH}90%",
        True,
    ),
    "a GPU over its band": (
        Sli.GPU_UTILIZATION,
        {"gpu_utilization": 0.95},
        (gpu_band(None, 0.9),),
        "≤ 90%",
        False,
    ),
    "a served quantile that the server does not serve": (
        Sli.QUEUE_TIME,
        {"queue_time": 0.01},
        (queue_time(0.05, quantile="0.99"),),
        "p99 ≤ 50 ms",
        None,
    ),
    "a mean before a quantile": (
        Sli.QUEUE_TIME,
        {"queue_time": 0.01},
        (queue_time(0.005, quantile="0.99"), queue_time(0.05)),
        "≤ 50 ms",
        True,
    ),
}


@pytest.mark.parametrize("case", BOUNDS)
def test_an_indicator_is_held_against_the_strictest_bound_that_covers_the_model(case: str) -> None:
    sli, slis, objectives, goal, within = BOUNDS[case]
    found = indicator(sli, values(**slis), *objectives)
    assert (found.goal, found.within) == (goal, within)


def test_a_quantile_is_judged_by_what_the_server_serves_of_it() -> None:
    snap = values(queue_time=0.01)
    assert snap.slis is not None
    served = replace(snap.slis.frame, quantiles={("queue", "0.99"): np.array([70_000.0])})
    found = indicator(
        Sli.QUEUE_TIME, replace(snap, slis=replace(snap.slis, frame=served)), queue_time(0.05, quantile="0.99")
    )
    assert (found.value, found.goal, found.within) == (0.01, "p99 ≤ 50 ms", False)
    assert detail(replace(snap, slis=replace(snap.slis, frame=served))).percentiles == {
        "request": {},
        "queue": {"0.99": pytest.approx(0.07)},
    }


def test_failures_are_told_by_reason_and_null_where_they_are_not_served() -> None:
    snap = values(request_rate=1.0)
    assert snap.slis is not None
    snap.slis.deltas[Counter.FAIL_BACKEND], snap.slis.deltas[Counter.FAIL_OTHER] = 3.0, math.nan
    found = detail(snap)
    assert found.failures == {"REJECTED": 0.0, "CANCELED": 0.0, "BACKEND": 3.0, "OTHER": None, "unlabelled": 0.0}
    assert found.interval_seconds == 15.0
    assert set(detail(snapshot([ready(M)])).failures.values()) == {None}


def test_budgets_and_their_courses_are_those_of_the_model() -> None:
    course = Course(np.array([AT, AT + 1, np.inf]), np.array([0.0, 5.0, 6.0]), np.array([0.0, 1.0, 1.0]))
    view = budgets({key("other"): 0.1, **LEFT}, availability(0.99), queue_time())
    found = detail(snapshot([ready(M)]), budget_view=view, course_of={("t", M): {"availability": course}})
    assert [(one.slo, one.model, one.goal) for one in found.budgets] == [
        ("availability", "m", "99%"),
        ("queue-time", "m", "99% ≤ 50 ms"),
    ]
    (told,) = found.courses
    assert (told.slo, told.at, told.good, told.bad) == ("availability", (AT, AT + 1), (0.0, 5.0), (0.0, 1.0))


def test_canaries_are_told_with_their_past() -> None:
    past = CanaryHistory(
        (CanaryRun(AT, CanaryReason.NOT_FINITE, 0.5),),
        (CanaryFailure(CanaryReason.NOT_FINITE, "Y holds\nNaN", AT - 60, AT, 3),),
    )
    found = detail(snapshot([ready(M)]), canary_states={"t": {M: failing(M)}}, canary_pasts={("t", M): past})
    assert found.canary is not None
    assert found.canary_history is not None
    (run,), (failure,) = found.canary_history.runs, found.canary_history.failures
    assert (run.at, run.reason, run.latency_seconds, run.first_response_seconds) == (
        AT,
        CanaryReason.NOT_FINITE,
        0.5,
        None,
    )
    assert (failure.detail, failure.first_at, failure.last_at, failure.count) == ("Y holds NaN", AT - 60, AT, 3)
    assert detail(snapshot([ready(M)])).canary_history is None
    assert detail(snapshot([ready(M)]), canary_pasts={("t", M): past}).canary_history is not None


def test_silence_and_wedges_are_told_once_they_are_certain() -> None:
    found = detail(snapshot([ready(M)], silent={M: SILENT}, wedged={M: WEDGED}))
    assert found.silent_failure is not None
    assert found.wedged is not None
    assert (found.silent_failure.counted_success, found.wedged.pending) == (3.0, 3.0)
    assert detail(snapshot([ready(M)], wedged={M: Wedged(2, 30.0, 3.0)})).wedged is None


def test_a_silent_failure_is_over_once_a_canary_passes_and_a_wedge_is_not_told_of_a_server_that_is_silent() -> None:
    liar = snapshot([ready(M)], silent={M: SILENT})
    assert detail(liar, canary_states={"t": {M: failing(M)}}).silent_failure is not None
    assert detail(liar, canary_states={"t": {M: passing(M)}}).silent_failure is None
    assert detail(replace(deaf([ready(M)]), wedged={M: WEDGED})).wedged is None


def test_the_configuration_is_told_whole() -> None:
    config = ModelConfig(
        "m", backend="onnxruntime", max_batch_size=8, gpus=(0, 1), inputs=(TensorSpec("X", "FP32", (-1, 4)),)
    )
    found = detail(snapshot([ready(M)], configs={"m": config})).configuration
    assert found is not None
    assert (found.backend, found.max_batch_size, found.gpus) == ("onnxruntime", 8, (0, 1))
    assert [(one.name, one.datatype, one.dims, one.optional) for one in found.inputs] == [("X", "FP32", (-1, 4), False)]
    assert detail(snapshot([ready(M)])).configuration is None


def test_an_ensemble_has_its_steps_with_links_and_no_batches() -> None:
    step = key("step", "2")
    table = calm([M, step])
    table.values[ROW[Sli.REQUEST_TIME]] = [0.5, 0.3]
    config = ModelConfig("m", platform="ensemble", steps=(EnsembleStep("step", -1),))
    snap = snapshot([ready(M), ready(step)], slis=table, configs={"m": config})
    found = detail(snap, batches={("t", "m", "1"): BatchSizes(AT, {1: 2})})
    (member,) = found.members
    assert (member.name, member.version, member.request_time, member.queue_time) == ("step", "2", 0.3, None)
    assert member.links.page == "/models/t/step?version=2"
    assert found.ensemble_overhead_seconds == pytest.approx(0.2)
    assert found.batches is None


def test_batches_are_told_by_size_or_why_not() -> None:
    known = BatchSizes(AT, {8: 3, 1: 20})
    found = detail(snapshot([ready(M)]), batches={("t", "m", "1"): known}).batches
    assert found is not None
    assert (found.at, found.sizes, found.executions, found.problem) == (AT, (1, 8), (20, 3), "")
    problem = BatchSizes(AT, problem="the statistics extension\nis off")
    found = detail(snapshot([ready(M)]), batches={("t", "m", "1"): problem}).batches
    assert found is not None
    assert found.problem == "the statistics extension is off"
    assert detail(snapshot([ready(M)])).batches is None


def finding(model: str | None) -> Finding:
    return Finding("TW1", "slug", Severity.ERROR, Confidence.HIGH, "It is wrong.", model=model)


def test_findings_are_those_of_the_model_and_it_says_whether_there_was_a_check() -> None:
    view = AlertsView(findings={"t": (finding("m"), finding("n"), finding(None)), "u": (finding("m"),)})
    found = detail(snapshot([ready(M)]), alert_view=view)
    assert [(one.target, one.model) for one in found.findings] == [("t", "m")]
    assert found.findings_checked
    assert not detail(snapshot([ready(M)])).findings_checked


def alert(**labels: str) -> AlertState:
    of = AlertKey("TritonCanaryFailing", AlertSeverity.PAGE, tuple(sorted(labels.items())))
    return AlertState(of, AlertPhase.FIRING, active_at=AT)


def test_alerts_and_events_are_those_of_the_version_and_of_all_versions() -> None:
    alerts = (
        alert(target="t", model="m", version="1"),
        alert(target="t", model="m"),
        alert(target="t", model="m", version="2"),
        alert(target="u", model="m", version="1"),
        alert(target="t"),
    )
    about = (("t", "m", "1"), ("t", "m", ""), ("t", "m", "2"), ("u", "m", "1"), ("t", "", ""))
    events = tuple(
        Event(AT, AT, EventKind.MODEL, EventLevel.TROUBLE, where, "It failed.", model, version)
        for where, model, version in about
    )
    found = detail(snapshot([ready(M)]), alert_view=AlertsView(states=alerts), past=History(events=events))
    assert [one.labels.get("version") for one in found.alerts] == ["1", None]
    assert [(one.model, one.version) for one in found.events] == [("m", "1"), ("m", None)]


def test_troubles_are_those_of_the_model_problems_first() -> None:
    note = replace(passing(key("n")), note="give an input")
    found = detail(
        snapshot([ready(M), ModelState(key("n"), ModelStatus.UNAVAILABLE)], wedged={M: WEDGED}),
        canary_states={"t": {M: replace(passing(M), note="give an input"), key("n"): note}},
    )
    assert [one.sentence[:7] for one in found.troubles] == ["Wedged:", "No cana"]
    assert {(one.model, one.version) for one in found.troubles} == {("m", "1")}
