"""The statistics extension, read: what the metrics page has, by batch size and in nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.records import ModelKey
from triton_watch.triton.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Mapping

_DURATIONS = (
    "success",
    "fail",
    "queue",
    "compute_input",
    "compute_infer",
    "compute_output",
    "cache_hit",
    "cache_miss",
)


@dataclass(frozen=True, slots=True)
class Duration:
    """How often, and the nanoseconds of all those times together."""

    count: int
    nanoseconds: int


@dataclass(frozen=True, slots=True)
class BatchStatistics:
    """Executions with one batch size: each duration counts executions, not requests."""

    batch_size: int
    compute_input: Duration
    compute_infer: Duration
    compute_output: Duration


@dataclass(frozen=True, slots=True)
class ModelStatistics:
    """Statistics of one model version since it was loaded.

    `last_inference` is Unix milliseconds, 0 for never. `durations` has Triton's names: success,
    fail, queue, compute_input, compute_infer, compute_output, cache_hit, cache_miss.
    """

    key: ModelKey
    last_inference: int
    inference_count: int
    execution_count: int
    durations: Mapping[str, Duration]
    batches: tuple[BatchStatistics, ...]


def from_json(value: object, url: str = "") -> tuple[ModelStatistics, ...]:
    """GET /v2/models[/M]/stats. Raises GarbageError, which names the field."""
    return tuple(_model(model) for model in Fields(value, "", url).children("model_stats"))


def _model(model: Fields) -> ModelStatistics:
    durations = model.child("inference_stats")
    return ModelStatistics(
        key=ModelKey(model.text("name"), model.text("version")),
        last_inference=model.number("last_inference", 0),
        inference_count=model.number("inference_count", 0),
        execution_count=model.number("execution_count", 0),
        durations=MappingProxyType({name: _duration(durations, name) for name in _DURATIONS}),
        batches=tuple(_batch(batch) for batch in model.children("batch_stats")),
    )


def _batch(batch: Fields) -> BatchStatistics:
    return BatchStatistics(
        batch_size=batch.number("batch_size"),
        compute_input=_duration(batch, "compute_input"),
        compute_infer=_duration(batch, "compute_infer"),
        compute_output=_duration(batch, "compute_output"),
    )


def _duration(parent: Fields, name: str) -> Duration:
    fields = parent.child(name)
    return Duration(fields.number("count", 0), fields.number("ns", 0))
