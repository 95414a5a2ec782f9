"""Rules 640-642: execution accelerators."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.instances import CPU, GPU, groups
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, listed, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options

_GPU, _CPU = "gpu_execution_accelerator", "cpu_execution_accelerator"
_NAMES: dict[tuple[str, str], tuple[str, ...]] = {
    ("onnxruntime", _GPU): ("tensorrt", "cuda", "migraphx", "rocm"),
    ("onnxruntime", _CPU): ("openvino", "dnnl", "onednn"),
    ("tensorflow", _GPU): ("tensorrt", "auto_mixed_precision", "gpu_io"),
}
"""Backend and side -> accelerators. Some exist in builds other than NVIDIA's."""
_PRECISIONS = {"onnxruntime": ("FP32", "FP16", "INT8"), "tensorflow": ("FP32", "FP16", "INT8")}
_PARAMETERS = {
    "onnxruntime": (
        "precision_mode", "max_workspace_size_bytes", "int8_calibration_table_name",
        "int8_use_native_calibration_table", "max_cached_engines", "minimum_segment_size",
    ),
    "tensorflow": (
        "precision_mode", "minimum_segment_size", "max_workspace_size_bytes", "max_cached_engines",
    ),
}  # fmt: skip
_ONNX = 'backend: "onnxruntime"\n'
_ACCELERATED = _ONNX + (
    "optimization {{ execution_accelerators {{ gpu_execution_accelerator {{ {} }} }} }}\n"
    "instance_group [ {{ kind: KIND_GPU }} ]\n"
)


class _Accelerator(NamedTuple):
    side: str
    number: int
    name: str
    parameters: dict[str, str]

    @property
    def path(self) -> tuple[str | int, ...]:
        return ("optimization", "execution_accelerators", self.side, self.number)


def _accelerators(model: Model) -> Iterator[_Accelerator]:
    if model.is_ensemble or not model.message.HasField("optimization"):
        return
    accelerators = model.message.optimization.execution_accelerators
    for side, found in ((_GPU, accelerators.gpu_execution_accelerator), (_CPU, accelerators.cpu_execution_accelerator)):
        for index, one in enumerate(found):
            yield _Accelerator(side, index, one.name, dict(one.parameters))


def _acts(model: Model, options: Options, side: str) -> bool:
    """Whether the backend certainly looks at accelerators of this side: those of GPUs only for instances there."""
    return side == _CPU or bool(options.gpus) or any(group.kind == GPU for _, group in groups(model))


def _unknown(model: Model, options: Options) -> Iterator[Hit]:
    for one in _accelerators(model):
        known = _NAMES.get((model.backend, one.side))
        if known is None or one.name in known:
            continue
        near = nearest(one.name, known)
        yield model.hit(
            f"{model.backend} has no {one.side.replace('_', ' ')} {clip(one.name)!r} "
            f"(\"unknown Execution Accelerator '{clip(one.name)}' is requested\")",
            *one.path,
            "name",
            value=True,
            fix=f'write name: "{near or known[0]}"',
            severity=Severity.ERROR if _acts(model, options, one.side) else Severity.WARNING,
        )


def _parameters(model: Model, options: Options) -> Iterator[Hit]:
    for one in _accelerators(model):
        if one.name == "tensorrt" and one.side == _GPU and model.backend in _PARAMETERS:
            for key, value in list(one.parameters.items())[:100]:
                found = _wrong_parameter(model.backend, key, value)
                if found is not None:
                    sure, message, fix = found
                    error = sure and _acts(model, options, one.side)
                    severity = Severity.ERROR if error else Severity.WARNING
                    yield model.hit(message, *one.path, "parameters", key, fix=fix, severity=severity)


def _wrong_parameter(backend: str, key: str, value: str) -> tuple[bool, str, str] | None:
    """Return whether the backend certainly refuses a parameter, what is wrong and what to write."""
    if key == "precision_mode" and value not in _PRECISIONS[backend]:
        reason = f"precision_mode {clip(value)!r} is none of {listed(_PRECISIONS[backend])}"
        return backend == "onnxruntime", f'{reason} ("unsupported precision mode")', 'write "FP16" or "FP32"'
    if key == "max_workspace_size_bytes" and not re.fullmatch("[0-9]+", value):
        number = re.match(r"\s*\+?([0-9]+)", value)
        taken = f"is read as {clip(number[1])} bytes" if number else "is no number"
        return number is None, f"max_workspace_size_bytes {clip(value)!r} {taken}", 'write bytes: "1073741824" is 1 GiB'
    if key not in _PARAMETERS[backend] and not (backend == "onnxruntime" and key.startswith("trt_")):
        near = nearest(key, _PARAMETERS[backend])
        fix = f'write "{near}"' if near else "remove it"
        return False, f"{clip(key)!r} is no parameter of the tensorrt accelerator, which refuses unknown ones", fix
    return None


def _on_cpu(model: Model, _options: Options) -> Iterator[Hit]:
    kinds = {group.kind for _, group in groups(model)}
    for one in _accelerators(model):
        if one.side == _GPU and kinds == {CPU} and (model.backend, _GPU) in _NAMES:
            yield model.hit(
                f"the accelerator {clip(one.name)!r} is for GPUs, and all instances are of KIND_CPU",
                *one.path,
                fix="write kind: KIND_GPU in instance_group, or remove the accelerator",
            )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW640",
        slug="unknown-accelerator",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="The backend knows the execution accelerator",
        problem="An accelerator's name is none of the backend's. A warning where it may not be looked at.",
        bad=_ACCELERATED.format('name: "trt"'),
        good=_ACCELERATED.format('name: "tensorrt"'),
        why="The core accepts every name, and the backend refuses the model.",
        source="onnxruntime_backend/src/onnxruntime.cc, tensorflow_backend/src/tensorflow.cc (24.10)",
        check=_unknown,
        stage=Stage.BACKEND,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW641",
        slug="accelerator-parameters",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="The tensorrt accelerator knows its parameters",
        problem=(
            "A parameter is unknown, a precision_mode is none, or a size is no number (errors, where it is certain)."
        ),
        bad=_ACCELERATED.format('name: "tensorrt" parameters { key: "precision_mode" value: "FP8" }'),
        good=_ACCELERATED.format('name: "tensorrt" parameters { key: "precision_mode" value: "FP16" }'),
        why="The backend refuses the model when it makes an instance on a GPU.",
        source="onnxruntime_backend/src/onnxruntime.cc, tensorflow_backend/src/tensorflow.cc (24.10)",
        check=_parameters,
        confidence=Confidence.MEDIUM,
        stage=Stage.BACKEND,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW642",
        slug="gpu-accelerator-on-cpu",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="An accelerator for GPUs has instances on GPUs",
        problem="A gpu_execution_accelerator is configured, and all instances are of KIND_CPU.",
        bad=_ACCELERATED.format('name: "tensorrt"').replace("KIND_GPU", "KIND_CPU"),
        good=_ACCELERATED.format('name: "tensorrt"'),
        why="The accelerator is never used.",
        source="onnxruntime_backend/src/onnxruntime.cc (24.10)",
        check=_on_cpu,
        box=Box.INSTANCES,
    ),
)
