"""The board GPU: how busy and how full the GPUs are, by which models, and whether they are well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.conventions.dashboards import GPU, MODEL
from triton_watch.generate.dashboards import gpus
from triton_watch.generate.dashboards.board import Board, Context, Row
from triton_watch.generate.dashboards.boards.gpu.hardware import (
    BY_GPU,
    EXPORTER,
    NO_GPUS,
    OF_MODEL,
    POWER,
    SERVERS,
    TOP,
    top,
    top_models,
)
from triton_watch.generate.dashboards.links import of_series
from triton_watch.generate.dashboards.panels import Panel, Query, graph, repeated, stat
from triton_watch.generate.dashboards.scales import bad_above, threshold_of
from triton_watch.generate.dashboards.tables import Column, table
from triton_watch.generate.dashboards.variables import GPU_UUID, TRITON_BOARD, WATCHED_TARGETS
from triton_watch.generate.queries import RANGE, Scope

if TYPE_CHECKING:
    from triton_watch.records import AlertSettings

_WATCHED_GPUS: Final = Scope('target=~"$target", gpu_uuid=~"$gpu"', RANGE, ("target", "gpu_uuid"))
_SHARES: Final = Scope('target=~"$target", model=~"$model", gpu_uuid=~"$gpu"', RANGE, ("target", "model", "version"))
_ON_TARGET, _NO_AGENT = "{{gpu_uuid}} on {{target}}", "No agent sees a GPU"


def gpu(context: Context) -> Board:
    """Return the board."""
    settings = context.settings.alerts
    rows = (
        Row("How they are", _answers(settings)),
        Row("Load", _LOAD),
        Row("Memory", _memory(settings)),
        Row("Power, energy and heat", POWER),
        Row("Inside the GPUs, from the DCGM exporter", EXPORTER),
        Row("Servers", SERVERS),
    )
    return Board(GPU, (*TRITON_BOARD, GPU_UUID), rows)


def _answers(settings: AlertSettings) -> tuple[Panel, ...]:
    full = bad_above(threshold_of("TritonGpuMemoryHigh", settings))
    load = _WATCHED_GPUS.highest("triton_watch_gpu_utilization_under_load_ratio")
    queueing = _WATCHED_GPUS.highest("triton_watch_gpu_queueing_models")
    seen = _WATCHED_GPUS.highest("triton_watch_gpu_memory_used_ratio")
    busy = f"{load} > {threshold_of('TritonGpuSaturated', settings):g} and {queueing} > 0"
    missing = WATCHED_TARGETS.highest("triton_watch_target_gpu_metrics_missing")
    return (
        stat(
            "GPUs",
            "GPUs that the chosen Tritons report, each counted once. While a Triton misses its GPU metrics, GPUs that "
            "only the DCGM exporter knows count too. Fewer than you have: see GPU metrics missing.",
            Query(f"count({gpus.GPUS})"),
            no_value=NO_GPUS,
        ),
        stat(
            "Busiest GPU",
            "Utilization of the busiest GPU now. Near 100 % is good while no requests queue; if they do, add a GPU or "
            "a replica.",
            Query(f"max({gpus.utilization()})"),
            unit="percentunit",
            no_value=NO_GPUS,
        ),
        stat(
            "Fullest memory",
            "Share of the memory in use on the fullest GPU, by any process. Red: TritonGpuMemoryHigh. Lower instance "
            "counts or max_batch_size, or unload a model, before the next load fails.",
            Query(f"max({gpus.memory_ratio()})"),
            unit="percentunit",
            scale=full,
            no_value=NO_GPUS,
        ),
        stat(
            "Highest power of the limit",
            "Power of the GPU that is nearest to its power limit. At 100 % the GPU lowers its clocks, and models take "
            "longer: raise the limit with nvidia-smi -pl if the cooling allows it, or spread the load.",
            Query(f"max({gpus.power_ratio()})"),
            unit="percentunit",
            no_value=NO_GPUS,
        ),
        stat(
            "GPU metrics missing",
            "Targets whose models may use a GPU and whose metrics page has no nv_gpu_ series. See in Triton's log why "
            "DCGM did not start; with MIG Triton never has them: let the DCGM exporter watch these GPUs.",
            Query(f"sum({missing})"),
            scale=bad_above(1),
            no_value="No agent",
        ),
        stat(
            "Saturated",
            "GPUs that are busy all the time while requests of a model on them wait for longer than they are computed "
            "(TritonGpuSaturated). Add a GPU or a replica: more instances on the same GPU make it no faster.",
            Query(f"count(max by (gpu_uuid) ({busy})) or 0 * count({seen})"),
            scale=bad_above(1),
            no_value=_NO_AGENT,
        ),
        table(
            "GPUs now",
            "Each GPU once, also where several Tritons share it. Full and idle: a model holds memory and has no "
            "traffic. A utilization that stays at exactly 0 under load: Triton lost DCGM, restart it.",
            Column("Utilization", gpus.utilization(), "percentunit", is_bar=True),
            Column("Memory used", gpus.memory_ratio(), "percentunit", full, is_bar=True),
            Column("Memory", gpus.memory_used(), "bytes"),
            Column("Power", gpus.power(), "watt"),
            Column("Of the power limit", gpus.power_ratio(), "percentunit"),
            Column("Temperature", gpus.of_exporter(gpus.exported("DEV_GPU_TEMP")), "celsius"),
            keys=("gpu_uuid",),
            sort_by="Utilization",
            no_value="Unknown",
        ),
    )


_LOAD: Final = (
    graph(
        "Utilization",
        "Share of the time in which the GPU computes anything. Low under load: the model runs on the CPU, or its "
        f"batches are small; see the board Batching. {TOP}",
        Query(top(gpus.utilization()), BY_GPU),
        unit="percentunit",
        highest=1,
        no_value=NO_GPUS,
    ),
    graph(
        "Utilization under load",
        "Utilization only while a model that runs on the GPU has traffic: low here is waste. Put more models on the "
        f"GPU, or move these to fewer GPUs. {TOP}",
        Query(top(_WATCHED_GPUS.highest("triton_watch_gpu_utilization_under_load_ratio")), _ON_TARGET),
        unit="percentunit",
        highest=1,
    ),
    repeated(
        graph(
            "Models on $gpu",
            "Estimated share of each model in the compute time on this GPU. The widest band is the model to make "
            f"faster, or to move to another GPU. {TOP}",
            Query(top_models("triton_watch_gpu_model_share_ratio", _SHARES), OF_MODEL),
            unit="percentunit",
            highest=1,
            is_stacked=True,
            links=[of_series(MODEL)],
            width=24,
        ),
        "gpu",
    ),
    graph(
        "Utilization by model (estimate)",
        "Estimated share of its GPUs that a model keeps busy: utilization times its share of the compute time. Use it "
        f"to see which model needs a GPU of its own. {TOP}",
        Query(top_models("triton_watch_model_gpu_utilization_estimate_ratio"), OF_MODEL),
        unit="percentunit",
        links=[of_series(MODEL)],
    ),
    graph(
        "Queueing models",
        "Models on the GPU whose requests wait for longer than they are computed. With high utilization the GPU is "
        f"too small; with low utilization the model needs more instances or batching. {TOP}",
        Query(top(_WATCHED_GPUS.highest("triton_watch_gpu_queueing_models")), _ON_TARGET),
        unit="short",
        no_value=_NO_AGENT,
    ),
)


def _memory(settings: AlertSettings) -> tuple[Panel, ...]:
    return (
        graph(
            "Memory used",
            "Memory in use by any process, and what there is. It grows with each load and does not fall after an "
            f"unload: the backend keeps it; restart Triton at a quiet time. {TOP}",
            Query(top(gpus.memory_used()), BY_GPU),
            Query(top(gpus.memory_total()), "total of {{gpu_uuid}}"),
            unit="bytes",
            limits="^total",
            no_value=NO_GPUS,
        ),
        graph(
            "Memory used of the total",
            "Above the dashed line TritonGpuMemoryHigh fires: the next load or a larger batch may fail. See with "
            f"nvidia-smi who holds the memory. {TOP}",
            Query(top(gpus.memory_ratio()), BY_GPU),
            unit="percentunit",
            highest=1,
            scale=bad_above(threshold_of("TritonGpuMemoryHigh", settings)),
            no_value=NO_GPUS,
        ),
    )
