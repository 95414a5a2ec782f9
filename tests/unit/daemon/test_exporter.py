"""The exporter shows what the snapshots know, leaves out what they do not, and stays small while it does."""

import dataclasses
import gc
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from synthetic_state import (
    HOSTILE,
    SyntheticState,
    alerts_of,
    budgets_of,
    canaries_of,
    names,
    parse_openmetrics,
    snapshot_of,
    state_of,
    table_of,
)
from triton_watch.conventions import LABELS, METRICS, Metric
from triton_watch.daemon.alert_families import ALERT_BUILDERS
from triton_watch.daemon.canary_families import CANARY_BUILDERS
from triton_watch.daemon.discovery_families import DISCOVERY_BUILDERS
from triton_watch.daemon.exporter import Exporter
from triton_watch.daemon.families import AGENT_BUILDERS, BUILDERS, INDEX_PROBE
from triton_watch.daemon.slo_families import SLO_BUILDERS
from triton_watch.daemon.state import AlertsView, ReloadStatus, TargetBudgets, TargetCounts
from triton_watch.probes import PROBES
from triton_watch.records import (
    AlertKey,
    AlertSettings,
    AlertSeverity,
    CanaryReason,
    CanaryState,
    CanaryVerdict,
    Confidence,
    EnsembleStep,
    Finding,
    ModelConfig,
    ModelKey,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    Severity,
    Sli,
    SliTable,
    SourceStatus,
    TargetSnapshot,
    Wedged,
)
from triton_watch.slo.serving import Serving, ServingVerdict

OPENMETRICS = "application/openmetrics-text; version=1.0.0"

Labels = dict[str, str]


def page_of(state: SyntheticState, accept: str = "") -> str:
    return Exporter(state, "1.2.3").page(accept).body.decode()


def samples(state: SyntheticState, name: str) -> list[tuple[Labels, float]]:
    """Labels and value of every sample of the metric, `triton_watch_` left out of its name."""
    families = parse_text(page_of(state))
    found = [sample for family in families for sample in family.samples]
    return [(sample.labels, sample.value) for sample in found if sample.name == f"triton_watch_{name}"]


def snapshot_with(**changes: Any) -> SyntheticState:
    """The state of one target `triton`, with these fields of its snapshot."""
    return SyntheticState({"triton": dataclasses.replace(snapshot_of(names(2)), **changes)})


def table_with(**changes: Any) -> SyntheticState:
    """The state of one target `triton`, with these fields of its SLI table."""
    return snapshot_with(slis=dataclasses.replace(table_of(names(2)), **changes))


def bare(snapshot: TargetSnapshot) -> TargetSnapshot:
    """The snapshot of a cycle that found nothing out."""
    return TargetSnapshot(snapshot.target, 1, 5.0, 0.5, {}, None, None)


def full_state() -> SyntheticState:
    """A state for which every metric has a series."""
    keys = [*names(3), *(ModelKey(name, "1") for name in HOSTILE)]
    snapshot = snapshot_of(keys)
    assert snapshot.models is not None
    assert snapshot.configs is not None
    missing = ModelState(ModelKey("gone", ""), ModelStatus.MISSING, expected=True)
    configs = {**snapshot.configs, keys[0].name: ModelConfig(keys[0].name, steps=(EnsembleStep(keys[1].name, -1),))}
    return dataclasses.replace(
        state_of(keys),
        polled={"triton": dataclasses.replace(snapshot, models=(*snapshot.models, missing), configs=configs)},
        counts={"triton": TargetCounts(3, 1, {("metrics", Outcome.EMPTY): 1})},
        budget_view=budgets_of(keys),
        alert_view=every_alert(),
        sources=(SourceStatus("file:targets.yaml", 2, 1.7e9, 1, "it is not good."),),
    )


def every_alert() -> AlertsView:
    """Alerts that say everything of themselves, peers that were told, and a finding."""
    view = alerts_of(1.7e9)
    labels = ("gpu_uuid", "model", "slo", "target", "version", "window")
    whole = AlertKey("TritonErrorBudgetBurn", AlertSeverity.PAGE, tuple((name, f"a {name}") for name in labels))
    states = tuple(dataclasses.replace(one, key=whole) for one in view.states[:1])
    peers = tuple(peer for peer in view.peers if peer.last_success is not None)
    finding = Finding("TW703", "not-loaded", Severity.ERROR, Confidence.HIGH, "it is not", model="ranker")
    return dataclasses.replace(view, states=states, peers=peers, findings={"triton": (finding, finding)})


