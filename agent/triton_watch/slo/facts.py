"""The models' configurations as vectors, and where on the GPUs each model may run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import ConfigVectors, FloatArray, ModelConfig, ModelIndex, ModelKey

if TYPE_CHECKING:
    from collections.abc import Mapping


def config_vectors(
    models: ModelIndex,
    configs: Mapping[str, ModelConfig],
    gpus: tuple[str, ...] = (),
    gpu_order: tuple[str, ...] = (),
) -> ConfigVectors:
    """Return the configurations of `models` (n) over the page's `gpus` (g).

    `gpu_order` lists GPU UUIDs by the server's GPU index, where somebody configured it. A model without a
    known configuration has NaN sizes.
    """
    n = len(models)
    found = [configs.get(key.name) for key in models.keys]
    return ConfigVectors(
        known=np.fromiter((c is not None for c in found), np.bool_, n),
        max_batch_size=np.fromiter((np.nan if c is None else c.max_batch_size for c in found), np.float64, n),
        instances=np.fromiter((np.nan if c is None else c.instances for c in found), np.float64, n),
        is_ensemble=np.fromiter((c is not None and c.is_ensemble for c in found), np.bool_, n),
        has_cache=np.fromiter((c is not None and c.response_cache for c in found), np.bool_, n),
        on_gpu=_placement(models, found, gpus, gpu_order),
    )


def _placement(
    models: ModelIndex, found: list[ModelConfig | None], gpus: tuple[str, ...], gpu_order: tuple[str, ...]
) -> FloatArray:
    placed = np.full((len(gpus), len(models)), np.nan)
    for column, (key, config) in enumerate(zip(models.keys, found, strict=True)):
        placed[:, column] = _gpus_of(key, config, models, gpus, gpu_order)
    return placed


def _gpus_of(
    key: ModelKey,
    config: ModelConfig | None,
    models: ModelIndex,
    gpus: tuple[str, ...],
    gpu_order: tuple[str, ...],
) -> list[float]:
    """Return 1 or 0 by GPU, or NaN for all of them where nobody can tell.

    The server gives GPU indices in configurations and UUIDs in metrics, and no mapping between them.
    It is not needed when the model may use all GPUs or none.
    """
    unknown = [np.nan] * len(gpus)
    if key in models.gpu_uuids:
        return [float(uuid in models.gpu_uuids[key]) for uuid in gpus]
    if config is None:
        return unknown
    if config.is_ensemble or not config.uses_gpu:
        return [0.0] * len(gpus)
    if not config.gpus or len(config.gpus) >= len(gpus):
        return [1.0] * len(gpus)
    if all(index < len(gpu_order) for index in config.gpus):
        chosen = {gpu_order[index] for index in config.gpus}
        return [float(uuid in chosen) for uuid in gpus]
    return unknown
