"""Rules 610-613 and 617: instances of a kind that their backend does not serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.formats import VllmModel, read_vllm
from triton_watch.check.rule import Box, Hit, Rule, Scope, Stage
from triton_watch.check.rules.instances import AUTO, CPU, GPU, MODEL, groups
from triton_watch.check.served import remembered, served_versions
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.pbtxt.messages import ModelInstanceGroup

_ONNX = 'backend: "onnxruntime"\n'


def _gpu_only(model: Model, options: Options) -> Iterator[Hit]:
    if model.backend != "tensorrt" or not model.readable:
        return
    for index, group in groups(model):
        if group.kind in {CPU, MODEL} or (group.kind == AUTO and options.gpus == 0):
            yield model.hit(
                f"TensorRT plans run on NVIDIA GPUs only, and {_place(group)}",
                *("instance_group", index, "kind"),
                fix="write kind: KIND_GPU",
            )
    if not model.message.instance_group and options.gpus == 0:
        yield model.hit(
            "TensorRT plans run on NVIDIA GPUs only, and the server has none",
            "backend",
            fix="serve the ONNX model instead",
        )


def _place(group: ModelInstanceGroup) -> str:
    if group.kind == AUTO:
        return "the server has none, so that KIND_AUTO becomes KIND_CPU"
    return "this group is of KIND_CPU" if group.kind == CPU else "this group is of KIND_MODEL"


def _cpu_only(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "openvino":
        return
    for index, group in groups(model):
        if group.kind == GPU:
            yield model.hit(
                "the OpenVINO backend makes instances on the CPU, and this group is of KIND_GPU",
                *("instance_group", index, "kind"),
                fix="write kind: KIND_CPU",
            )


@remembered
def _engine(model: Model) -> VllmModel | None:
    """Return vLLM's arguments of the newest version."""
    for version in served_versions(model)[:1]:
        entry = version.folder.get("model.json")
        if entry is not None and entry.is_file:
            return read_vllm(entry.path)
    return None


def _number(model: Model, name: str, default: float) -> float:
    engine = _engine(model)
    value = default if engine is None else engine.args.get(name, default)
    return value if isinstance(value, (int, float)) else default


def _vllm_kind(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "vllm":
        return
    tensor_parallel = _number(model, "tensor_parallel_size", 1)
    for index, group in groups(model):
        if group.kind == GPU and tensor_parallel > 1:
            yield model.hit(
                f"KIND_GPU gives an instance one GPU, and model.json asks for tensor_parallel_size {tensor_parallel:g} "
                '(vLLM backend: "KIND_GPU is currently for single-GPU models")',
                *("instance_group", index, "kind"),
                fix="write kind: KIND_MODEL",
                severity=Severity.ERROR,
            )
        elif group.kind == CPU:
            yield model.hit(
                "vLLM chooses its GPUs itself, and KIND_CPU says something else than what happens",
                *("instance_group", index, "kind"),
                fix="write kind: KIND_MODEL",
            )


def _vllm_count(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "vllm":
        return
    share = _number(model, "gpu_memory_utilization", 0.9)
    for index, group in groups(model):
        if group.count > 1 and group.count * share > 1:
            yield model.hit(
                f"{group.count:,} engines on the same GPU, and each takes {share:.0%} of its memory: the second one "
                "fails",
                *("instance_group", index, "count"),
                value=True,
                fix=f"write count: 1, or set gpu_memory_utilization in model.json to at most {1 / group.count:.2f}",
            )


def _secondary(model: Model, _options: Options) -> Iterator[Hit]:
    if not model.backend or model.backend == "tensorrt":
        return
    for index, group in groups(model):
        if group.secondary_devices:
            yield model.hit(
                f"secondary_devices ({plural(len(group.secondary_devices), 'DLA core')}) acts in the TensorRT backend "
                f"only, and the backend is {clip(model.backend)}",
                *("instance_group", index, "secondary_devices"),
                fix="remove secondary_devices",
            )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW610",
        slug="tensorrt-without-gpu",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="TensorRT runs on GPUs",
        problem="A TensorRT model has a group of KIND_CPU or KIND_MODEL, or the server has no GPU.",
        bad='backend: "tensorrt"\ninstance_group [ { kind: KIND_CPU } ]\n',
        good='backend: "tensorrt"\ninstance_group [ { kind: KIND_GPU } ]\n',
        why="The backend refuses every other kind of instance.",
        source="tensorrt_backend/src/tensorrt.cc: supports only GPU devices",
        check=_gpu_only,
        stage=Stage.BACKEND,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW611",
        slug="openvino-on-gpu",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="OpenVINO runs on the CPU",
        problem="An OpenVINO model has a group of KIND_GPU.",
        bad='backend: "openvino"\ninstance_group [ { kind: KIND_GPU } ]\n',
        good='backend: "openvino"\ninstance_group [ { kind: KIND_CPU } ]\n',
        why="The backend supports KIND_CPU, and KIND_AUTO for Intel's own devices; NVIDIA's GPUs are none of them.",
        source="README of openvino_backend",
        check=_cpu_only,
        confidence=Confidence.MEDIUM,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW612",
        slug="vllm-instance-kind",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="vLLM's instances are of KIND_MODEL",
        problem=(
            "A vLLM model has a group of KIND_CPU, or of KIND_GPU (then an error) with tensor_parallel_size above 1."
        ),
        bad='backend: "vllm"\ninstance_group [ { kind: KIND_CPU } ]\n',
        good='backend: "vllm"\ninstance_group [ { kind: KIND_MODEL } ]\n',
        why="With KIND_GPU an instance is tied to one GPU, and the backend refuses an engine that wants several.",
        source="vllm_backend/src/model.py, validate_device_config (24.03 on)",
        check=_vllm_kind,
        stage=Stage.BACKEND,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW613",
        slug="vllm-instances",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="One vLLM engine a GPU",
        problem="A vLLM model has several instances, and together they ask for more than the GPU's memory.",
        bad='backend: "vllm"\ninstance_group [ { count: 2 kind: KIND_MODEL } ]\n',
        good='backend: "vllm"\ninstance_group [ { count: 1 kind: KIND_MODEL } ]\n',
        why=(
            "An engine batches by itself and reserves gpu_memory_utilization of the GPU (0.9 by default) when it "
            "starts."
        ),
        source="vLLM's engine arguments",
        check=_vllm_count,
        confidence=Confidence.MEDIUM,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW617",
        slug="secondary-devices",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="secondary_devices is for TensorRT",
        problem="A group of another backend has secondary_devices.",
        bad=f"{_ONNX}instance_group [ {{ kind: KIND_CPU secondary_devices {{ device_id: 0 }} }} ]\n",
        good=f"{_ONNX}instance_group [ {{ kind: KIND_CPU }} ]\n",
        why="DLA cores are used by TensorRT only. Triton accepts the field and does nothing with it.",
        source="tritonserver 2.51.0 (measured: accepted); model_config.proto",
        check=_secondary,
        box=Box.INSTANCES,
    ),
)