def series_of(metric: Metric) -> dict[str, tuple[str, ...]]:
    """The names of a metric's samples, and the labels of each."""
    labels = tuple(sorted(metric.labels))
    if metric.type != "histogram":
        return {metric.name: labels}
    buckets = {f"{metric.name}_bucket": tuple(sorted((*metric.labels, "le")))}
    return {**buckets, f"{metric.name}_count": labels, f"{metric.name}_sum": labels}


def test_every_convention_has_a_builder_and_the_other_way_round() -> None:
    """No metric is documented that is not exported, and none is exported that is not documented."""
    builders = [*AGENT_BUILDERS, *ALERT_BUILDERS, *BUILDERS, *CANARY_BUILDERS, *DISCOVERY_BUILDERS, *SLO_BUILDERS]
    assert len(builders) == len(METRICS)
    assert set(builders) == set(METRICS)


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_every_family_of_a_page_is_in_the_conventions_and_the_other_way_round(accept: str) -> None:
    """A page with everything on it has each metric of the conventions, with its labels, and no other."""
    parse = parse_openmetrics if accept else parse_text
    found = [sample for family in parse(page_of(full_state(), accept)) for sample in family.samples]
    labels = {sample.name: tuple(sorted(sample.labels)) for sample in found if "triton_watch" in sample.name}
    assert labels == {name: of for metric in METRICS for name, of in series_of(metric).items()}
    others = {sample.name.split("_")[0] for sample in found if sample.name not in labels}
    assert others == {"process", "python"}


def test_openmetrics_page_is_accepted_by_a_strict_parser() -> None:
    """The OpenMetrics page parses, hostile names and units included, and ends with # EOF."""
    page = page_of(full_state(), OPENMETRICS)
    families = {family.name: family for family in parse_openmetrics(page)}
    assert page.endswith("# EOF\n")
    for metric in METRICS:
        family = families[metric.name.removesuffix("_total").removesuffix("_info")]
        assert (family.type, family.unit, family.documentation) == (metric.type, metric.unit, metric.help)


def test_no_series_stands_twice_on_a_page() -> None:
    """Prometheus refuses duplicates: two index entries of one model make one series."""
    keys = names(2)
    states = tuple(ModelState(key, ModelStatus.READY) for key in (*keys, *keys))
    lines = [line for line in page_of(snapshot_with(models=states)).splitlines() if line[0] != "#"]
    series = [line.rsplit(" ", 1)[0] for line in lines]
    assert len(set(series)) == len(series)


def test_series_of_one_family_stand_together_over_targets() -> None:
    """With many targets each family has one HELP and one TYPE, targets sorted below."""
    state = SyntheticState({name: snapshot_of(names(2)) for name in ("b", "a")})
    page = page_of(state)
    assert page.count("# TYPE triton_watch_target_up ") == 1
    assert [labels["target"] for labels, _ in samples(state, "target_up")] == ["a", "b"]


def test_every_label_is_of_the_fixed_list() -> None:
    """No series carries a label that conventions.LABELS does not explain, but for the bounds of buckets."""
    found = [sample for family in parse_text(page_of(full_state())) for sample in family.samples]
    assert {n for s in found if s.name.startswith("triton_watch") for n in s.labels} <= LABELS.keys() | {"le"}


def test_hostile_model_names_come_back_as_they_went_in() -> None:
    """Quotes, backslashes, newlines and unicode in a model's name survive the page."""
    state = state_of([ModelKey(name, "1") for name in HOSTILE])
    shown = {labels["model"] for labels, _ in samples(state, "model_ready")}
    assert {name for name in HOSTILE if "\0" not in name and "\ud800" not in name} <= shown
    assert len(shown) == len(HOSTILE)


