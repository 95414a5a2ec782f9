"""Every name that leaves the process as a metric: its type, HELP, labels and unit. Docs are made from this.

`METRICS` is the one list: to add a metric, add an entry there and a builder in `daemon.families`.
Names follow https://prometheus.io/docs/practices/naming/: one prefix, base units, the unit last.
Triton's own series (`nv_*`) are never exported again: Prometheus scrapes them from Triton itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "triton_watch_"

MetricType: TypeAlias = Literal["gauge", "counter", "info"]

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "target": "Name of the target in the configuration; one target is one Triton server.",
        "model": "Name of the model, as Triton serves it.",
        "version": "Version of the model, empty where the server named none; on build_info, of the agent.",
        "model_namespace": "Namespace of the model; only on servers that run with --model-namespacing.",
        "state": "State of the model version: Triton's own, or NOT_LOADED, UNLOADED, MISSING.",
        "probe": "Name of the probe.",
        "outcome": "How the probe ended: ok, or the one name of its way to fail.",
        "sli": "Name of the service level indicator.",
        "gpu_uuid": "UUID of the GPU, as NVIDIA's tools print it.",
        "server": "Name that the server gives itself.",
        "server_version": "Version of the server.",
        "backend": "Backend that runs the model.",
        "platform": "Platform in the model's configuration; empty for most backends.",
        "max_batch_size": "Largest batch that the model takes; 0 means that it does not batch.",
        "instances": "Instances of the model over all its groups and GPUs.",
        "dynamic_batching": "Whether the dynamic batcher is on: true or false.",
        "ensemble": "Whether the model is an ensemble: true or false.",
    }
)
"""Every label that may stand on an exported series."""

AGENT = "The agent itself"
TARGETS = "Targets"
PROBES = "Probes"
MODELS = "Models"
SLIS = "Service level indicators of models"
GPUS = "GPUs"

_TARGET = ("target",)
_MODEL = ("target", "model", "version")


@dataclass(frozen=True, slots=True)
class Metric:
    """One exported metric.

    `name` is the name of its series (counters end in `_total`, infos in `_info`); `unit` is the base
    unit that ends the name, empty where the value is a count, a rate or a truth value. `notes` says
    when it is absent and what to mind. Model metrics carry `model_namespace` where there is one.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...]
    group: str
    unit: str = ""
    notes: str = ""


