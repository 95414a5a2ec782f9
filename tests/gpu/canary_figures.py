"""The figures of `canary_instances.py`: of what was sampled, and as a text table."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpu.canary_watching import Sample


def of_good(samples: Sequence[Sample]) -> dict[str, Any]:
    """Canaries by reason, samples that were not 200, samples in which the verdict was failing."""
    agents = {
        name: {
            "canaries": _canaries(samples, name),
            "samples": len(samples),
            "not_200": sum(sample.serving[name] != 200 for sample in samples),
            "failing": sum(sample.failing[name] for sample in samples),
            "silent": sum(sample.silent[name] for sample in samples),
        }
        for name in samples[0].serving
    }
    return {"agents": agents}


def of_corruption(samples: Sequence[Sample], began: float) -> dict[str, Any]:
    """Seconds since `began` to the first mismatch, 503 and silent failure; `healed`: to the last that is not 200."""
    after = [sample for sample in samples if sample.at >= began]
    agents, healed = {}, {}
    for name in after[0].serving:
        before = _mismatches(after[0], name)
        codes = [sample.serving[name] for sample in after]
        first = _first(after, began, [code != 200 for code in codes])
        since = codes[next((place for place, code in enumerate(codes) if code != 200), len(codes)) :]
        agents[name] = {
            "first_mismatch": _first(after, began, [_mismatches(sample, name) > before for sample in after]),
            "first_503": first,
            "first_silent": _first(after, began, [sample.silent[name] for sample in after]),
            "canaries": _canaries(after, name),
            "share_503": sum(code != 200 for code in since) / len(since) if since else 0.0,
            "back_to_200": sum(one != 200 and two == 200 for one, two in pairwise(codes)),
        }
        away = [sample.at for sample in after if sample.serving[name] != 200]
        healed[name] = max(away) - began if away else 0.0
    return {"agents": agents, "healed": healed}


def _first(samples: Sequence[Sample], began: float, flags: Sequence[bool]) -> float | None:
    return next((sample.at - began for sample, flag in zip(samples, flags, strict=True) if flag), None)


def _mismatches(sample: Sample, name: str) -> int:
    return sum(count for reason, count in sample.canaries[name].items() if reason != "ok")


def _canaries(samples: Sequence[Sample], name: str) -> dict[str, int]:
    """By reason, from the first sample to the last."""
    first, last = samples[0].canaries[name], samples[-1].canaries[name]
    return {reason: count - first.get(reason, 0) for reason, count in last.items() if count > first.get(reason, 0)}


def table(result: dict[str, Any]) -> str:
    """What is known until now, for a person."""
    lines = [f"GPUs {result['gpus']}, torch {result['torch']}, instances {result['instances']}"]
    names = (
        "idle_pattern",
        "wrong_excess",
        "right_excess",
        "recorded",
        "recorded_corrupted",
        "recorded_busy",
        "refusal",
    )
    lines += [f"{name}: {result[name]}" for name in names if name in result]
    for name in ("good", "idle_both", "idle"):
        if name in result:
            lines += [f"{name}:", *_phase(result[name])]
    for number, one in enumerate(result.get("rounds", ()), 1):
        lines += [f"corrupted {number}: healed after {one['healed']}", *_phase(one)]
    for one in result.get("precision", ()):
        what = f"{one['network']:18} {one['kind']:15} {one['output']:14} {one['between']:16}"
        lines.append(f"{what} of RMS {one['of_rms']:.2e}, relative {one['relative']:.2e}, limits x {one['excess']:.3f}")
    return "\n".join(lines) + "\n"


def _phase(phase: dict[str, Any]) -> list[str]:
    told = {name: phase[name] for name in ("seconds", "clients", "triton", "ready", "model_ready")}
    return [f"  {told}", *(f"  {name}: {found}" for name, found in phase["agents"].items())]