def test_models_in_namespaces_are_told_apart() -> None:
    """Two models of one name in two namespaces are two series."""
    state = state_of([ModelKey("m", "1", "red"), ModelKey("m", "1", "blue"), ModelKey("m", "1")])
    spaces = [labels.get("model_namespace") for labels, _ in samples(state, "model_requests_per_second")]
    assert spaces == ["red", "blue", None]


# What is unknown is absent


def test_a_target_without_a_cycle_shows_its_counters_only() -> None:
    """Before the first cycle ended there is nothing to say about a target but that no cycle ended."""
    state = SyntheticState({}, {"new": TargetCounts()})
    assert samples(state, "cycles_total") == [({"target": "new"}, 0.0)]
    assert samples(state, "target_up") == []


def test_a_cycle_that_found_nothing_out_shows_a_target_that_is_down() -> None:
    """An unreachable target is down; whether it is live or ready, and its indicators, are absent."""
    state = SyntheticState({"triton": bare(snapshot_of(names(1)))})
    assert samples(state, "target_up") == [({"target": "triton"}, 0.0)]
    page = page_of(state)
    for name in ("target_live", "target_ready", "target_info", "counters_frozen", "model_", "gpu_", "sli_"):
        assert f"triton_watch_{name}" not in page


@pytest.mark.parametrize(
    ("live", "ready", "up"), [(True, True, 1), (False, None, 1), (None, False, 1), (None, None, 0)]
)
def test_a_target_that_says_not_live_is_up(live: bool | None, ready: bool | None, up: float) -> None:
    """Any answer of the health endpoints as Triton gives it makes a target up."""
    state = snapshot_with(live=live, ready=ready)
    assert samples(state, "target_up")[0][1] == up
    assert [value for _, value in samples(state, "target_live")] == ([] if live is None else [float(live)])
    assert [value for _, value in samples(state, "target_ready")] == ([] if ready is None else [float(ready)])


OF_OTHER_THINGS = {
    f"triton_watch_model_{name}"
    for name in ("wedged", "stuck_seconds", "queue_depth_ratio", "requests_in_flight_per_instance")
}
"""Metrics of every model on the page that are not an indicator themselves."""


@pytest.mark.parametrize("sli", list(Sli))
def test_each_sli_reads_its_own_row_and_leaves_gaps_out(sli: Sli) -> None:
    """A value in one row of the table shows in exactly one metric, for exactly the models that have it."""
    values = np.full((len(Sli), 2), np.nan)
    values[list(Sli).index(sli), 1] = 0.25
    table = dataclasses.replace(table_of(names(2)), values=values, gpu_share=np.full((2, 2), np.nan))
    found = [
        (sample.name, sample.labels["model"], sample.value)
        for family in parse_text(page_of(snapshot_with(slis=table, models=None)))
        for sample in family.samples
        if "model" in sample.labels and sample.name not in OF_OTHER_THINGS
    ]
    expected = {
        Sli.REQUEST_RATE: "model_requests_per_second",
        Sli.FAILURE_RATE: "model_failures_per_second",
        Sli.AVAILABILITY: "model_availability_ratio",
        Sli.QUEUE_TIME: "model_queue_time_seconds",
        Sli.REQUEST_TIME: "model_request_time_seconds",
        Sli.COMPUTE_INPUT_TIME: "model_compute_input_time_seconds",
        Sli.COMPUTE_INFER_TIME: "model_compute_infer_time_seconds",
        Sli.COMPUTE_OUTPUT_TIME: "model_compute_output_time_seconds",
        Sli.IN_FLIGHT: "model_requests_in_flight",
        Sli.AVERAGE_BATCH: "model_batch_size_average",
        Sli.BATCH_FILL: "model_batch_fill_ratio",
        Sli.BATCH_EFFICIENCY: "model_batch_efficiency_ratio",
        Sli.CACHE_HIT_RATIO: "model_cache_hit_ratio",
        Sli.GPU_UTILIZATION: "model_gpu_utilization_estimate_ratio",
        Sli.ENERGY_PER_INFERENCE: "model_energy_per_inference_estimate_joules",
    }
    if sli is Sli.PENDING:  # Triton's own gauge, which Prometheus has from Triton
        assert found == []
    else:
        assert found == [(f"triton_watch_{expected[sli]}", "model_00001", 0.25)]


