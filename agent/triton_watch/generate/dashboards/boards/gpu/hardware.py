"""Rows of the board GPU: power and heat, what only the DCGM exporter knows, and the servers around the GPUs."""

from __future__ import annotations

from typing import Final

from triton_watch.conventions.dashboards import MODEL
from triton_watch.generate.dashboards import gpus
from triton_watch.generate.dashboards.links import of_series
from triton_watch.generate.dashboards.panels import Query, bars, graph
from triton_watch.generate.dashboards.scales import bad_above
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import TRITON_SERVER, WATCHED
from triton_watch.generate.queries import RANGE, Scope, worst

TOP: Final = "Of more than 20 the 20 highest are drawn."
BY_GPU, OF_MODEL = "{{gpu_uuid}}", "{{model}} {{version}} on {{target}}"
NO_GPUS, _NO_EXPORTER = "No GPU metrics", "No DCGM exporter"


def top(expr: str) -> str:
    """The 20 highest."""
    return f"topk(20, {expr})"


def top_models(metric: str, scope: Scope = WATCHED) -> str:
    """A gauge of the 20 models for which it is highest at some time that is shown."""
    return worst(scope.highest(metric), scope.by, scope.ever(metric))


POWER: Final = (
    graph(
        "Power",
        f"Power that each GPU draws. Much less than usual under the same load: the GPU is throttled or idle. {TOP}",
        Query(top(gpus.power()), BY_GPU),
        unit="watt",
        no_value=NO_GPUS,
        width=8,
    ),
    graph(
        "Power of the limit",
        "Power divided by the GPU's power limit. At 100 % the GPU lowers its clocks: raise the limit or spread the "
        f"load. {TOP}",
        Query(top(gpus.power_ratio()), BY_GPU),
        unit="percentunit",
        no_value=NO_GPUS,
        width=8,
    ),
    graph(
        "Mean power, from the energy counter",
        "Energy that each GPU used, a second: the mean power, without the peaks between two scrapes. Use it for cost. "
        f"{TOP}",
        Query(top(gpus.by_gpu(f"rate({gpus.own('nv_energy_consumption')}[{RANGE}])")), BY_GPU),
        unit="watt",
        no_value=NO_GPUS,
        width=8,
    ),
    graph(
        "Energy per inference (estimate)",
        "Energy of the GPUs divided by the inferences of the model, after its share of the compute time. High at low "
        f"traffic: an idle GPU draws power too. Larger batches lower it. {TOP}",
        Query(top_models("triton_watch_model_energy_per_inference_estimate_joules"), OF_MODEL),
        unit="joule",
        links=[of_series(MODEL)],
    ),
    graph(
        "Temperature",
        "Temperature of each GPU, from the DCGM exporter. One that is much hotter than its neighbours has bad "
        f"cooling: see to its fans and the air in the rack. {TOP}",
        Query(top(gpus.of_exporter(gpus.exported("DEV_GPU_TEMP"))), BY_GPU),
        unit="celsius",
        lowest=None,
        no_value=_NO_EXPORTER,
    ),
)

EXPORTER: Final = (
    graph(
        "Engine and tensor core activity",
        "Share of the time in which the compute engine, and its tensor cores, work. A busy engine with idle tensor "
        f"cores: the model computes in FP32, or does little matrix work. {TOP}",
        Query(top(gpus.of_exporter(gpus.exported("PROF_GR_ENGINE_ACTIVE"))), "engine of {{gpu_uuid}}"),
        Query(top(gpus.of_exporter(gpus.exported("PROF_PIPE_TENSOR_ACTIVE"))), "tensor cores of {{gpu_uuid}}"),
        unit="percentunit",
        highest=1,
        no_value=_NO_EXPORTER,
        width=8,
    ),
    graph(
        "Last XID error",
        "Number of the last error that the driver reported; 0 is none. 13, 31 and 43 are mostly the model's doing; "
        f"for 48, 63, 64, 74, 79, 94 and 95 drain the node and have the GPU checked. {TOP}",
        Query(top(gpus.of_exporter(gpus.exported("DEV_XID_ERRORS"))), BY_GPU),
        unit="none",
        no_value=_NO_EXPORTER,
        width=8,
    ),
    bars(
        "Uncorrectable memory errors",
        "Double-bit ECC errors in the time range. More than 0: results may be wrong and the process may die; drain "
        f"the node and reset or replace the GPU. {TOP}",
        Query(top(gpus.of_exporter(f"increase({gpus.exported('DEV_ECC_DBE_VOL_TOTAL')}[$__range])")), BY_GPU),
        scale=bad_above(1),
        no_value=_NO_EXPORTER,
        width=8,
    ),
)

SERVERS: Final = (
    graph(
        "Pinned memory pool",
        "Pinned memory that Triton uses for copies to the GPU, and what its pool holds. Full: copies become slow; "
        "raise --pinned-memory-pool-byte-size.",
        Query(TRITON_SERVER.total("nv_pinned_memory_pool_used_bytes"), "used on {{instance}}"),
        Query(TRITON_SERVER.total("nv_pinned_memory_pool_total_bytes"), "pool of {{instance}}"),
        unit="bytes",
        limits="^(pool|total)",
        no_value="No metrics of Triton",
        width=8,
    ),
    graph(
        "CPU utilization",
        "Share of the CPUs that is busy, by any process. High with an idle GPU: preprocessing or a Python backend is "
        "the bottleneck; give it more instances or CPUs.",
        Query(TRITON_SERVER.highest("nv_cpu_utilization"), "{{instance}}"),
        unit="percentunit",
        highest=1,
        no_value="No CPU metrics",
        width=8,
    ),
    graph(
        "CPU memory",
        "Memory of the machine in use, and what there is. It grows without end: a model leaks, or requests pile up in "
        "a queue; see the board Fleet.",
        Query(TRITON_SERVER.highest("nv_cpu_memory_used_bytes"), "used on {{instance}}"),
        Query(TRITON_SERVER.highest("nv_cpu_memory_total_bytes"), "total of {{instance}}"),
        unit="bytes",
        limits="^(pool|total)",
        no_value="No CPU metrics",
        width=8,
    ),
    table(
        "Where the GPUs are",
        "Which Triton reports which GPU, with the host, number and model that the DCGM exporter knows. A GPU with "
        "several rows is shared. Use the UUID with nvidia-smi -i.",
        Column("reported", gpus.places()),
        keys=("gpu_uuid", "instance", "Hostname", "gpu", "modelName"),
        hidden=("Value",),
        no_value="Unknown",
        height=7,
    ),
)
