"""From the text of a metrics page to a `MetricsFrame`: which series means what, decided once a layout.

A layout's series are mapped to slots of one flat vector; a page then costs one scatter of its values.
Names and labels: TRITON.md §1, confirmed against pages of real servers (shared captures, integration tests).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import (
    FAILURE_REASONS,
    Counter,
    FloatArray,
    Gpu,
    HistogramFrame,
    MetricsFrame,
    ModelIndex,
    ModelKey,
)
from triton_watch.triton.exposition import Layout, PageReader, Series

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

COUNTER_FAMILIES: Mapping[str, Counter] = MappingProxyType(
    {
        "nv_inference_request_success": Counter.SUCCESS,
        "nv_inference_count": Counter.INFERENCES,
        "nv_inference_exec_count": Counter.EXECUTIONS,
        "nv_inference_request_duration_us": Counter.REQUEST_US,
        "nv_inference_queue_duration_us": Counter.QUEUE_US,
        "nv_inference_compute_input_duration_us": Counter.COMPUTE_INPUT_US,
        "nv_inference_compute_infer_duration_us": Counter.COMPUTE_INFER_US,
        "nv_inference_compute_output_duration_us": Counter.COMPUTE_OUTPUT_US,
        "nv_cache_num_hits_per_model": Counter.CACHE_HITS,
        "nv_cache_num_misses_per_model": Counter.CACHE_MISSES,
    }
)
FAILURES = "nv_inference_request_failure"
PENDING = "nv_inference_pending_request_count"
FIRST_RESPONSE = "nv_inference_first_response_histogram_ms"
SUMMARIES: Mapping[str, str] = MappingProxyType(
    {"nv_inference_request_summary_us": "request", "nv_inference_queue_summary_us": "queue"}
)
GPU_FAMILIES: Mapping[str, Gpu] = MappingProxyType(
    {
        "nv_gpu_utilization": Gpu.UTILIZATION,
        "nv_gpu_memory_used_bytes": Gpu.MEMORY_USED,
        "nv_gpu_memory_total_bytes": Gpu.MEMORY_TOTAL,
        "nv_gpu_power_usage": Gpu.POWER,
        "nv_gpu_power_limit": Gpu.POWER_LIMIT,
        "nv_energy_consumption": Gpu.ENERGY,
    }
)
SERVER_FAMILIES = frozenset(
    {
        "nv_pinned_memory_pool_total_bytes",
        "nv_pinned_memory_pool_used_bytes",
        "nv_cpu_utilization",
        "nv_cpu_memory_total_bytes",
        "nv_cpu_memory_used_bytes",
        "nv_cache_util",
        "nv_cache_num_entries",
        "nv_cache_num_hits",
        "nv_cache_num_misses",
        "nv_cache_num_lookups",
        "nv_cache_num_evictions",
    }
)
WANTED = frozenset({*COUNTER_FAMILIES, FAILURES, PENDING, FIRST_RESPONSE, *SUMMARIES, *GPU_FAMILIES, *SERVER_FAMILIES})


class NotTritonPageError(ValueError):
    """The page is a metrics page, but no family on it is Triton's."""