def test_models_with_data_are_counted_for_every_sli() -> None:
    """Also an SLI that no model has shows its 0: that is what an alert on vanished data needs."""
    values = np.full((len(Sli), 2), np.nan)
    values[0] = [1.0, 2.0]
    counts = {labels["sli"]: value for labels, value in samples(table_with(values=values), "sli_models_with_data")}
    assert counts == {sli.value: 2.0 if sli is Sli.REQUEST_RATE else 0.0 for sli in Sli}


def test_a_probe_that_was_not_tried_has_an_outcome_and_no_success() -> None:
    """Not tried is neither success nor failure, and took no time that is worth showing."""
    state = state_of(names(1))
    success = {labels["probe"]: value for labels, value in samples(state, "probe_success")}
    outcomes = {(labels["probe"], labels["outcome"]) for labels, _ in samples(state, "probe_outcome")}
    assert success == {"health": 1.0, "metrics": 0.0}
    assert outcomes == {("health", "ok"), ("metrics", "read_timeout"), ("metadata", "not_tried")}
    assert {labels["probe"] for labels, _ in samples(state, "probe_duration_seconds")} == success.keys()


def test_probe_failures_are_counted_by_outcome() -> None:
    """The counters of failures are those of the source."""
    failures = {(labels["probe"], labels["outcome"]): v for labels, v in samples(state_of([]), "probe_failures_total")}
    assert failures == {("metrics", "empty"): 3.0, ("health", "refused"): 1.0}


def test_states_of_an_index_that_could_not_be_read_are_absent() -> None:
    """A model that was ready before its server vanished is not shown as ready now."""
    assert INDEX_PROBE in PROBES
    for outcome, count in [(Outcome.OK, 2), (Outcome.REFUSED, 0), (Outcome.NOT_TRIED, 0)]:
        state = snapshot_with(probes={INDEX_PROBE: ProbeResult(INDEX_PROBE, outcome, 0.1)})
        assert len(samples(state, "model_ready")) == len(samples(state, "model_state")) == count


def test_ready_is_only_who_is_ready() -> None:
    """Every state but READY is not ready, and stands by its name."""
    states = tuple(ModelState(ModelKey(s.value, "1"), s) for s in ModelStatus)
    state = snapshot_with(models=states)
    assert {labels["model"]: v for labels, v in samples(state, "model_ready")} == {
        status.value: float(status is ModelStatus.READY) for status in ModelStatus
    }
    assert all(labels["state"] == labels["model"] for labels, _ in samples(state, "model_state"))


def test_expected_models_are_missing_or_not() -> None:
    """An expected model is missing while the index does not know it, in whatever state else it is."""
    states = (
        ModelState(ModelKey("there", "1"), ModelStatus.UNAVAILABLE, expected=True),
        ModelState(ModelKey("there", "2"), ModelStatus.READY, expected=True),
        ModelState(ModelKey("gone", ""), ModelStatus.MISSING, expected=True),
        ModelState(ModelKey("other", "1"), ModelStatus.READY),
    )
    missing = {labels["model"]: v for labels, v in samples(snapshot_with(models=states), "model_expected_missing")}
    assert missing == {"there": 0.0, "gone": 1.0}


def test_model_info_tells_the_configuration() -> None:
    """The facts of a model's configuration are labels, truth values spelled out."""
    config = ModelConfig("model_00000", "tensorrt_plan", "tensorrt", 16, instances=4, dynamic_batching=True)
    ((labels, value),) = samples(snapshot_with(configs={"model_00000": config}), "model_info")
    del labels["target"], labels["model"], labels["version"]
    assert value == 1.0
    assert labels == {
        "platform": "tensorrt_plan",
        "backend": "tensorrt",
        "max_batch_size": "16",
        "instances": "4",
        "dynamic_batching": "true",
        "ensemble": "false",
    }


