"""GPU SLIs from pages of real Tritons on one and on two H200 GPUs (tests/gpu/watch_gpus.py recorded them)."""

from __future__ import annotations

from pathlib import Path

import pytest

from triton_watch.records import Gpu, ModelConfig, ModelKey, NoData, NoDataReason, Sli, SliTable, SliValue
from triton_watch.slo.facts import config_vectors
from triton_watch.slo.sli import compute, value_of
from triton_watch.triton.scrape import MetricsReader

PAGES = Path(__file__).parents[2] / "fixtures" / "pages"
ENCODER, RANKER = ModelKey("encoder", "1"), ModelKey("ranker", "1")
GPU_0, GPU_1 = (f"GPU-44444444-aaaa-bbbb-cccc-00000000000{i}" for i in (0, 1))


def table(machine: str, encoder_gpus: tuple[int, ...], gpu_order: tuple[str, ...] = ()) -> SliTable:
    """The SLIs between the pages of second 15 and about 30, as the watcher computes them."""
    reader = MetricsReader()
    frames = [
        reader.read((PAGES / f"two_models_{machine}_load_{second}s.txt").read_bytes(), float(second))
        for second in (15, 30)
    ]
    configs = {
        "encoder": ModelConfig("encoder", max_batch_size=16, uses_gpu=True, gpus=encoder_gpus),
        "ranker": ModelConfig("ranker", max_batch_size=16, uses_gpu=True, gpus=(0,)),
    }
    assert frames[0].models is frames[1].models
    return compute(frames[0], frames[1], config_vectors(frames[1].models, configs, frames[1].gpus, gpu_order))


def number(found: SliTable, key: ModelKey, sli: Sli) -> float:
    value = value_of(found, key, sli)
    assert isinstance(value, SliValue)
    return value.value


def test_two_busy_models_share_out_the_utilization_of_one_gpu() -> None:
    found = table("h200", (0,))
    assert found.gpu_share.sum() == pytest.approx(1.0)
    parts = [number(found, key, Sli.GPU_UTILIZATION) for key in (ENCODER, RANKER)]
    assert sum(parts) == pytest.approx(found.frame.gpu_values[Gpu.UTILIZATION, 0])
    assert parts[0] == pytest.approx(0.5, abs=0.1)


def test_the_heavier_model_uses_more_energy_for_an_inference() -> None:
    found = table("h200", (0,))
    heavy, light = (number(found, key, Sli.ENERGY_PER_INFERENCE) for key in (ENCODER, RANKER))
    assert heavy == pytest.approx(10.8, rel=0.2)
    assert light == pytest.approx(1.83, rel=0.2)


def test_the_page_of_two_gpus_does_not_list_them_in_the_order_of_their_indices() -> None:
    assert table("h200x2", (0, 1)).frame.gpus == (GPU_1, GPU_0)


def test_with_the_order_told_the_model_on_both_gpus_has_the_second_one_to_itself() -> None:
    found = table("h200x2", (0, 1), (GPU_0, GPU_1))
    encoder, ranker = found.models.row[ENCODER], found.models.row[RANKER]
    assert found.gpu_share[0, encoder] == 1.0
    assert found.gpu_share[0, ranker] == 0.0
    assert found.gpu_share[1, ranker] == pytest.approx(0.57, abs=0.05)
    assert number(found, ENCODER, Sli.GPU_UTILIZATION) == pytest.approx(0.71, abs=0.05)


def test_without_it_nobody_guesses() -> None:
    found = table("h200x2", (0, 1))
    for key in (ENCODER, RANKER):
        assert value_of(found, key, Sli.GPU_UTILIZATION) == NoData(NoDataReason.GPU_UNMAPPED)
