"""A model's completed configuration, as GET /v2/models/M/config gives it in JSON, read."""

from __future__ import annotations

from triton_watch.records import EnsembleStep, ModelConfig, TensorSpec
from triton_watch.triton.fields import Fields


def from_json(value: object, url: str = "") -> ModelConfig:
    """What SLIs and canaries need of a configuration. Raises GarbageError, naming the field; unknown fields pass."""
    config = Fields(value, "", url)
    groups = config.children("instance_group")
    kinds = tuple(group.text("kind", "KIND_AUTO") for group in groups)
    return ModelConfig(
        name=config.text("name"),
        platform=config.text("platform", ""),
        backend=config.text("backend", ""),
        max_batch_size=config.number("max_batch_size", 0),
        instances=max(1, sum(_instances(group) for group in groups)),
        instance_kinds=kinds,
        gpus=tuple(sorted({gpu for group in groups for gpu in group.numbers("gpus")})),
        uses_gpu=any(_uses_gpu(group) for group in groups),
        dynamic_batching="dynamic_batching" in config,
        sequence_batching="sequence_batching" in config,
        decoupled=config.child("model_transaction_policy").flag("decoupled"),
        response_cache=config.child("response_cache").flag("enable"),
        steps=tuple(_step(step) for step in config.child("ensemble_scheduling").children("step")),
        inputs=tuple(_tensor(tensor) for tensor in config.children("input")),
        outputs=tuple(_tensor(tensor) for tensor in config.children("output")),
        text_sequence_ids=_has_text_ids(config.child("sequence_batching")),
    )


def _tensor(tensor: Fields) -> TensorSpec:
    kind = tensor.text("data_type", "").removeprefix("TYPE_")
    datatype = "BYTES" if kind == "STRING" else kind
    return TensorSpec(tensor.text("name"), datatype, tensor.numbers("dims"), optional=tensor.flag("optional"))


def _has_text_ids(sequences: Fields) -> bool:
    controls = (control for tensor in sequences.children("control_input") for control in tensor.children("control"))
    return any(
        control.text("kind", "") == "CONTROL_SEQUENCE_CORRID" and control.text("data_type", "") == "TYPE_STRING"
        for control in controls
    )


def _instances(group: Fields) -> int:
    """Triton makes `count` instances on each GPU of a group; a count below 1 is taken for its default."""
    return max(1, group.number("count", 1)) * max(1, len(group.numbers("gpus")))


def _uses_gpu(group: Fields) -> bool:
    kind = group.text("kind", "KIND_AUTO")
    # KIND_MODEL leaves the device to the backend, which takes a GPU where there is one.
    return kind in {"KIND_GPU", "KIND_MODEL"} or (kind == "KIND_AUTO" and bool(group.numbers("gpus")))


def _step(step: Fields) -> EnsembleStep:
    return EnsembleStep(step.text("model_name"), step.number("model_version", 0))