def steps_of(*states: ModelState, steps: tuple[EnsembleStep, ...]) -> list[tuple[str, str, str]]:
    """Step, member and its version of the ensemble `pipe`, as the page has them."""
    loaded = (*states, ModelState(ModelKey("pipe", "3"), ModelStatus.READY))
    state = snapshot_with(models=loaded, configs={"pipe": ModelConfig("pipe", "ensemble", steps=steps)})
    found = samples(state, "ensemble_step_info")
    assert all((labels["model"], labels["version"], value) == ("pipe", "3", 1.0) for labels, value in found)
    return [(labels["step"], labels["member"], labels["member_version"]) for labels, _ in found]


def test_steps_of_an_ensemble_name_the_version_that_they_use() -> None:
    """That is the latest ready one, by number and not by text, where the configuration names none."""
    versions = [ModelState(ModelKey("a", version), ModelStatus.READY) for version in ("9", "10")]
    versions.append(ModelState(ModelKey("a", "11"), ModelStatus.UNAVAILABLE))
    steps = (EnsembleStep("a", -1), EnsembleStep("a", 9))
    assert steps_of(*versions, steps=steps) == [("1", "a", "10"), ("2", "a", "9")]


def test_a_step_whose_model_is_not_ready_has_no_version() -> None:
    """A step never vanishes with its model: that is when it is looked for."""
    unavailable = ModelState(ModelKey("a", "1"), ModelStatus.UNAVAILABLE)
    assert steps_of(unavailable, steps=(EnsembleStep("a", -1), EnsembleStep("b", -1))) == [
        ("1", "a", ""),
        ("2", "b", ""),
    ]


def test_steps_stay_within_their_namespace() -> None:
    """A model of the same name in another namespace is another model."""
    ours = ModelState(ModelKey("a", "1", "ours"), ModelStatus.READY)
    theirs = ModelState(ModelKey("a", "2", "theirs"), ModelStatus.READY)
    pipe = ModelState(ModelKey("pipe", "1", "ours"), ModelStatus.READY)
    config = ModelConfig("pipe", steps=(EnsembleStep("a", -1),))
    state = snapshot_with(models=(ours, theirs, pipe), configs={"pipe": config})
    ((labels, _),) = samples(state, "ensemble_step_info")
    assert (labels["model_namespace"], labels["member_version"]) == ("ours", "1")


def test_gpu_shares_are_shown_where_a_model_runs() -> None:
    """A share is shown for the GPUs that a model may run on; unknown shares are absent."""
    table = table_of(names(2))
    on_gpu = np.array([[1.0, np.nan], [0.0, 1.0]])
    share = np.array([[0.75, 0.25], [0.0, np.nan]])
    configs = dataclasses.replace(table.configs, on_gpu=on_gpu)
    shown = {
        (labels["gpu_uuid"], labels["model"]): value
        for labels, value in samples(table_with(configs=configs, gpu_share=share), "gpu_model_share_ratio")
    }
    assert shown == {("GPU-0", "model_00000"): 0.75, ("GPU-0", "model_00001"): 0.25}


def test_gpu_memory_is_a_ratio_and_absent_where_unknown() -> None:
    """Memory in use is a share of the total; a GPU that does not tell both is left out."""
    table = table_of(names(1), gpus=3)
    values = table.frame.gpu_values.copy()
    values[:, 1], values[:, 2] = np.nan, 0.0
    frame = dataclasses.replace(table.frame, gpu_values=values)
    state = snapshot_with(slis=dataclasses.replace(table, frame=frame))
    assert samples(state, "gpu_memory_used_ratio") == [({"gpu_uuid": "GPU-0", "target": "triton"}, 0.25)]


def test_facts_of_the_page_and_the_cycle() -> None:
    """Size of the page, interval, frozen counters, duration and time come from the snapshot as they are."""
    state = table_with(counters_off=True)
    expected = {
        "metrics_page_bytes": 4096.0,
        "counters_frozen": 1.0,
        "sli_interval_seconds": 15.0,
        "last_cycle_duration_seconds": 0.0125,
        "last_cycle_timestamp_seconds": 1_700_000_000.25,
    }
    assert {name: samples(state, name)[0][1] for name in expected} == expected


