"""The board GPU's expressions on a real PromQL engine: Triton's GPUs, the DCGM exporter's, and both together."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from triton_watch.generate.dashboards import gpus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TRITON = 'job="triton", instance="a:8002"'
SECOND = 'job="triton", instance="b:8002"'
EXPORTER = 'job="dcgm", instance="node:9400", Hostname="node-1", modelName="NVIDIA H200", device="nvidia0"'
MISSING = 'triton_watch_target_gpu_metrics_missing{target="a"}'
KNOWN = {
    f'nv_gpu_utilization{{{TRITON}, gpu_uuid="GPU-1"}}': 0.5,
    f'nv_gpu_memory_used_bytes{{{TRITON}, gpu_uuid="GPU-1"}}': 40,
    f'nv_gpu_memory_total_bytes{{{TRITON}, gpu_uuid="GPU-1"}}': 100,
    f'nv_gpu_power_usage{{{TRITON}, gpu_uuid="GPU-1"}}': 350,
    f'nv_gpu_power_limit{{{TRITON}, gpu_uuid="GPU-1"}}': 700,
}


def exported(uuid: str, number: int = 0, **values: float) -> dict[str, float]:
    """What the exporter says of a GPU, or of one of its MIG instances; memory in MiB."""
    labels = f'{EXPORTER}, gpu="{number}", UUID="{uuid}"'
    instance = values.pop("instance", None)
    labels += "" if instance is None else f', GPU_I_ID="{instance:g}"'
    return {f"DCGM_FI_{name}{{{labels}}}": value for name, value in values.items()}


ALONE = exported("GPU-2", DEV_GPU_UTIL=80, DEV_FB_USED=30, DEV_FB_FREE=70, DEV_POWER_USAGE=400, DEV_GPU_TEMP=60)
MIG = {
    **exported("GPU-3", instance=1, PROF_GR_ENGINE_ACTIVE=0.9, DEV_FB_USED=10, DEV_FB_FREE=10),
    **exported("GPU-3", instance=2, PROF_GR_ENGINE_ACTIVE=0.1, DEV_FB_USED=18, DEV_FB_FREE=2),
}


class Case(NamedTuple):
    """Series and an expression, and what it gives by GPU."""

    expr: str
    series: Mapping[str, float]
    by_gpu: Mapping[str, float]


CASES = {
    "Triton's own": Case(gpus.utilization(), KNOWN, {"GPU-1": 0.5}),
    "two Tritons that share a GPU are one line": Case(
        gpus.utilization(), {**KNOWN, f'nv_gpu_utilization{{{SECOND}, gpu_uuid="GPU-1"}}': 0.6}, {"GPU-1": 0.6}
    ),
    "the exporter alone, and no agent": Case(gpus.utilization(), ALONE, {"GPU-2": 0.8}),
    "a Triton that misses its metrics": Case(
        gpus.utilization(), {**KNOWN, **ALONE, MISSING: 1}, {"GPU-1": 0.5, "GPU-2": 0.8}
    ),
    "other people's GPUs while nothing is missing": Case(
        gpus.utilization(), {**KNOWN, **ALONE, MISSING: 0}, {"GPU-1": 0.5}
    ),
    "Triton's own before the exporter's": Case(
        gpus.utilization(), {**KNOWN, **exported("GPU-1", DEV_GPU_UTIL=90), MISSING: 1}, {"GPU-1": 0.5}
    ),
    "with MIG the busiest instance": Case(gpus.utilization(), MIG, {"GPU-3": 0.9}),
    "with MIG the memory of all instances": Case(gpus.memory_used(), MIG, {"GPU-3": 28 * 2**20}),
    "with MIG there is so much": Case(gpus.memory_total(), MIG, {"GPU-3": 40 * 2**20}),
    "with MIG the fullest instance": Case(gpus.memory_ratio(), MIG, {"GPU-3": 0.9}),
    "memory of both": Case(gpus.memory_ratio(), {**KNOWN, **ALONE}, {"GPU-1": 0.4, "GPU-2": 0.3}),
    "bytes of both": Case(gpus.memory_used(), {**KNOWN, **ALONE}, {"GPU-1": 40, "GPU-2": 30 * 2**20}),
    "watts of both": Case(gpus.power(), {**KNOWN, **ALONE}, {"GPU-1": 350, "GPU-2": 400}),
    "power of the limit": Case(gpus.power_ratio(), KNOWN, {"GPU-1": 0.5}),
    "what only the exporter knows, of the board's GPUs": Case(
        gpus.of_exporter(gpus.exported("DEV_GPU_TEMP")),
        {**KNOWN, **exported("GPU-1", DEV_GPU_TEMP=55), **ALONE, MISSING: 0},
        {"GPU-1": 55},
    ),
    "the GPUs to choose from": Case(gpus.EVERY_GPU, {**KNOWN, **ALONE, MISSING: 0}, {"GPU-1": 0.5}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_gpu_has_one_value(promtool: Path, tmp_path: Path, case: Case) -> None:
    samples = [{"labels": f'{{gpu_uuid="{uuid}"}}', "value": value} for uuid, value in case.by_gpu.items()]
    assert_gives(promtool, tmp_path, case.expr, case.series, samples)


def test_places_say_which_triton_has_a_gpu_and_where_the_exporter_sees_it(promtool: Path, tmp_path: Path) -> None:
    first, second, third = (
        'gpu_uuid="GPU-1", instance="a:8002"',
        'gpu_uuid="GPU-4", instance="b:8002"',
        'gpu_uuid="GPU-2"',
    )
    facts = 'Hostname="node-1", gpu="0", modelName="NVIDIA H200"'
    series = {
        **KNOWN,
        **exported("GPU-1", DEV_FB_USED=1),
        f'nv_gpu_utilization{{{SECOND}, gpu_uuid="GPU-4"}}': 0.7,
        **ALONE,
        MISSING: 1,
    }
    samples = [
        {"labels": f"{{{first}, {facts}}}", "value": 0.5},
        {"labels": f"{{{second}}}", "value": 0.7},
        {"labels": f"{{{third}, {facts}}}", "value": 30},
    ]
    assert_gives(promtool, tmp_path, gpus.places(), series, samples)


def assert_gives(
    promtool: Path, folder: Path, expr: str, series: Mapping[str, float], samples: list[dict[str, object]]
) -> None:
    """Whether promtool finds these samples, and no others, when everything is chosen; JSON is YAML, too."""
    for name in ("job", "instance", "target", "gpu"):
        expr = expr.replace(f'"${name}"', '".+"')
    test = {
        "interval": "1m",
        "input_series": [{"series": one, "values": f"{value}x5"} for one, value in series.items()],
        "promql_expr_test": [{"expr": expr, "eval_time": "3m", "exp_samples": samples}],
    }
    file = folder / "test.yaml"
    file.write_text(json.dumps({"tests": [test]}))
    result = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, f"{result.stdout}{result.stderr}"
