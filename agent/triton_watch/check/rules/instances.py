"""Rules 600-604 and 608: instance groups and the GPUs that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.pbtxt.messages import ModelInstanceGroup
from triton_watch.check.rule import Box, Hit, RedLine, Rule, Scope, Stage
from triton_watch.records import Severity
from triton_watch.wording.text import clip, listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options

AUTO = ModelInstanceGroup.KIND_AUTO
CPU = ModelInstanceGroup.KIND_CPU
GPU = ModelInstanceGroup.KIND_GPU
MODEL = ModelInstanceGroup.KIND_MODEL
_KINDS = {AUTO: "KIND_AUTO", CPU: "KIND_CPU", GPU: "KIND_GPU", MODEL: "KIND_MODEL"}
_DEFAULTS = {
    "openvino": "KIND_CPU",
    "tensorrt": "KIND_GPU",
    "tensorrtllm": "KIND_CPU",
    "vllm": "KIND_MODEL",
}
"""The kind that a backend's own examples use, where it is not a choice."""
_BASE = 'backend: "onnxruntime"\n'


def groups(model: Model) -> Iterator[tuple[int, ModelInstanceGroup]]:
    """Yield the instance groups with their numbers; none of an ensemble, which has a rule of its own."""
    if not model.is_ensemble:
        yield from enumerate(model.message.instance_group)


def _missing(model: Model, options: Options) -> Iterator[Hit]:
    if model.is_ensemble or not model.readable or model.message.instance_group:
        return
    kind = default_kind(model, options)
    yield model.hit(
        "no instance_group: Triton puts an instance on each GPU that the server sees, and on the CPU when it sees none",
        "instance_group",
        fix=f"write instance_group [ {{ count: 1 kind: {kind} }} ]",
    )


def default_kind(model: Model, options: Options) -> str:
    """Return the kind that a backend's own examples use, or the one that is what Triton does by itself."""
    return _DEFAULTS.get(model.backend) or ("KIND_CPU" if options.gpus == 0 else "KIND_AUTO")


def _on_ensemble(model: Model, _options: Options) -> Iterator[Hit]:
    if model.is_ensemble and model.message.instance_group:
        yield model.hit(
            "an ensemble has no instances, its steps have "
            f"(Triton: \"instance group should not be specified for ensemble '{clip(model.name)}'\")",
            "instance_group",
            fix="remove instance_group here, and give the models of the steps their own",
        )


def _gpus_of_other_kind(model: Model, _options: Options) -> Iterator[Hit]:
    for index, group in groups(model):
        if group.gpus and group.kind in {CPU, MODEL}:
            kind = _KINDS[group.kind]
            yield model.hit(
                f'a group of {kind} names GPUs (Triton: "has kind {kind} but specifies one or more GPUs")',
                *("instance_group", index, "gpus"),
                fix="write kind: KIND_GPU, or remove gpus"
                if group.kind == CPU
                else "remove gpus: with KIND_MODEL the model chooses its devices itself",
            )


def _gpus_of_auto(model: Model, options: Options) -> Iterator[Hit]:
    for index, group in groups(model):
        if group.kind != AUTO or not group.gpus:
            continue
        known = options.gpus
        lacking = [gpu for gpu in dict.fromkeys(group.gpus) if gpu < 0 or (known is not None and gpu >= known)]
        if lacking:
            message = (
                f"GPU {listed(map(str, lacking))} is not there, so the group becomes KIND_CPU, which may not name GPUs "
                '(Triton: "has kind KIND_CPU but specifies one or more GPUs")'
            )
        elif known is None:
            message = (
                "gpus without a kind: where one of these GPUs is not there, the group becomes KIND_CPU, and Triton "
                'refuses it ("has kind KIND_CPU but specifies one or more GPUs")'
            )
        else:
            continue
        yield model.hit(
            message,
            *("instance_group", index, "gpus"),
            fix="write kind: KIND_GPU and only GPUs that the server has",
            severity=Severity.ERROR if lacking else Severity.INFO,
        )


def _gpu_not_there(model: Model, options: Options) -> Iterator[Hit]:
    for index, group in groups(model):
        if group.kind != GPU:
            continue
        if options.gpus == 0 and not group.gpus:
            yield model.hit(
                'KIND_GPU on a server without GPUs (Triton: "has kind KIND_GPU but no GPUs are available")',
                *("instance_group", index, "kind"),
                fix="write kind: KIND_CPU, or KIND_AUTO to take GPUs where there are some",
            )
        for place, gpu in enumerate(group.gpus):
            if gpu < 0 or (options.gpus is not None and gpu >= options.gpus):
                yield model.hit(
                    f"there is no GPU {gpu}{_range(options.gpus)} "
                    f'(Triton: "specifies invalid or unsupported gpu id {gpu}")',
                    *("instance_group", index, "gpus", place),
                    fix="name GPUs that the server sees: they count from 0, whatever CUDA_VISIBLE_DEVICES selects",
                )