def test_a_refused_reload_shows() -> None:
    """A configuration that was refused shows as 0; the time of the last good one stays, if there was one."""
    refused = SyntheticState({}, last_reload=ReloadStatus(success=False, last_success=1.5e9))
    assert samples(refused, "config_last_reload_success") == [({}, 0.0)]
    assert samples(refused, "config_last_reload_success_timestamp_seconds") == [({}, 1.5e9)]
    never = SyntheticState({}, last_reload=ReloadStatus(success=False))
    assert samples(never, "config_last_reload_success_timestamp_seconds") == []


def test_the_version_of_the_agent_shows() -> None:
    """build_info carries the agent's version."""
    assert samples(SyntheticState({}), "build_info") == [({"version": "1.2.3"}, 1.0)]


def test_a_model_without_gpus_and_a_target_without_models_are_fine() -> None:
    """Empty tables make a page, and no model series."""
    empty: SliTable = table_of((), gpus=0)
    assert "triton_watch_model_ready" not in page_of(snapshot_with(slis=empty, models=()))


# Canaries


def with_canary(**changes: Any) -> SyntheticState:
    """The state of one target with one model, whose canary is as in `canaries_of` but for these fields."""
    (key,) = names(1)
    state = dataclasses.replace(canaries_of((key,))[key], **changes)
    return SyntheticState({"triton": snapshot_of((key,))}, canary_states={"triton": {key: state}})


def test_a_canary_that_never_ran_shows_its_verdict_and_counts_alone() -> None:
    """Nothing is said of an outcome or a time that there was not; what counts begins at 0."""
    (key,) = names(1)
    state = SyntheticState({}, canary_states={"triton": {key: CanaryState(key)}})
    found = {family.name: family.samples for family in parse_text(page_of(state)) if "_canary_" in family.name}
    shown = {"verdict", "latency_seconds", "requests", "cpu_seconds", "has_golden"}
    assert {name.removeprefix("triton_watch_canary_") for name in found} == shown
    assert [s.labels["verdict"] for s in found["triton_watch_canary_verdict"]] == ["unknown"]
    assert {s.value for s in found["triton_watch_canary_latency_seconds"]} == {0.0}
    assert samples(state, "model_client_availability_ratio") == []
    assert samples(state, "model_silent_failure") == []


def test_what_a_canary_found_shows_as_it_is() -> None:
    labels = {"target": "triton", "model": "model_00000", "version": "1"}
    expected = {
        "canary_success": 0.0,
        "canary_last_latency_seconds": 0.5,
        "canary_first_response_seconds": 0.25,
        "canary_first_call_seconds": 2.5,
        "canary_last_run_timestamp_seconds": 1.7e9,
        "canary_requests_total": 8.0,
        "canary_cpu_seconds_total": 0.0625,
        "canary_has_golden": 1.0,
        "model_client_availability_ratio": 1 / 3,
        "model_silent_failure": 1.0,
        "model_wedged": 0.0,
    }
    state = with_canary()
    assert {name: samples(state, name) for name in expected} == {n: [(labels, v)] for n, v in expected.items()}
    assert samples(state, "canary_verdict") == [({**labels, "verdict": "failing"}, 1.0)]
    assert samples(state, "canary_reason") == [({**labels, "reason": "not_finite"}, 1.0)]
    runs = {of["reason"]: value for of, value in samples(state, "canary_runs_total")}
    assert runs == {"not_finite": 2.0, "ok": 5.0}
    skipped = {of["reason"]: value for of, value in samples(state, "canary_skipped_total")}
    assert skipped == {"pending": 3.0, "still_running": 1.0}


def test_the_buckets_of_latencies_are_cumulative_and_the_last_one_holds_all() -> None:
    found = [(labels["le"], value) for labels, value in samples(with_canary(), "canary_latency_seconds_bucket")]
    counts = {"0.005": 2, "0.05": 3, "0.5": 3, "1.0": 5, "10.0": 5, "+Inf": 6}
    assert {bound: value for bound, value in found if bound in counts} == counts
    assert [value for _, value in found] == sorted(value for _, value in found)
    assert samples(with_canary(), "canary_latency_seconds_count")[0][1] == 6.0


