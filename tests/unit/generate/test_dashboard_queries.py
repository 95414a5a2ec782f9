"""What the boards ask Prometheus: metrics that exist, and sums that are true."""

from __future__ import annotations

import re

import pytest

from support.dashboards import DEFAULTS, Json, built, data_panels, expressions, queries_of_variables
from support.promql_text import calls, divisors, selectors
from triton_watch.config.units import format_duration
from triton_watch.conventions import METRICS

BOARDS = built()
_STEPS = ("request", "queue", "compute_input", "compute_infer", "compute_output")
TRITON_COUNTERS = {
    "nv_inference_request_success",
    "nv_inference_request_failure",
    "nv_inference_count",
    "nv_inference_exec_count",
    *(f"nv_inference_{step}_duration_us" for step in _STEPS),
    *(f"nv_cache_num_{kind}_per_model" for kind in ("hits", "misses")),
    *(f"nv_cache_{kind}_duration_per_model" for kind in ("hit", "miss")),
    "nv_energy_consumption",
    "vllm:prompt_tokens_total",
    "vllm:generation_tokens_total",
}
TRITON_GAUGES = {
    "nv_inference_pending_request_count",
    "nv_model_load_duration_secs",
    *(f"nv_cache_{name}" for name in ("util", "num_entries", "num_hits", "num_misses", "num_lookups", "num_evictions")),
    *(f"nv_cache_{name}_duration" for name in ("lookup", "insertion")),
    *(f"nv_pinned_memory_pool_{name}_bytes" for name in ("total", "used")),
    "nv_cpu_utilization",
    *(f"nv_cpu_memory_{name}_bytes" for name in ("total", "used")),
    "nv_gpu_utilization",
    *(f"nv_gpu_memory_{name}_bytes" for name in ("total", "used")),
    *(f"nv_gpu_power_{name}" for name in ("usage", "limit")),
    *(
        f"nv_trt_llm_{name}_metrics"
        for name in ("request", "runtime_memory", "kv_cache_block", "inflight_batcher", "general")
    ),
}
TRITON_SUMMARIES = {
    *(f"nv_inference_{step}_summary_us" for step in _STEPS),
    *(f"nv_cache_{kind}_summary_per_model" for kind in ("hit", "miss")),
}
TRITON_HISTOGRAMS = {
    "nv_inference_first_response_histogram_ms",
    *(f"nv_llm_{side}_token_len" for side in ("input", "output")),
    *(f"vllm:{name}_seconds" for name in ("time_to_first_token", "time_per_output_token", "e2e_request_latency")),
    *(f"vllm:request_{name}" for name in ("prompt_tokens", "generation_tokens", "params_n")),
}
DCGM_EXPORTER = {
    *(f"DCGM_FI_DEV_{name}" for name in ("GPU_UTIL", "FB_USED", "FB_FREE", "POWER_USAGE", "GPU_TEMP", "XID_ERRORS")),
    *(f"DCGM_FI_PROF_{name}" for name in ("GR_ENGINE_ACTIVE", "PIPE_TENSOR_ACTIVE")),
}
PROCESS = {"process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds", "process_max_fds"}
PROCESS_COUNTERS = {"process_cpu_seconds_total", "python_gc_collections_total"}
OF_SCRAPE = {"job", "instance", "le", "model_namespace"}


def _of_histograms(names: set[str]) -> set[str]:
    return {f"{name}_{part}" for name in names for part in ("bucket", "sum", "count")}


OURS = {one.name: one for one in METRICS}
OUR_HISTOGRAMS = {one.name for one in METRICS if one.type == "histogram"}
COUNTERS = (
    {one.name for one in METRICS if one.type == "counter"}
    | _of_histograms(OUR_HISTOGRAMS | TRITON_HISTOGRAMS)
    | {f"{name}_{part}" for name in TRITON_SUMMARIES for part in ("sum", "count")}
    | TRITON_COUNTERS
    | PROCESS_COUNTERS
    | {"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL"}
)
KNOWN = (
    (set(OURS) - OUR_HISTOGRAMS)
    | COUNTERS
    | TRITON_GAUGES
    | TRITON_SUMMARIES
    | DCGM_EXPORTER
    | PROCESS
    | {"python_info", "up", "ALERTS"}
)
ASKS_WHETHER = {"count", "group", "absent", "present_over_time"}
"""Functions that say whether a series is there, whatever its value."""
PERIODS = {format_duration(one.period) for one in DEFAULTS.slo.objectives}

