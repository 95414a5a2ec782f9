"""Frames made by hand, for the formulas' tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import ConfigVectors, Counter, Gpu, MetricsFrame, ModelConfig, ModelIndex, ModelKey
from triton_watch.slo.facts import config_vectors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FAMILIES = frozenset({"nv_inference_request_success", "nv_inference_request_duration_us"})


def key(name: str, version: str = "1") -> ModelKey:
    return ModelKey(name, version)


def index(names: Sequence[ModelKey]) -> ModelIndex:
    return ModelIndex(tuple(names), {name: i for i, name in enumerate(names)})


def frame(
    at: float,
    models: Mapping[ModelKey, Mapping[Counter, float]],
    *,
    gpus: Mapping[str, Mapping[Gpu, float]] | None = None,
    pending: float = 0.0,
    families: frozenset[str] = FAMILIES,
    same_index: ModelIndex | None = None,
) -> MetricsFrame:
    """A page at `at` seconds; counters not given are absent from it."""
    order = same_index or index(list(models))
    counters = np.full((len(Counter), len(models)), np.nan)
    for name, values in models.items():
        for counter, value in values.items():
            counters[counter, order.row[name]] = value
    cards = gpus or {}
    gpu_values = np.full((len(Gpu), len(cards)), np.nan)
    for column, fields in enumerate(cards.values()):
        for field, value in fields.items():
            gpu_values[field, column] = value
    return MetricsFrame(
        at=at,
        models=order,
        counters=counters,
        pending=np.full(len(models), pending),
        quantiles={},
        gpus=tuple(cards),
        gpu_values=gpu_values,
        server={},
        families=families,
    )


def facts(page: MetricsFrame, *configs: ModelConfig, gpu_order: tuple[str, ...] = ()) -> ConfigVectors:
    return config_vectors(page.models, {c.name: c for c in configs}, page.gpus, gpu_order)