def test_a_canary_without_an_answer_has_no_latency() -> None:
    (key,) = names(1)
    last = canaries_of((key,))[key].last
    assert last is not None
    state = with_canary(last=dataclasses.replace(last, latency=None, first_response=None))
    assert samples(state, "canary_last_latency_seconds") == samples(state, "canary_first_response_seconds") == []


def test_silent_failures_are_told_of_models_that_have_a_canary_and_a_snapshot() -> None:
    keys = names(3)
    one, two, _ = canaries_of(keys).values()
    state = SyntheticState(
        {"triton": snapshot_of(keys)}, canary_states={"triton": {keys[0]: one, keys[1]: two}, "new": {keys[0]: one}}
    )
    found = {(of["target"], of["model"]): value for of, value in samples(state, "model_silent_failure")}
    assert found == {("triton", "model_00000"): 1.0, ("triton", "model_00001"): 0.0}


def test_a_model_that_passes_since_the_last_poll_fails_silently_no_more() -> None:
    found = samples(with_canary(verdict=CanaryVerdict.PASSING), "model_silent_failure")
    assert [value for _, value in found] == [0.0]


def test_wedged_models_are_told_of_every_model_on_the_page_with_its_namespace() -> None:
    keys = (ModelKey("a", "1"), ModelKey("b", "1", "team"))
    found = samples(SyntheticState({"triton": snapshot_of(keys)}), "model_wedged")
    assert [(of["model"], of.get("model_namespace"), value) for of, value in found] == [
        ("a", None, 0.0),
        ("b", "team", 1.0),
    ]
    assert samples(snapshot_with(slis=None), "model_wedged") == []


def test_a_model_that_looks_stuck_shows_for_how_long_before_it_is_called_wedged() -> None:
    keys = names(3)
    wedged = {keys[0]: Wedged(2, 30.0, 3.0), keys[1]: Wedged(4, 60.0, 3.0)}
    state = SyntheticState({"triton": dataclasses.replace(snapshot_of(keys), wedged=wedged)})
    assert [value for _, value in samples(state, "model_stuck_seconds")] == [30.0, 60.0, 0.0]
    assert [value for _, value in samples(state, "model_wedged")] == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("before", "heard", "silent"), [((), True, 0), ((True, True), False, 1), ((False, True), False, 2)]
)
def test_cycles_in_which_nothing_answered_as_triton_are_counted(
    before: tuple[bool, ...], heard: bool, silent: float
) -> None:
    found = snapshot_with(heard_before=before, live=heard or None, ready=None, server=None, slis=None)
    assert samples(found, "target_heard")[0][1] == heard
    assert samples(found, "target_silent_cycles")[0][1] == silent


def test_queues_and_requests_in_flight_are_told_against_what_the_model_takes() -> None:
    frame = dataclasses.replace(table_of(names(2)).frame, pending=np.array([16.0, np.nan]))
    values = np.full((len(Sli), 2), np.nan)
    values[list(Sli).index(Sli.IN_FLIGHT), 1] = 6.0
    state = table_with(frame=frame, values=values)
    assert [value for _, value in samples(state, "model_queue_depth_ratio")] == [2.0]
    assert [value for _, value in samples(state, "model_requests_in_flight_per_instance")] == [6.0]


def test_the_reason_of_a_failing_canary_shows_also_when_its_last_run_passed() -> None:
    (failing,) = canaries_of(names(1)).values()
    assert failing.last is not None
    passed = dataclasses.replace(failing.last, reason=CanaryReason.OK)
    found = samples(with_canary(last=passed), "canary_failing")
    assert [(of["reason"], value) for of, value in found] == [("not_finite", 1.0)]
    assert samples(with_canary(verdict=CanaryVerdict.PASSING), "canary_failing") == []


def test_events_of_windows_are_shown_against_those_needed_where_some_were_bad() -> None:
    state = full_state()
    table = state.budget_view.targets["triton"].tables[0]
    bad = table.sums.bad.copy()
    bad[0] = 0.0
    quiet = dataclasses.replace(table, sums=dataclasses.replace(table.sums, bad=bad))
    view = dataclasses.replace(state.budget_view, targets={"triton": TargetBudgets((quiet,))})
    found = samples(SyntheticState({}, budget_view=view), "slo_window_events_ratio")
    assert {of["window"] for of, _ in found} == {"30m", "1h", "2h", "6h", "1d", "3d", "30d"}
    assert found[0][1] == (table.sums.good[1, 0] + table.sums.bad[1, 0]) / table.min_events[0]