each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS.keys())


@each_board
def test_every_metric_that_is_asked_for_exists(board: Json) -> None:
    asked = [*expressions(board), *queries_of_variables(board)]
    unknown = {(one.place, each.metric) for one in asked for each in selectors(one.text) if each.metric not in KNOWN}
    assert not unknown


@each_board
def test_the_agents_metrics_are_asked_for_by_labels_that_they_have(board: Json) -> None:
    for one in (*expressions(board), *queries_of_variables(board)):
        for each in selectors(one.text):
            metric = OURS.get(re.sub("_(bucket|sum|count)$", "", each.metric), OURS.get(each.metric))
            if metric is not None:
                assert each.labels <= {*metric.labels, *OF_SCRAPE}, (one.place, each)


@each_board
def test_rates_are_over_grafanas_interval_and_totals_over_what_is_shown_or_a_period(board: Json) -> None:
    for one in expressions(board):
        for each in selectors(one.text):
            if each.function in ("rate", "irate", "increase", "delta", "deriv"):
                allowed = {"rate": {"$__rate_interval"}, "increase": {"$__rate_interval", "$__range", *PERIODS}}
                assert each.span in allowed[each.function], (one.place, each)


@each_board
def test_a_counter_is_never_drawn_as_it_is(board: Json) -> None:
    raw = {
        (one.place, each.metric)
        for one in expressions(board)
        for each in selectors(one.text)
        if each.metric in COUNTERS and each.function not in {"rate", "increase", *ASKS_WHETHER}
    }
    assert not raw


@each_board
def test_nothing_is_divided_by_what_may_be_0_or_is_padded(board: Json) -> None:
    for one in expressions(board):
        assert "clamp_min" not in one.text, one.place
        for divisor in divisors(one.text):
            is_guarded = re.fullmatch(r"[\d.]+(e\d+)?", divisor) or "> 0" in divisor
            assert is_guarded, (one.place, divisor)
            assert not re.search(r"\(\s*[\d.]+\s*\+|\+\s*[\d.]+\s*\)", divisor), (one.place, divisor)


@each_board
def test_no_ratio_quantile_or_gauge_is_averaged(board: Json) -> None:
    """A mean of rates over servers is one; of ratios it is none, for the servers have different traffic."""
    for one in expressions(board):
        assert not calls(one.text, "avg_over_time", "quantile_over_time", "quantile"), one.place
        for averaged in calls(one.text, "avg"):
            assert "rate(" in averaged, (one.place, averaged)
            assert "/" not in averaged, (one.place, averaged)


@each_board
def test_summaries_are_never_added_up(board: Json) -> None:
    for one in expressions(board):
        for each in selectors(one.text):
            assert each.metric not in TRITON_SUMMARIES or each.function not in ("sum", "rate", "increase"), one.place


@each_board
def test_a_legend_names_labels_that_the_query_has(board: Json) -> None:
    for panel in data_panels(board):
        for target in panel["targets"]:
            for label in re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]):
                assert re.search(rf"\b{label}\b", target["expr"]) or label == "le", (panel["title"], label)


@each_board
def test_tables_and_bars_show_the_present_and_lines_the_course(board: Json) -> None:
    for panel in data_panels(board):
        instants = {one["instant"] for one in panel["targets"]}
        if panel["type"] in ("table", "bargauge"):
            assert instants == {True}, panel["title"]
        elif panel["type"] in ("timeseries", "state-timeline", "heatmap"):
            assert instants == {False}, panel["title"]
