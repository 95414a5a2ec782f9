"""What is wrong is said in sentences that name the model, the figure and the cure; what is fine is not mentioned."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from support.frames import facts, frame, key
from support.misbehaving import target_at
from triton_watch.records import (
    CanaryReason,
    Counter,
    Gpu,
    ModelConfig,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    SilentFailure,
    SkipReason,
    TargetSnapshot,
    Wedged,
)
from triton_watch.slo.sli import compute
from triton_watch.slo.troubles import Level, find
from unit.canary_samples import result, state, states

M = key("m")
NO_COUNTS: dict[Counter, float] = dict.fromkeys(
    (c for c in Counter if c not in (Counter.FAIL_UNLABELLED, Counter.CACHE_HITS, Counter.CACHE_MISSES)), 0.0
)
BATCHING = ModelConfig("m", max_batch_size=8, dynamic_batching=True)


def snapshot(
    counts: dict[Counter, float] | None = None, config: ModelConfig = BATCHING, **fields: Any
) -> TargetSnapshot:
    """A snapshot of ten seconds in which the model `m` counted `counts`."""
    gpus = {"G0": {Gpu.UTILIZATION: 0.5}, "G1": {Gpu.UTILIZATION: 0.5}} if config.uses_gpu else None
    before = frame(10.0, {M: NO_COUNTS}, gpus=gpus)
    after = frame(20.0, {M: {**NO_COUNTS, **(counts or {})}}, gpus=gpus)
    slis = compute(before, after, facts(after, config))
    probes = fields.pop("probes", {})
    made = {"models": (ModelState(M, ModelStatus.READY),), "configs": {config.name: config}, "slis": slis, **fields}
    return TargetSnapshot(target_at("http://h"), 2, 0.0, 0.0, MappingProxyType(probes), **made)


def sentences(found: TargetSnapshot) -> list[str]:
    return [trouble.sentence for trouble in find(found)]


BUSY = {Counter.SUCCESS: 100.0, Counter.INFERENCES: 100.0, Counter.EXECUTIONS: 100.0}


def test_a_healthy_or_idle_server_has_no_troubles() -> None:
    assert sentences(snapshot()) == []
    assert sentences(snapshot({**BUSY, Counter.REQUEST_US: 1e6, Counter.COMPUTE_INFER_US: 9e5})) == []


def test_failures_are_given_by_reason_and_share() -> None:
    (sentence,) = sentences(snapshot({**BUSY, Counter.FAIL_BACKEND: 20.0, Counter.FAIL_REJECTED: 5.0}))
    assert sentence.startswith("20% of its requests failed in 10 s (reason backend: 20, reason rejected: 5)")


def test_few_failures_are_no_problem_and_are_told_all_the_same() -> None:
    counts = {Counter.SUCCESS: 9999.0, Counter.INFERENCES: 9999.0, Counter.EXECUTIONS: 9999.0}
    (few,) = find(snapshot({**counts, Counter.FAIL_BACKEND: 1.0}))
    assert (few.level, few.sentence[:51]) == (Level.ADVICE, "Under 1% of its requests failed in 10 s (reason bac")
    (more,) = find(snapshot({**BUSY, Counter.FAIL_BACKEND: 2.0}))
    assert (more.level, more.sentence[:41]) == (Level.PROBLEM, "2% of its requests failed in 10 s (reason")


def test_canceled_requests_alone_are_no_trouble() -> None:
    assert sentences(snapshot({**BUSY, Counter.FAIL_CANCELED: 20.0})) == []


def test_poor_batching_names_its_cure_by_what_the_configuration_lacks() -> None:
    crowded = {**BUSY, Counter.REQUEST_US: 80e6, Counter.COMPUTE_INFER_US: 70e6, Counter.QUEUE_US: 1e6}
    without = ModelConfig("m", max_batch_size=8)
    (plain,) = find(snapshot(crowded, without))
    assert plain.level is Level.ADVICE
    assert "Batches hold 1.0 of 8 while 8 requests are in flight (efficiency 12%)" in plain.sentence
    assert "add dynamic_batching { }" in plain.sentence
    (on,) = sentences(snapshot(crowded))
    assert "raise max_queue_delay_microseconds" in on


def test_few_requests_in_flight_are_not_a_batching_trouble() -> None:
    assert sentences(snapshot({**BUSY, Counter.REQUEST_US: 15e6, Counter.COMPUTE_INFER_US: 14e6})) == []


def test_a_queue_longer_than_the_compute_is_worth_advice() -> None:
    (sentence,) = sentences(snapshot({**BUSY, Counter.QUEUE_US: 5e6, Counter.COMPUTE_INFER_US: 2e6}))
    assert sentence.startswith("Requests wait 50 ms for 20 ms of compute")


def test_states_that_keep_clients_from_answers_are_problems_with_the_servers_reason_on_one_line() -> None:
    states = (
        ModelState(key("broken"), ModelStatus.UNAVAILABLE, "Internal: no\n  such file"),
        ModelState(key("gone", ""), ModelStatus.MISSING, expected=True),
        ModelState(key("late"), ModelStatus.LOADING, expected=True),
        ModelState(key("off"), ModelStatus.UNLOADED, "unloaded"),
    )
    found = find(snapshot(models=states))
    assert [t.model.name for t in found if t.model] == ["broken", "gone", "late"]
    assert found[0].sentence == "Failed to load: Internal: no such file"


def test_failed_probes_come_first_with_their_own_words() -> None:
    probes = {
        "ready": ProbeResult("ready", Outcome.NOT_READY, 0.0, "x"),
        "metrics": ProbeResult("metrics", Outcome.EMPTY, 0.0, "the page is empty"),
        "live": ProbeResult("live", Outcome.OK, 0.0),
    }
    found = find(snapshot({**BUSY, Counter.FAIL_OTHER: 1.0}, probes=probes))
    assert [t.model for t in found] == [None, None, M]
    assert "not ready: a model failed to load" in found[0].sentence
    assert found[1].sentence == "Probe metrics: the page is empty"


def test_a_model_pinned_to_a_gpu_that_nobody_can_name_leads_to_the_setting_that_helps() -> None:
    pinned = ModelConfig("m", uses_gpu=True, gpus=(1,))
    (sentence,) = sentences(snapshot({**BUSY, Counter.COMPUTE_INFER_US: 1e6}, pinned))
    assert "gpus:" in sentence


LIE = SilentFailure(1.7e9, CanaryReason.NOT_FINITE, "SCORES holds NaN", 3.0)
FAILS = state(CanaryReason.NOT_FINITE, CanaryReason.NOT_FINITE)


def test_a_canary_that_fails_while_triton_counts_success_is_a_silent_failure_with_the_reason() -> None:
    (found,) = find(snapshot(canaries=states(FAILS), silent={M: LIE}))
    assert (found.level, found.model) == (Level.PROBLEM, M)
    assert found.sentence == (
        "Silent failure: its canary fails (not_finite), and Triton counts success: SCORES holds NaN"
    )


def test_another_canary_that_fails_is_a_problem_with_what_failed_last() -> None:
    deadline = result(CanaryReason.DEADLINE, detail="no answer within 5 s")
    passed_since = state(CanaryReason.DEADLINE, CanaryReason.DEADLINE, CanaryReason.OK, last_failure=deadline)
    (found,) = find(snapshot(canaries=states(passed_since)))
    assert (found.level, found.model) == (Level.PROBLEM, M)
    assert found.sentence == "Its canary fails (deadline): no answer within 5 s"


def test_canaries_that_pass_or_have_not_decided_are_no_trouble() -> None:
    once = state(CanaryReason.OK, CanaryReason.OK, CanaryReason.DEADLINE)
    for canary in (state(CanaryReason.OK), state(), once):
        assert sentences(snapshot(canaries=states(canary))) == []


def test_why_a_model_cannot_be_asked_is_advice() -> None:
    (found,) = find(snapshot(canaries=states(state(note="its configuration names no inputs: give one"))))
    assert found.level is Level.ADVICE
    assert found.sentence == "No canary asks it: its configuration names no inputs: give one."


@pytest.mark.parametrize("skip", [SkipReason.NO_INPUT, SkipReason.NEEDS_GRPC])
def test_that_a_model_cannot_be_asked_is_advice_also_where_no_note_says_why(skip: SkipReason) -> None:
    (found,) = find(snapshot(canaries=states(state(last_skip=skip))))
    assert found.level is Level.ADVICE
    assert found.sentence.startswith("No canary asks it: ")


def test_a_canary_that_waits_is_no_trouble() -> None:
    assert sentences(snapshot(canaries=states(state(last_skip=SkipReason.PENDING)))) == []


def test_a_wedged_model_is_a_problem_with_its_figures_and_a_cure() -> None:
    (found,) = find(snapshot(wedged={M: Wedged(5, 75.4, 12.0)}))
    assert (found.level, found.model) == (Level.PROBLEM, M)
    assert found.sentence.startswith("Wedged: 12 requests wait, and none was answered over 5 polls (75 s): ")
    assert "unload and load the model" in found.sentence


def test_a_model_that_only_looks_wedged_so_far_is_no_trouble_yet() -> None:
    assert find(snapshot(wedged={M: Wedged(3, 45.0, 12.0)})) == ()


def test_what_canaries_say_is_told_also_where_there_is_no_metrics_page_and_where_its_counters_stand_still() -> None:
    assert len(find(snapshot(slis=None, canaries=states(FAILS)))) == 1
    families = frozenset({"nv_inference_request_success"})
    page = frame(10.0, {M: NO_COUNTS}, families=families)
    frozen = compute(None, page, facts(page, BATCHING))
    assert [one.model for one in find(snapshot(slis=frozen, canaries=states(FAILS)))] == [None, M]


def test_what_canaries_say_comes_before_the_counters_and_after_the_server() -> None:
    probes = {"metrics": ProbeResult("metrics", Outcome.EMPTY, 0.0, "the page is empty")}
    counted = {**BUSY, Counter.FAIL_OTHER: 2.0}
    found = find(snapshot(counted, probes=probes, canaries=states(FAILS), wedged={M: Wedged(4, 60.0, 1.0)}))
    firsts = [one.sentence.split()[0] for one in found]
    assert firsts == ["Probe", "Its", "Wedged:", "2%"]


def test_counters_that_stand_still_are_the_only_trouble_named() -> None:
    families = frozenset({"nv_inference_request_success"})
    pages = [frame(at, {M: NO_COUNTS}, families=families) for at in (10.0, 20.0)]
    slis = compute(pages[0], pages[1], facts(pages[1], BATCHING))
    (sentence,) = sentences(snapshot(slis=slis))
    assert "counter_latencies=false" in sentence
