"""Every name that the generated Prometheus rules record: what it means, its labels and unit. Docs are made from this.

`RECORDED` is the one list. Names follow https://prometheus.io/docs/practices/rules/: level, metric and operations,
the newest operation first, with the range where the value is of one. Each series keeps the selectors of the rules too.
A name with `{window}` stands for one series for each window. `slo_instance_model…` is a model version of a server; not
to be taken for `slo_model…` of `recorded_slo`, a model over all its servers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Final

_MODEL: Final = ("job", "instance", "model", "version")
_GPU: Final = ("job", "instance", "gpu_uuid")
_CONFIG: Final = ("job", "model")
_SLO: Final = ("slo", *_MODEL)

OF_MODELS: Final = "Models, from Triton's own metrics"
OF_CONFIGS: Final = "Models' configuration, asked of a live server when the rules were generated"
OF_GPUS: Final = "GPUs, from Triton's own metrics"
OF_SLOS: Final = "Objectives of models on a server, from Triton's own metrics"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded series. `unit` is the unit of its value, `notes` say when it is absent and what to mind."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    group: str
    unit: str
    notes: str = ""

    def over(self, window: str) -> Recorded:
        """The same with a window, such as 1h, in place of the `{window}` of its name."""
        return replace(self, name=self.name.format(window=window))


_of_model = partial(Recorded, labels=_MODEL, group=OF_MODELS)
_of_config = partial(Recorded, labels=_CONFIG, group=OF_CONFIGS)
_of_gpu = partial(Recorded, labels=_GPU, group=OF_GPUS)
_of_slo = partial(Recorded, group=OF_SLOS)

RECORDED: Final[tuple[Recorded, ...]] = (
    REQUESTS := _of_model(
        "model:triton_requests:rate5m",
        "Requests that ended, but for those that clients canceled.",
        unit="requests per second",
    ),
    FAILURES := _of_model(
        "model:triton_request_failures:rate5m",
        "Requests that Triton counts as failed, but for those that clients canceled.",
        unit="requests per second",
    ),
    ERROR_RATIO := _of_model(
        "model:triton_request_failures:ratio5m",
        "Share of the requests that failed by Triton's own count.",
        unit="ratio",
        notes="Absent without traffic.",
    ),
    REQUEST_TIME := _of_model(
        "model:triton_request_time_seconds:mean5m",
        "Mean time of a successful request inside the server.",
        unit="seconds",
        notes="Absent without a success.",
    ),
    QUEUE_TIME := _of_model(
        "model:triton_queue_time_seconds:mean5m",
        "Mean time that a successful request waited in the queue.",
        unit="seconds",
        notes="Absent without a success. Of an ensemble it says nothing, and is absent where a live server was asked.",
    ),
    COMPUTE_INPUT_TIME := _of_model(
        "model:triton_compute_input_time_seconds:mean5m",
        "Mean time that a request took to bring its inputs to the model.",
        unit="seconds",
        notes="Answers of the response cache are left out.",
    ),
    COMPUTE_INFER_TIME := _of_model(
        "model:triton_compute_infer_time_seconds:mean5m",
        "Mean time that a request was computed by the model.",
        unit="seconds",
        notes="Answers of the response cache are left out.",
    ),
    COMPUTE_OUTPUT_TIME := _of_model(
        "model:triton_compute_output_time_seconds:mean5m",
        "Mean time that a request took to bring its outputs from the model.",
        unit="seconds",
        notes="Answers of the response cache are left out.",
    ),
    AVERAGE_BATCH := _of_model(
        "model:triton_batch_size:mean5m",
        "Mean number of inferences in one execution.",
        unit="inferences",
        notes="Absent where nothing was computed.",
    ),
    IN_FLIGHT := _of_model(
        "model:triton_requests_in_flight:mean5m",
        "Mean number of requests inside the server at a time, by Little's law.",
        unit="requests",
        notes="Too low while a model is younger than 5 minutes, as any rate over 5 minutes.",
    ),
    CACHE_HIT_RATIO := _of_model(
        "model:triton_cache_hits:ratio5m",
        "Share of the look-ups that the response cache answered.",
        unit="ratio",
        notes="Only for models with a response cache, and absent without look-ups.",
    ),
    QUEUE_DEPTH := _of_model(
        "model:triton_queue_depth:ratio",
        "Requests that wait, divided by what the model takes at once, at least five.",
        unit="ratio",
        notes="What it takes at once is instances x max_batch_size where a live server said them, else the mean number "
        "of requests that it computed at a time over 5 minutes.",
    ),
    BATCH_FILL := _of_model(
        "model:triton_batch_fill:ratio5m",
        "Average batch, divided by max_batch_size.",
        unit="ratio",
        notes="Only for models of a live server whose max_batch_size is above 1.",
    ),
    BATCH_EFFICIENCY := _of_model(
        "model:triton_batch_efficiency:ratio5m",
        "Average batch, divided by the batch that the traffic could have filled.",
        unit="ratio",
        notes="Only for models of a live server whose max_batch_size is above 1, and of a model after 5 minutes.",
    ),
    MAX_BATCH_SIZE := _of_config(
        "model:triton_max_batch_size:config",
        "Largest batch that the model takes; 0 means that it does not batch.",
        unit="inferences",
        notes="A constant of the rule file: generate it again when a model's configuration changes.",
    ),
    INSTANCES := _of_config(
        "model:triton_instances:config",
        "Instances of the model over all its groups and GPUs.",
        unit="instances",
        notes="A constant of the rule file: generate it again when a model's configuration changes.",
    ),
    GPU_UTILIZATION := _of_gpu(
        "gpu:triton_gpu_utilization:ratio", "Share of the time for which the GPU was busy.", unit="ratio"
    ),
    GPU_MEMORY_USED := _of_gpu(
        "gpu:triton_gpu_memory_used:ratio", "Share of the GPU's memory that is in use, by any process.", unit="ratio"
    ),
    GPU_POWER := _of_gpu("gpu:triton_gpu_power_watts:max", "Power that the GPU draws.", unit="watts"),
    SLO_EVENTS := _of_slo(
        "slo_instance_model_result:triton_slo_events:rate{window}",
        "Good and bad events of the objective.",
        (*_SLO, "result"),
        unit="events per second",
        notes="Requests, or seconds with traffic for batch_efficiency. Both results are always there together. The "
        "window is 1m, or the interval of the rules where that is longer.",
    ),
    SLO_EVENTS_AVERAGED := _of_slo(
        "slo_instance_model_result:triton_slo_events:avg_rate{window}",
        "The same, averaged over the interval of the slow group: what long windows are added up from.",
        (*_SLO, "result"),
        unit="events per second",
    ),
    SLO_WINDOW_EVENTS := _of_slo(
        "slo_instance_model_result:triton_slo_events:increase{window}",
        "Good and bad events in the window.",
        (*_SLO, "result"),
        unit="events",
        notes="Added up from the rates. Add them up over servers, and divide last.",
    ),
    SLO_ERROR_RATIO := _of_slo(
        "slo_instance_model:triton_slo_error_ratio:{window}",
        "Share of the window's events that were bad.",
        _SLO,
        unit="ratio",
        notes="Absent for a window without events. Do not average it.",
    ),
    SLO_BURN_RATE := _of_slo(
        "slo_instance_model:triton_slo_burn_rate:{window}",
        "How many times faster than allowed the budget was spent in the window.",
        _SLO,
        unit="times",
        notes="Absent for a window without events. Do not average it.",
    ),
    SLO_BUDGET := _of_slo(
        "slo_instance_model:triton_slo_budget_remaining:ratio",
        "Share of the error budget of the period that is left.",
        _SLO,
        unit="ratio",
        notes="Negative when more was spent than there was. Absent without events. Do not average it.",
    ),
)
"""In the order in which they are recorded."""