def test_alerts_are_shown_by_state_and_counted_with_zeros() -> None:
    state = SyntheticState({}, alert_view=alerts_of(1.7e9))
    shown = {(of["alertname"], of["alert_state"]) for of, _ in samples(state, "alert_state")}
    assert shown == {
        ("TritonCanaryFailing", "firing"),
        ("TritonErrorBudgetBurn", "firing"),
        ("TritonNotReady", "pending"),
    }
    counts = {(of["severity"], of["alert_state"]): value for of, value in samples(state, "alerts")}
    assert counts == {
        ("page", "firing"): 1,
        ("page", "pending"): 1,
        ("ticket", "firing"): 1,
        ("ticket", "pending"): 0,
        ("info", "firing"): 0,
        ("info", "pending"): 0,
    }


def test_severities_that_were_given_one_name_are_counted_together() -> None:
    one_name = AlertSettings(severities={AlertSeverity.PAGE: "critical", AlertSeverity.TICKET: "critical"})
    state = SyntheticState({}, alert_view=alerts_of(1.7e9, one_name))
    counts = {(of["severity"], of["alert_state"]): value for of, value in samples(state, "alerts")}
    assert counts == {
        ("critical", "firing"): 2,
        ("critical", "pending"): 1,
        ("info", "firing"): 0,
        ("info", "pending"): 0,
    }


def test_an_alertmanager_that_was_not_told_yet_is_neither_up_nor_down() -> None:
    state = SyntheticState({}, alert_view=alerts_of(1.7e9))
    up = {of["alertmanager"]: value for of, value in samples(state, "alertmanager_up")}
    assert up == {"http://one:9093": 1, "http://two:9093": 0}
    waiting = {of["alertmanager"]: value for of, value in samples(state, "alertmanager_waiting")}
    assert waiting == {"http://one:9093": 0, "http://two:9093": 2, "http://three:9093": 0}


def test_findings_are_counted_by_rule_and_the_server_is_a_model_without_a_name() -> None:
    server = Finding("TW801", "no-health", Severity.WARNING, Confidence.HIGH, "none", red_line=True)
    view = dataclasses.replace(every_alert(), findings={"a": (server,), **every_alert().findings})
    found = samples(SyntheticState({}, alert_view=view), "config_findings")
    assert [(of["target"], of["model"], of["rule"], of["red_line"], value) for of, value in found] == [
        ("a", "", "TW801", "true", 1.0),
        ("triton", "ranker", "TW703", "false", 2.0),
    ]


@pytest.mark.parametrize(("verdict", "shown"), [("serving", [1.0]), ("not_serving", [0.0]), ("unknown", [])])
def test_whether_a_target_serves_is_shown_where_it_is_known(verdict: str, shown: list[float]) -> None:
    state = SyntheticState({}, verdicts={"triton": ServingVerdict(Serving(verdict))})
    assert [value for _, value in samples(state, "target_serving")] == shown


# What a scrape costs


def test_a_compressed_scrape_of_1000_models_holds_little_memory() -> None:
    """The daemon may take 85 MB with 1000 models: a scrape of a page over 2 MB adds less than 2.5 to it."""
    exporter = Exporter(state_of(names(1000)))
    exporter.page(accept_encoding="gzip")
    gc.collect()  # when the next collection comes must not decide
    tracemalloc.start()
    page = exporter.page(accept_encoding="gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(zlib.decompress(page.body, wbits=31)) > 2_000_000
    assert peak < 2_500_000


def test_a_scrape_reads_the_latest_snapshot_each_time() -> None:
    """Nothing of an earlier scrape is kept: a swapped-in snapshot shows at once, a removed target is gone."""
    state = state_of(names(1))
    exporter = Exporter(state)
    assert b"model_00000" in exporter.page().body
    state.polled = {}
    state.counts = {}
    state.canary_states = {}
    assert b"model_00000" not in exporter.page().body
