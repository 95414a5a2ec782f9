"""SLI values and what stands in their place when there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Sli(str, Enum):
    """The per-model SLIs. Ratios are 0..1; times are seconds."""

    REQUEST_RATE = "request_rate"
    FAILURE_RATE = "failure_rate"
    AVAILABILITY = "availability"
    QUEUE_TIME = "queue_time"
    REQUEST_TIME = "request_time"
    COMPUTE_INPUT_TIME = "compute_input_time"
    COMPUTE_INFER_TIME = "compute_infer_time"
    COMPUTE_OUTPUT_TIME = "compute_output_time"
    IN_FLIGHT = "in_flight"
    PENDING = "pending"
    AVERAGE_BATCH = "average_batch"
    BATCH_FILL = "batch_fill"
    BATCH_EFFICIENCY = "batch_efficiency"
    CACHE_HIT_RATIO = "cache_hit_ratio"
    GPU_UTILIZATION = "gpu_utilization"
    """An estimate: mean over the model's GPUs of utilization times its share of compute time there."""
    ENERGY_PER_INFERENCE = "energy_per_inference"
    """An estimate, joules, by the same shares."""


class NoDataReason(str, Enum):
    """Why an SLI has no value. The value is the text shown to a person."""

    FIRST_SCRAPE = "one scrape so far; two make an interval"
    NO_TRAFFIC = "no traffic"
    NO_SUCCESS = "no request was answered with success"
    NOT_SERVED = "the server does not serve this metric"
    COUNTERS_OFF = "the server runs with counter_latencies=false: its counters stand still"
    ENSEMBLE = "an ensemble has no queue, instances or batches of its own: see its members"
    NOT_BATCHING = "max_batch_size is at most 1"
    NO_CONFIG = "the model's configuration is not known"
    NO_CACHE = "the model has no response cache"
    NO_GPU = "no GPU metrics, or the model runs on none"
    GPU_UNMAPPED = "the server does not tell which GPU has which index: set gpus in the target's configuration"
    GONE = "the model is not on the metrics page"


@dataclass(frozen=True, slots=True)
class SliValue:
    """A measured value in the SLI's unit."""

    value: float


@dataclass(frozen=True, slots=True)
class NoData:
    """There is no value, and this is why. Never 0, never good."""

    reason: NoDataReason