def _range(gpus: int | None) -> str:
    if gpus is None:
        return ""
    if gpus < 2:
        return ": the server has only GPU 0" if gpus else ": the server has none"
    return f": the server has {plural(gpus, 'GPU')}, 0 to {gpus - 1}"


def _unknown_kind(model: Model, _options: Options) -> Iterator[Hit]:
    for index, group in groups(model):
        if group.kind not in _KINDS:
            yield model.hit(
                f'kind {group.kind} is no kind of instance (Triton: "has unexpected kind")',
                *("instance_group", index, "kind"),
                value=True,
                fix=f"write {listed(sorted(_KINDS.values()))}".replace(" and ", " or "),
            )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW600",
        slug="no-instance-group",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Instances are configured",
        problem="A model has no instance_group.",
        bad=_BASE,
        good=f"{_BASE}instance_group [ {{ count: 1 kind: KIND_GPU }} ]\n",
        why=(
            "Triton then puts one instance on every GPU that it sees: on a larger machine the model takes memory on "
            "all of them, and on one without GPUs it silently runs on the CPU."
        ),
        source="tritonserver 2.51.0 (measured); NormalizeInstanceGroup in core/src/model_config_utils.cc",
        check=_missing,
        red_line=RedLine.NO_INSTANCE_GROUPS,
        box=Box.INSTANCES,
        fixable=True,
    ),
    Rule(
        id="TW601",
        slug="instance-group-on-ensemble",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="An ensemble has no instance_group",
        problem="An ensemble has an instance_group.",
        bad='platform: "ensemble"\nensemble_scheduling { }\ninstance_group [ { count: 1 } ]\n',
        good='platform: "ensemble"\nensemble_scheduling { }\n',
        why="Triton refuses it. The models of the steps have instances.",
        source="tritonserver 2.51.0 (measured)",
        check=_on_ensemble,
        stage=Stage.CORE,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW602",
        slug="gpus-without-kind-gpu",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="Only groups of KIND_GPU name GPUs",
        problem="A group of KIND_CPU or KIND_MODEL has gpus.",
        bad=f"{_BASE}instance_group [ {{ kind: KIND_CPU gpus: [ 0 ] }} ]\n",
        good=f"{_BASE}instance_group [ {{ kind: KIND_GPU gpus: [ 0 ] }} ]\n",
        why="Triton refuses the model.",
        source="tritonserver 2.51.0 (measured)",
        check=_gpus_of_other_kind,
        stage=Stage.CORE,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW603",
        slug="gpus-with-kind-auto",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="A group that names GPUs says KIND_GPU",
        problem="A group names GPUs and no kind. An error where a GPU is known not to be there.",
        bad=f"{_BASE}instance_group [ {{ gpus: [ 0 ] }} ]\n",
        good=f"{_BASE}instance_group [ {{ kind: KIND_GPU gpus: [ 0 ] }} ]\n",
        why=(
            "KIND_AUTO becomes KIND_CPU when one of the GPUs is not there, and KIND_CPU may not name GPUs: the message "
            "then speaks of a kind that is nowhere in the file."
        ),
        source="tritonserver 2.51.0 (measured)",
        check=_gpus_of_auto,
        stage=Stage.CORE,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW604",
        slug="gpu-not-there",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="Groups name GPUs that the server has",
        problem=(
            "A GPU's number is negative, or above those that the server has, or KIND_GPU meets a server without GPUs."
        ),
        bad=f"{_BASE}instance_group [ {{ kind: KIND_GPU gpus: [ -1 ] }} ]\n",
        good=f"{_BASE}instance_group [ {{ kind: KIND_GPU gpus: [ 0 ] }} ]\n",
        why="Triton refuses the model.",
        source="tritonserver 2.51.0 (measured, on GPUs too)",
        check=_gpu_not_there,
        stage=Stage.CORE,
        box=Box.INSTANCES,
    ),
    Rule(
        id="TW608",
        slug="instance-kind",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        title="The kind of instance is one that there is",
        problem="kind is a number that stands for no kind.",
        bad=f"{_BASE}instance_group [ {{ kind: 7 }} ]\n",
        good=f"{_BASE}instance_group [ {{ kind: KIND_CPU }} ]\n",
        why="Triton refuses the model.",
        source="tritonserver 2.51.0 (measured)",
        check=_unknown_kind,
        stage=Stage.CORE,
        box=Box.INSTANCES,
    ),
)
