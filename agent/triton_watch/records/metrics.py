"""One metrics page, read: per-model counters as a matrix, so that SLIs are vector arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records.model import ModelKey

FloatArray: TypeAlias = NDArray[np.float64]


class Counter(IntEnum):
    """Rows of `MetricsFrame.counters`. Durations are microseconds, as Triton serves them."""

    SUCCESS = 0
    FAIL_REJECTED = 1
    FAIL_CANCELED = 2
    FAIL_BACKEND = 3
    FAIL_OTHER = 4
    FAIL_UNLABELLED = 5
    """Servers before 24.07 give no reason."""
    INFERENCES = 6
    EXECUTIONS = 7
    REQUEST_US = 8
    QUEUE_US = 9
    COMPUTE_INPUT_US = 10
    COMPUTE_INFER_US = 11
    COMPUTE_OUTPUT_US = 12
    CACHE_HITS = 13
    CACHE_MISSES = 14


FAILURE_REASONS: Mapping[str, Counter] = MappingProxyType(
    {
        "REJECTED": Counter.FAIL_REJECTED,
        "CANCELED": Counter.FAIL_CANCELED,
        "BACKEND": Counter.FAIL_BACKEND,
        "OTHER": Counter.FAIL_OTHER,
        "": Counter.FAIL_UNLABELLED,
    }
)


class Gpu(IntEnum):
    """Rows of `MetricsFrame.gpu_values`: ratio, bytes, bytes, watts, watts, joules (a counter)."""

    UTILIZATION = 0
    MEMORY_USED = 1
    MEMORY_TOTAL = 2
    POWER = 3
    POWER_LIMIT = 4
    ENERGY = 5


@dataclass(frozen=True, slots=True, eq=False)
class ModelIndex:
    """The models of a page in page order. One object serves many pages: same object, same order."""

    keys: tuple[ModelKey, ...]
    row: Mapping[ModelKey, int]
    gpu_uuids: Mapping[ModelKey, tuple[str, ...]] = field(default_factory=dict)
    """GPU UUIDs found as a label on a model's own series; most servers put none there."""

    def __len__(self) -> int:
        """How many models."""
        return len(self.keys)


@dataclass(frozen=True, slots=True, eq=False)
class HistogramFrame:
    """Cumulative buckets of one histogram family: `counts[i, m]` observations <= `bounds[i]` of model m."""

    bounds: tuple[float, ...]
    counts: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class MetricsFrame:
    """One metrics page as vectors over its models.

    Shapes: n models, g GPUs. NaN means "the page had no such series". `at` is seconds on a monotonic
    clock, when the page had arrived.
    """

    at: float
    models: ModelIndex
    counters: FloatArray
    """(len(Counter), n)"""
    pending: FloatArray
    """(n,) requests that await execution."""
    quantiles: Mapping[tuple[str, str], FloatArray]
    """("request" | "queue", quantile as written, such as "0.99") -> (n,) microseconds, as served."""
    gpus: tuple[str, ...]
    gpu_values: FloatArray
    """(len(Gpu), g)"""
    server: Mapping[str, float]
    """Series without labels, by metric name: pinned memory, CPU, cache."""
    families: frozenset[str]
    """Names of all families on the page, known to us or not."""
    first_response: HistogramFrame | None = None
    """nv_inference_first_response_histogram_ms, milliseconds; servers from 24.11 with histogram_latencies."""
    size: int = 0
    """Bytes of the page."""