METRICS: tuple[Metric, ...] = (
    BUILD_INFO := Metric(
        "triton_watch_build_info", "info", "Version of the agent; the value is always 1.", ("version",), AGENT
    ),
    CONFIG_LAST_RELOAD_SUCCESS := Metric(
        "triton_watch_config_last_reload_success",
        "gauge",
        "Whether the last attempt to load the configuration succeeded: 1 or 0.",
        (),
        AGENT,
        notes="At 0 the agent goes on with the configuration that it had.",
    ),
    CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP := Metric(
        "triton_watch_config_last_reload_success_timestamp_seconds",
        "gauge",
        "Unix time of the last load of the configuration that succeeded.",
        (),
        AGENT,
        "seconds",
    ),
    TARGET_UP := Metric(
        "triton_watch_target_up",
        "gauge",
        "Whether the v2 HTTP endpoint answered as Triton in the last cycle: 1 or 0.",
        _TARGET,
        TARGETS,
        notes="An answer that says not live or not ready is an answer: see the two metrics below.",
    ),
    TARGET_LIVE := Metric(
        "triton_watch_target_live",
        "gauge",
        "Whether the server says that it is live: 1 or 0.",
        _TARGET,
        TARGETS,
        notes="Absent while unknown.",
    ),
    TARGET_READY := Metric(
        "triton_watch_target_ready",
        "gauge",
        "Whether the server says that it is ready: 1 or 0.",
        _TARGET,
        TARGETS,
        notes="Absent while unknown. A ready server may still answer every request with an error.",
    ),
    TARGET_INFO := Metric(
        "triton_watch_target_info",
        "info",
        "Name and version of the server; the value is always 1.",
        ("target", "server", "server_version"),
        TARGETS,
        notes="Absent until the server has told its metadata.",
    ),
    CYCLES := Metric("triton_watch_cycles_total", "counter", "Poll cycles of the target that ended.", _TARGET, TARGETS),
    CYCLES_SKIPPED := Metric(
        "triton_watch_cycles_skipped_total",
        "counter",
        "Poll cycles of the target that did not start because the one before was still running.",
        _TARGET,
        TARGETS,
    ),
    LAST_CYCLE_DURATION := Metric(
        "triton_watch_last_cycle_duration_seconds",
        "gauge",
        "Wall time of the last poll cycle of the target.",
        _TARGET,
        TARGETS,
        "seconds",
    ),
    LAST_CYCLE_TIMESTAMP := Metric(
        "triton_watch_last_cycle_timestamp_seconds",
        "gauge",
        "Unix time at which the last poll cycle of the target ended.",
        _TARGET,
        TARGETS,
        "seconds",
    ),
    METRICS_PAGE_BYTES := Metric(
        "triton_watch_metrics_page_bytes",
        "gauge",
        "Size of the metrics page that the target served in the last cycle.",
        _TARGET,
        TARGETS,
        "bytes",
        notes="Absent when the cycle got no usable page.",
    ),
    COUNTERS_FROZEN := Metric(
        "triton_watch_counters_frozen",
        "gauge",
        "Whether the server's counters stand still because of counter_latencies=false: 1 or 0.",
        _TARGET,
        TARGETS,
        notes="At 1 most indicators below are absent. Absent when the cycle got no usable page.",
    ),
    SLI_INTERVAL := Metric(
        "triton_watch_sli_interval_seconds",
        "gauge",
        "Time between the two scrapes of the target that the indicators are formed from.",
        _TARGET,
        TARGETS,
        "seconds",
        notes="Absent when the cycle got no usable page.",
    ),
    SLI_MODELS_WITH_DATA := Metric(
        "triton_watch_sli_models_with_data",
        "gauge",
        "Models of the target for which the indicator has a value.",
        ("target", "sli"),
        TARGETS,
        notes="Alert on its fall: an objective whose indicator vanished is not a kept objective.",
    ),
    PROBE_SUCCESS := Metric(
        "triton_watch_probe_success",
        "gauge",
        "Whether the probe got the good answer in the last cycle: 1 or 0.",
        ("target", "probe"),
        PROBES,
        notes="Absent when the cycle had no time left to try it; the outcome is then not_tried.",
    ),
    PROBE_DURATION := Metric(
        "triton_watch_probe_duration_seconds",
        "gauge",
        "Wall time of the probe in the last cycle.",
        ("target", "probe"),
        PROBES,
        "seconds",
        notes="Absent when the cycle had no time left to try it.",
    ),
    PROBE_OUTCOME := Metric(
        "triton_watch_probe_outcome",
        "gauge",
        "Outcome of the probe in the last cycle: 1 for the outcome that it had.",
        ("target", "probe", "outcome"),
        PROBES,
        notes="Other outcomes are absent.",
    ),
    PROBE_FAILURES := Metric(
        "triton_watch_probe_failures_total",
        "counter",
        "Probe results that were not ok, by outcome.",
        ("target", "probe", "outcome"),
        PROBES,
        notes="A series appears with the first failure of its kind.",
    ),
    MODEL_STATE := Metric(
        "triton_watch_model_state",
        "gauge",
        "State of the model version in the repository index: 1 for the state that it has.",
        (*_MODEL, "state"),
        MODELS,
        notes="Other states are absent; so are all when the last cycle could not read the repository index.",
    ),
    MODEL_READY := Metric(
        "triton_watch_model_ready",
        "gauge",
        "Whether the repository index says that the model version is ready: 1 or 0.",
        _MODEL,
        MODELS,
        notes="Absent when the last cycle could not read the repository index.",
    ),
    MODEL_EXPECTED_MISSING := Metric(
        "triton_watch_model_expected_missing",
        "gauge",
        "Whether a model that the configuration expects is missing from the repository index: 1 or 0.",
        ("target", "model"),
        MODELS,
        notes="One series for each expected model; absent when the last cycle could not read the index.",
    ),
    MODEL_INFO := Metric(
        "triton_watch_model_info",
        "info",
        "Facts of the model's completed configuration; the value is always 1.",
        (*_MODEL, "backend", "platform", "max_batch_size", "instances", "dynamic_batching", "ensemble"),
        MODELS,
        notes="Absent while the configuration could not be read.",
    ),
    MODEL_REQUEST_RATE := Metric(
        "triton_watch_model_requests_per_second",
        "gauge",
        "Inference requests that the model completed, good and failed, per second.",
        _MODEL,
        SLIS,
    ),
    MODEL_FAILURE_RATE := Metric(
        "triton_watch_model_failures_per_second",
        "gauge",
        "Inference requests that the server counted as failed, per second.",
        _MODEL,
        SLIS,
    ),
    MODEL_AVAILABILITY := Metric(
        "triton_watch_model_availability_ratio",
        "gauge",
        "Share of good requests among good and bad ones, as the server counts them.",
        _MODEL,
        SLIS,
        "ratio",
        notes="Requests that the client canceled are neither. Do not average it over targets or time.",
    ),
    MODEL_QUEUE_TIME := Metric(
        "triton_watch_model_queue_time_seconds",
        "gauge",
        "Mean time that a request waited in the queue of the model.",
        _MODEL,
        SLIS,
        "seconds",
        notes="Ensembles have no queue of their own: absent.",
    ),
    MODEL_REQUEST_TIME := Metric(
        "triton_watch_model_request_time_seconds",
        "gauge",
        "Mean time of a request in the server, queue and compute included.",
        _MODEL,
        SLIS,
        "seconds",
    ),
    MODEL_COMPUTE_INPUT_TIME := Metric(
        "triton_watch_model_compute_input_time_seconds",
        "gauge",
        "Mean time of a request spent on preparing inputs.",
        _MODEL,
        SLIS,
        "seconds",
    ),
    MODEL_COMPUTE_INFER_TIME := Metric(
        "triton_watch_model_compute_infer_time_seconds",
        "gauge",
        "Mean time of a request spent in the model itself.",
        _MODEL,
        SLIS,
        "seconds",
    ),
    MODEL_COMPUTE_OUTPUT_TIME := Metric(
        "triton_watch_model_compute_output_time_seconds",
        "gauge",
        "Mean time of a request spent on extracting outputs.",
        _MODEL,
        SLIS,
        "seconds",
    ),
    MODEL_IN_FLIGHT := Metric(
        "triton_watch_model_requests_in_flight",
        "gauge",
        "Mean number of requests inside the server at a time, by Little's law.",
        _MODEL,
        SLIS,
    ),
    MODEL_BATCH_SIZE := Metric(
        "triton_watch_model_batch_size_average",
        "gauge",
        "Mean number of inferences in one execution of the model.",
        _MODEL,
        SLIS,
    ),
    MODEL_BATCH_FILL := Metric(
        "triton_watch_model_batch_fill_ratio",
        "gauge",
        "Average batch divided by max_batch_size.",
        _MODEL,
        SLIS,
        "ratio",
        notes="Only where max_batch_size is over 1.",
    ),
    MODEL_BATCH_EFFICIENCY := Metric(
        "triton_watch_model_batch_efficiency_ratio",
        "gauge",
        "Average batch divided by the batch that the traffic in flight could have filled.",
        _MODEL,
        SLIS,
        "ratio",
        notes="Only where max_batch_size is over 1. Low: requests that could share a batch do not.",
    ),
    MODEL_CACHE_HIT := Metric(
        "triton_watch_model_cache_hit_ratio",
        "gauge",
        "Share of look-ups that the response cache of the model answered.",
        _MODEL,
        SLIS,
        "ratio",
        notes="Only for models with a response cache.",
    ),
    MODEL_GPU_UTILIZATION := Metric(
        "triton_watch_model_gpu_utilization_estimate_ratio",
        "gauge",
        "Estimated share of its GPUs that the model keeps busy.",
        _MODEL,
        SLIS,
        "ratio",
        notes="Utilization of a GPU times the model's share of compute time on it, averaged over its GPUs.",
    ),
    MODEL_ENERGY := Metric(
        "triton_watch_model_energy_per_inference_estimate_joules",
        "gauge",
        "Estimated energy that the GPUs used for one inference of the model.",
        _MODEL,
        SLIS,
        "joules",
        notes="Energy of each GPU in the interval, divided by the same shares.",
    ),
    GPU_MODEL_SHARE := Metric(
        "triton_watch_gpu_model_share_ratio",
        "gauge",
        "Estimated share of the model in the compute time on the GPU.",
        ("target", "gpu_uuid", "model", "version"),
        GPUS,
        "ratio",
        notes="Absent where nobody can tell, and for models that do not run on the GPU.",
    ),
    GPU_MEMORY_USED := Metric(
        "triton_watch_gpu_memory_used_ratio",
        "gauge",
        "Share of the GPU's memory that is in use, by any process.",
        ("target", "gpu_uuid"),
        GPUS,
        "ratio",
    ),
)
"""All exported metrics, in the order of the page and of docs/metrics.md."""