class MetricsReader:
    """Reads successive metrics pages of one server."""

    def __init__(self) -> None:
        self._reader = PageReader(WANTED.__contains__)
        self._layout: Layout | None = None
        self._plan: _Plan | None = None

    def read(self, body: bytes, at: float) -> MetricsFrame:
        """Return the page's frame; `at` is the monotonic time, in seconds, when the page had arrived.

        Raises:
            ExpositionError: the page is not in the text format.
            NotTritonPageError: the page is another exporter's.
        """
        page = self._reader.read(body)
        if self._plan is None or page.layout is not self._layout:
            if not any(family.startswith("nv_") for family in page.layout.families):
                raise NotTritonPageError("no metric on the page is Triton's (none begins with nv_)")
            self._plan = _Plan.of(page.layout, self._plan)
            self._layout = page.layout
        return self._plan.frame(page.values, at, len(body))


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Where each value of a layout goes.

    The flat vector holds a row per counter, pending, quantile and bucket over the n models, then a row per
    GPU field over the GPUs, then the server's gauges, then one slot for what nobody needs.
    """

    layout: Layout
    models: ModelIndex
    quantiles: tuple[tuple[str, str], ...]
    bounds: tuple[float, ...]
    gpus: tuple[str, ...]
    server: tuple[str, ...]
    slots: NDArray[np.intp]
    shared: bool
    """Whether several series fall on one slot (a model's series per GPU): they are added up."""

    @classmethod
    def of(cls, layout: Layout, previous: _Plan | None) -> _Plan:
        """Make the plan of a layout; keep the previous model index where the models are the same."""
        models = _models(layout.series)
        if previous is not None and _same_models(previous.models, models):
            models = previous.models
        quantiles = tuple(
            dict.fromkeys(
                (SUMMARIES[s.name], q) for s in layout.series if s.name in SUMMARIES and (q := s.label("quantile"))
            )
        )
        bounds = tuple(sorted({float(s.label("le")) for s in layout.series if s.name == f"{FIRST_RESPONSE}_bucket"}))
        gpus = tuple(dict.fromkeys(s.label("gpu_uuid") for s in layout.series if s.name in GPU_FAMILIES))
        server = tuple(dict.fromkeys(s.name for s in layout.series if s.name in SERVER_FAMILIES and not s.labels))
        places = _Places(models, quantiles, bounds, gpus, server)
        slots = np.array([places.slot(s) for s in layout.series], dtype=np.intp)
        real = slots[slots != places.nowhere]
        shared = len(np.unique(real)) != len(real)
        return cls(layout, models, quantiles, bounds, gpus, server, slots, shared)

    def frame(self, values: FloatArray, at: float, size: int) -> MetricsFrame:
        """Scatter one page's values."""
        n, g = len(self.models), len(self.gpus)
        rows = len(Counter) + 1 + len(self.quantiles) + len(self.bounds)
        flat = np.full(rows * n + len(Gpu) * g + len(self.server) + 1, np.nan)
        if self.shared:
            flat[self.slots] = 0.0
            np.add.at(flat, self.slots, values)
        else:
            flat[self.slots] = values
        table = flat[: rows * n].reshape(rows, n)
        first = len(Counter) + 1
        rest = flat[rows * n + len(Gpu) * g :]
        return MetricsFrame(
            at=at,
            models=self.models,
            counters=table[: len(Counter)],
            pending=table[len(Counter)],
            quantiles={name: table[first + i] for i, name in enumerate(self.quantiles)},
            gpus=self.gpus,
            gpu_values=flat[rows * n : rows * n + len(Gpu) * g].reshape(len(Gpu), g),
            server={name: float(rest[i]) for i, name in enumerate(self.server)},
            families=self.layout.families,
            first_response=HistogramFrame(self.bounds, table[first + len(self.quantiles) :]) if self.bounds else None,
            size=size,
        )


class _Places:
    """Series -> slot, while a plan is made."""

    def __init__(
        self,
        models: ModelIndex,
        quantiles: tuple[tuple[str, str], ...],
        bounds: tuple[float, ...],
        gpus: tuple[str, ...],
        server: tuple[str, ...],
    ) -> None:
        self._models = models
        first = len(Counter) + 1
        self._quantile_row = {name: first + i for i, name in enumerate(quantiles)}
        self._bucket_row = {bound: first + len(quantiles) + i for i, bound in enumerate(bounds)}
        self._gpu_row = {uuid: i for i, uuid in enumerate(gpus)}
        self._gpu_start = (first + len(quantiles) + len(bounds)) * len(models)
        server_start = self._gpu_start + len(Gpu) * len(gpus)
        self._server_slot = {name: server_start + i for i, name in enumerate(server)}
        self.nowhere = server_start + len(server)

    def slot(self, series: Series) -> int:
        name = series.name
        if name in GPU_FAMILIES:
            return self._gpu_start + GPU_FAMILIES[name] * len(self._gpu_row) + self._gpu_row[series.label("gpu_uuid")]
        if name in self._server_slot and not series.labels:
            return self._server_slot[name]
        row, key = self._row(series), _model_key(series)
        if row is None or key is None:
            return self.nowhere
        return row * len(self._models) + self._models.row[key]

    def _row(self, series: Series) -> int | None:
        name = series.name
        if name in COUNTER_FAMILIES:
            return COUNTER_FAMILIES[name]
        if name == FAILURES:
            return FAILURE_REASONS.get(series.label("reason"), Counter.FAIL_OTHER)
        if name == PENDING:
            return len(Counter)
        if name in SUMMARIES:
            return self._quantile_row.get((SUMMARIES[name], series.label("quantile")))
        if name == f"{FIRST_RESPONSE}_bucket":
            return self._bucket_row[float(series.label("le"))]
        return None


def _model_key(series: Series) -> ModelKey | None:
    name = series.label("model")
    return ModelKey(name, series.label("version"), series.label("namespace")) if name else None


def _models(series: tuple[Series, ...]) -> ModelIndex:
    uuids: dict[ModelKey, dict[str, None]] = {}
    for one in series:
        key = _model_key(one)
        if key is None:
            continue
        seen = uuids.setdefault(key, {})
        if uuid := one.label("gpu_uuid"):
            seen[uuid] = None
    keys = tuple(uuids)
    labelled = {key: tuple(seen) for key, seen in uuids.items() if seen}
    return ModelIndex(keys, {key: i for i, key in enumerate(keys)}, labelled)


def _same_models(one: ModelIndex, other: ModelIndex) -> bool:
    return one.keys == other.keys and one.gpu_uuids == other.gpu_uuids
