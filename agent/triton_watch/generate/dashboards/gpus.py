"""PromQL over GPUs: Triton's own series, and those of NVIDIA's DCGM exporter where Triton has none.

An expression here has one series for each GPU, by `gpu_uuid`: two Tritons that share a GPU both report it. A GPU that
only the exporter knows belongs to anybody, so it counts only while an agent misses the GPU metrics of a chosen target,
or no agent can tell.
"""

from __future__ import annotations

from typing import Final

_TRITON: Final = 'job=~"$job", instance=~"$instance", gpu_uuid=~"$gpu"'
_EXPORTER: Final = 'UUID=~"$gpu"'
_NONE_MISSING: Final = 'max(triton_watch_target_gpu_metrics_missing{target=~"$target"}) == 0'
_ALL_INSTANCES: Final = "sum by (UUID, instance)"
MIB: Final = 2**20


def own(metric: str) -> str:
    """Triton's series of the chosen servers and GPUs."""
    return f"{metric}{{{_TRITON}}}"


def exported(metric: str) -> str:
    """The exporter's series of the chosen GPUs, without its prefix: a GPU's own, or one for each MIG instance."""
    return f"DCGM_FI_{metric}{{{_EXPORTER}}}"


def by_gpu(series: str, *, is_exported: bool = False, more: tuple[str, ...] = ()) -> str:
    """The highest by GPU, and by `more` labels."""
    if is_exported:
        series = f'label_replace({series}, "gpu_uuid", "$1", "UUID", "(.+)")'
    return f"max by ({', '.join(('gpu_uuid', *more))}) ({series})"


def merged(triton: str, exporter: str) -> str:
    """Triton's value of each GPU, else the exporter's; both are expressions by GPU."""
    only = "unless on (gpu_uuid) nv_gpu_utilization"
    return f"{triton} or on (gpu_uuid) ({exporter} {only} unless on () ({_NONE_MISSING}))"


GPUS: Final = merged(by_gpu(own("nv_gpu_utilization")), by_gpu(exported("DEV_FB_USED"), is_exported=True))
"""Every GPU that a board is about; the value says nothing."""

EVERY_GPU: Final = merged(
    by_gpu('nv_gpu_utilization{job=~"$job", instance=~"$instance"}'), by_gpu("DCGM_FI_DEV_FB_USED", is_exported=True)
)
"""The same for the variable `gpu` itself, which cannot narrow its own choice."""


def of_exporter(series: str, *more: str) -> str:
    """The exporter's values of the GPUs that a board is about, by `more` labels too."""
    return f"{by_gpu(series, is_exported=True, more=more)} and on (gpu_uuid) ({GPUS})"


def utilization() -> str:
    """Share of the time in which the GPU is busy, 0 to 1. Where MIG is on the exporter has its fullest instance's."""
    busy = f"({exported('DEV_GPU_UTIL')} / 100 or {exported('PROF_GR_ENGINE_ACTIVE')})"
    return merged(by_gpu(own("nv_gpu_utilization")), by_gpu(busy, is_exported=True))


def memory_used() -> str:
    """Bytes of memory in use, of all MIG instances together."""
    used = f"{_ALL_INSTANCES} ({exported('DEV_FB_USED')}) * {MIB}"
    return merged(by_gpu(own("nv_gpu_memory_used_bytes")), by_gpu(used, is_exported=True))


def memory_total() -> str:
    """Bytes of memory that there are, in all MIG instances together."""
    total = f"{_ALL_INSTANCES} ({exported('DEV_FB_USED')} + {exported('DEV_FB_FREE')}) * {MIB}"
    return merged(by_gpu(own("nv_gpu_memory_total_bytes")), by_gpu(total, is_exported=True))


def memory_ratio() -> str:
    """Share of the memory in use, 0 to 1; of the fullest MIG instance where MIG is on."""
    used, free = exported("DEV_FB_USED"), exported("DEV_FB_FREE")
    share = f"{own('nv_gpu_memory_used_bytes')} / ({own('nv_gpu_memory_total_bytes')} > 0)"
    return merged(by_gpu(share), by_gpu(f"{used} / ({used} + {free} > 0)", is_exported=True))


def power() -> str:
    """Watts that the GPU draws."""
    return merged(by_gpu(own("nv_gpu_power_usage")), by_gpu(exported("DEV_POWER_USAGE"), is_exported=True))


def power_ratio() -> str:
    """Watts that the GPU draws, divided by its limit. The exporter has no limit by default."""
    return by_gpu(f"{own('nv_gpu_power_usage')} / ({own('nv_gpu_power_limit')} > 0)")


def places() -> str:
    """A series for each GPU and Triton that reports it, with what the exporter knows of the GPU."""
    facts = ("Hostname", "gpu", "modelName")
    known = f"topk by (gpu_uuid) (1, {of_exporter(exported('DEV_FB_USED'), *facts)})"
    reported = by_gpu(own("nv_gpu_utilization"), more=("instance",))
    both = f"{reported} * on (gpu_uuid) group_left ({', '.join(facts)}) {known}"
    return f"{both} or on (gpu_uuid, instance) {reported} or on (gpu_uuid) {known}"
