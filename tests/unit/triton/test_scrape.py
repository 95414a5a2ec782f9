"""From a metrics page to a frame: which series lands where, on pages of real servers and on odd ones."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from triton_watch.records import Counter, Gpu, MetricsFrame, ModelKey
from triton_watch.triton.scrape import MetricsReader, NotTritonPageError

PAGES = Path(__file__).parents[2] / "fixtures" / "pages"


def read(*lines: str, reader: MetricsReader | None = None) -> MetricsFrame:
    """A page of these sample lines, each family announced by a TYPE line of its own."""
    families = dict.fromkeys(line.split("{")[0].split(" ")[0] for line in lines)
    text = ""
    for family in families:
        text += f"# TYPE {family} counter\n" + "".join(
            x + "\n" for x in lines if x.startswith((f"{family}{{", f"{family} "))
        )
    return (reader or MetricsReader()).read(text.encode(), 1.0)


def counter(frame: MetricsFrame, key: ModelKey, which: Counter) -> float:
    return float(frame.counters[which, frame.models.row[key]])


def test_a_real_page_of_two_gpus_has_its_models_counters_quantiles_and_gpus() -> None:
    frame = MetricsReader().read((PAGES / "metrics_h200x2_load_18s.txt").read_bytes(), 18.0)
    matmul = ModelKey("matmul", "1")
    assert frame.models.keys == (matmul,)
    assert counter(frame, matmul, Counter.SUCCESS) == 2537
    assert counter(frame, matmul, Counter.QUEUE_US) == 155034298
    assert math.isnan(counter(frame, matmul, Counter.CACHE_HITS))
    assert frame.pending.tolist() == [20]
    assert frame.quantiles["request", "0.99"].tolist() == [202205]
    assert frame.quantiles["queue", "0.5"].tolist() == [67605]
    assert len(frame.gpus) == 2
    assert frame.gpu_values[Gpu.POWER].round().tolist() == [685, 686]
    assert frame.server["nv_pinned_memory_pool_total_bytes"] == 268435456
    assert frame.first_response is None
    assert frame.size == 8630
    assert "nv_inference_compute_infer_summary_us" in frame.families, "families are known even where they are not read"


def test_failures_go_by_reason_and_an_unknown_reason_is_other() -> None:
    frame = read(
        'nv_inference_request_failure{model="m",reason="BACKEND",version="1"} 1',
        'nv_inference_request_failure{model="m",reason="CANCELED",version="1"} 2',
        'nv_inference_request_failure{model="m",reason="NEW_ONE",version="1"} 4',
        'nv_inference_request_failure{model="old",version="1"} 8',
    )
    m, old = ModelKey("m", "1"), ModelKey("old", "1")
    assert counter(frame, m, Counter.FAIL_BACKEND) == 1
    assert counter(frame, m, Counter.FAIL_CANCELED) == 2
    assert counter(frame, m, Counter.FAIL_OTHER) == 4
    assert counter(frame, old, Counter.FAIL_UNLABELLED) == 8


def test_models_of_one_name_in_two_namespaces_are_two_models() -> None:
    frame = read(
        'nv_inference_request_success{model="m",namespace="/a",version="1"} 1',
        'nv_inference_request_success{model="m",namespace="/b",version="1"} 2',
    )
    assert frame.models.keys == (ModelKey("m", "1", "/a"), ModelKey("m", "1", "/b"))
    assert frame.counters[Counter.SUCCESS].tolist() == [1, 2]


def test_metric_tags_are_no_part_of_a_models_identity() -> None:
    frame = read('nv_inference_count{model="m",_team="vision, speech",version="1"} 7')
    assert frame.models.keys == (ModelKey("m", "1"),)
    assert counter(frame, ModelKey("m", "1"), Counter.INFERENCES) == 7


def test_series_of_a_model_on_several_gpus_are_added_up_and_the_gpus_remembered() -> None:
    reader = MetricsReader()
    for factor in (1, 10):
        frame = read(
            f'nv_inference_count{{gpu_uuid="G0",model="m",version="1"}} {3 * factor}',
            f'nv_inference_count{{gpu_uuid="G1",model="m",version="1"}} {4 * factor}',
            reader=reader,
        )
        assert counter(frame, ModelKey("m", "1"), Counter.INFERENCES) == 7 * factor
    assert frame.models.gpu_uuids[ModelKey("m", "1")] == ("G0", "G1")


def test_a_first_response_histogram_is_read_with_its_bounds_in_order() -> None:
    name = "nv_inference_first_response_histogram_ms"
    labels = 'model="m",version="1"'
    text = f"# TYPE {name} histogram\n{name}_count{{{labels}}} 9\n{name}_sum{{{labels}}} 900\n" + "".join(
        f'{name}_bucket{{{labels},le="{le}"}} {count}\n' for le, count in (("100", 4), ("500", 8), ("+Inf", 9))
    )
    frame = MetricsReader().read(text.encode(), 1.0)
    assert frame.first_response is not None
    assert frame.first_response.bounds == (100.0, 500.0, math.inf)
    assert frame.first_response.counts[:, 0].tolist() == [4, 8, 9]


def test_the_model_index_stays_the_same_object_while_the_models_do() -> None:
    reader = MetricsReader()
    one = 'nv_inference_count{model="a",version="1"} 1'
    first = read(one, reader=reader)
    with_gpu = read(one, 'nv_gpu_utilization{gpu_uuid="G0"} 0.5', reader=reader)
    with_another = read(one, 'nv_inference_count{model="b",version="1"} 1', reader=reader)
    assert first.models is with_gpu.models
    assert with_another.models is not first.models


def test_a_server_without_models_has_an_empty_frame() -> None:
    frame = read("nv_pinned_memory_pool_total_bytes 268435456")
    assert len(frame.models) == 0
    assert frame.counters.shape == (len(Counter), 0)


def test_a_gpu_whose_field_is_missing_has_nan_there() -> None:
    frame = read('nv_gpu_utilization{gpu_uuid="G0"} 0.5', 'nv_gpu_power_usage{gpu_uuid="G1"} 300')
    assert frame.gpus == ("G0", "G1")
    assert np.isnan(frame.gpu_values[Gpu.UTILIZATION]).tolist() == [False, True]


def test_another_exporters_page_is_not_tritons() -> None:
    with pytest.raises(NotTritonPageError, match="nv_"):
        MetricsReader().read(b"# TYPE up gauge\nup 1\n", 1.0)
