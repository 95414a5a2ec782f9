"""53x: what flows between the models of an ensemble: names, types, shapes, batches, and numbers of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triton_watch.check.datafiles import type_name
from triton_watch.check.flow import INPUT, Edge, End, Paths, fit, flow_of, mixed
from triton_watch.check.members import ALWAYS_COMPLETING, interface
from triton_watch.check.rule import Box, Rule, Scope, Stage
from triton_watch.check.rules.ensemble import said
from triton_watch.check.rules.ensemble_examples import (
    GOOD,
    TWO,
    ensemble_text,
    model_text,
    repository_text,
    step_text,
    tensors_text,
)
from triton_watch.check.rules.ensemble_members import members
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.graph import Step
    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

_SOURCE = "tritonserver 2.51.0 (measured); ValidateEnsembleConfig, src/ensemble_utils.cc."
_UNSURE = "; the backend may complete the member's configuration, so this may differ on the server"
_MAY_RAISE = frozenset({"python", *ALWAYS_COMPLETING})
"""Backends that may raise a max_batch_size that is written."""
_MAY_TURN_BATCHING = frozenset({"tensorrt", "tensorflow", "openvino"})


def _judged(model: Model) -> bool:
    return model.is_ensemble and not model.detached


def _weight(certain: bool) -> dict[str, Any]:
    """An error where all is known; a warning where a backend may still change it."""
    return {} if certain else {"severity": Severity.WARNING, "confidence": Confidence.MEDIUM}


def _batch_limit(model: Model, _options: Options) -> Iterator[Hit]:
    largest = model.message.max_batch_size
    for step, member in members(model) if largest > 0 else ():
        limit = member.message.max_batch_size
        if 0 < limit < largest:
            certain = interface(member).certain or member.backend not in _MAY_RAISE
            yield model.hit(
                f"the ensemble takes batches of {largest}, its model {clip(step.model)} only of {limit}; Triton: "
                '"ensemble '
                f"{clip(model.name)} allows maximum batch size {largest}, but it contains model {clip(step.model)} "
                "which "
                f'only allows maximum batch size to be {limit}"{"" if certain else _UNSURE}',
                "max_batch_size",
                value=True,
                fix=f"write max_batch_size: {limit}, or raise that of {clip(step.model)}",
                **_weight(certain),
            )


def _unknown_name(model: Model, _options: Options) -> Iterator[Hit]:
    for one in flow_of(model).unknown if _judged(model) else ():
        is_input = one.side == INPUT
        right = one.tensor if one.tensor in one.known else nearest(one.name, one.known)
        swapped = one.tensor in one.known and one.name in _tensors_beside(model, one.step, one.side)
        how = "to non-existing input" if is_input else "from non-existing output"
        yield model.hit(
            f'{clip(one.step.model)} has no {one.side} {clip(one.name)}; Triton: "in ensemble {clip(model.name)}, '
            "ensemble "
            f"tensor {clip(one.tensor)} is {'mapping' if is_input else 'mapped'} {how} {clip(one.name)} in model "
            f'{clip(one.step.model)}"{"" if one.certain else _UNSURE}',
            *(*one.step.path, f"{one.side}_map", one.name, "key"),
            value=True,
            fix=f'swap them: key: "{clip(one.tensor)}" value: "{clip(one.name)}"'
            if swapped
            else f'write key: "{clip(right)}"'
            if right
            else f"write one of the model's {one.side}s: "
            f"{', '.join(clip(name) for name in one.known[:6]) or 'it has none'}",
            **_weight(one.certain),
        )


def _tensors_beside(model: Model, step: Step, side: str) -> set[str]:
    """Return the ensemble's tensors that a map's values may name, without those that only this map names."""
    message = model.message
    found = {io.name for io in message.input} | {io.name for io in message.output}
    for number, other in enumerate(message.ensemble_scheduling.step):
        for name, tensors in (("input", other.input_map), ("output", other.output_map)):
            if (number, name) != (step.path[-1], side):
                found.update(tensors.values())
    return found


def _doubled(model: Model, _options: Options) -> Iterator[Hit]:
    for step, name, tensor in flow_of(model).doubled if _judged(model) else ():
        yield model.hit(
            f'{clip(step.model)} has two outputs of the name {clip(name)}; Triton: "in ensemble {clip(model.name)}, '
            "multiple "
            f'outputs in model {clip(step.model)} are mapped to the same ensemble tensor {clip(tensor)}"',
            *(*step.path, "output_map", name, "key"),
            value=True,
            fix=f"remove one of them in {clip(step.model)}, or give it another name",
        )


def _unmapped(model: Model, _options: Options) -> Iterator[Hit]:
    for step, name, certain in flow_of(model).unmapped if _judged(model) and model.readable else ():
        yield model.hit(
            f'{said(step)} leaves out the input {clip(name)}, which is not optional; Triton: "in ensemble '
            f'{clip(model.name)}, input {clip(name)} in model {clip(step.model)} is not mapped to any ensemble tensors"'
            f"{'' if certain else _UNSURE}",
            *step.path,
            fix=f'add input_map {{ key: "{clip(name)}" value: "…" }}, or make the input optional in {clip(step.model)}',
            **_weight(certain),
        )


def _types(model: Model, _options: Options) -> Iterator[Hit]:
    paths = Paths(model)
    for edge in flow_of(model).edges if _judged(model) else ():
        if edge.types_differ:
            first, second = (f"TYPE_{type_name(end.port.data_type)}" for end in (edge.first, edge.second))
            yield model.hit(
                f'data types differ: {paths.of(edge)}; Triton: "inconsistent data type: {first} is inferred from model '
                f'{_model_of(edge.first, model)} while {second} is inferred from model {_model_of(edge.second, model)}"'
                f"{'' if edge.certain else _UNSURE}",
                *_place(edge, "data_type"),
                value=True,
                fix=f"write data_type: {second} for the ensemble's {edge.first.side} {clip(edge.tensor)}"
                if edge.first.step is None
                else "have both models take the same type, or put a model between them that converts",
                **_weight(edge.certain),
            )


def _shapes(model: Model, _options: Options) -> Iterator[Hit]:
    paths = Paths(model)
    for edge in flow_of(model).edges if _judged(model) else ():
        if edge.types_differ or not edge.shapes_differ:
            continue
        certain = edge.certain and not _may_turn(edge, model)
        first, second = (clip(str(list(end.port.full)).replace(" ", "")) for end in (edge.first, edge.second))
        dims = list(edge.second.port.dims)
        yield model.hit(
            f'shapes do not fit{_batch_note(edge)}: {paths.of(edge)}; Triton: "inconsistent shape: {first} is '
            "inferred from "
            f"model {_model_of(edge.first, model)} while {second} is inferred from model "
            f'{_model_of(edge.second, model)}"'
            f"{'' if certain else _UNSURE}",
            *_place(edge, "dims"),
            value=True,
            fix=f"write dims: {clip(str(dims))} for the ensemble's {edge.first.side} {clip(edge.tensor)}"
            if edge.first.step is None
            else "have both declare the same dims (-1 fits any size), or put a model between them that reshapes",
            **_weight(certain),
        )


def _batch_note(edge: Edge) -> str:
    """Explain shapes that differ by one dimension where one side batches and the other does not."""
    if edge.first.batching != edge.second.batching and abs(len(edge.first.port.dims) - len(edge.second.port.dims)) <= 1:
        one = edge.first if edge.first.batching else edge.second
        return f" (before the dims of {one} comes the batch dimension, as max_batch_size is above 0 there)"
    return ""


def _may_turn(edge: Edge, model: Model) -> bool:
    """Whether the shapes would fit if a backend that may fill in max_batch_size did so."""
    changed = [_turned(end, model) for end in (edge.first, edge.second)]
    return fit(changed[0], changed[1]) and changed != [edge.first.port.full, edge.second.port.full]


def _turned(end: End, model: Model) -> tuple[int, ...]:
    member = model.repository.model(end.step.model) if end.step is not None else None
    if member is None or end.batching or member.backend not in _MAY_TURN_BATCHING or member.has("max_batch_size"):
        return end.port.full
    return (-1, *end.port.dims)


def _model_of(end: End, model: Model) -> str:
    return clip(model.name if end.step is None else end.step.model)


def _place(edge: Edge, name: str) -> tuple[str | int, ...]:
    if edge.first.step is None:
        return (edge.first.side, edge.first.position, name)
    end = edge.second
    assert end.step is not None  # noqa: S101  # only the first end can be the ensemble's own
    return (*end.step.path, f"{end.side}_map", end.port.name, "value")


def _mixed(model: Model, _options: Options) -> Iterator[Hit]:
    for step, one, other in mixed(model) if _judged(model) and _any_decoupled(model) else ():
        who = "the ensemble's outputs" if step is None else f"{said(step)} reads tensors that"
        yield model.hit(
            f"{who} come from different decoupled models, or from one and from the ensemble's inputs ({clip(one)} and "
            f'{clip(other)}), so their numbers of answers differ; Triton: "in ensemble {clip(model.name)}, step of '
            "model "
            f"'{clip(model.name)}' receives inputs originated from different decoupled models\"",
            *(("output",) if step is None else step.path),
            fix="pass what is needed through the decoupled model, so that all of it comes from one, or call the "
            "models from "
            "a Python model (BLS)",
        )


def _any_decoupled(model: Model) -> bool:
    return any(member.is_ensemble or member.message.model_transaction_policy.decoupled for _, member in members(model))


_RESIZE = model_text()
_BAD_TYPE = tensors_text("input", "A", data_type="INT64") + tensors_text("output", "B")
_BAD_SHAPE = tensors_text("input", "A", dims="[ 5 ]") + tensors_text("output", "B")
_HEAD = 'backend: "onnxruntime"\nmax_batch_size: 8\n'
_DECOUPLED = model_text(more="model_transaction_policy { decoupled: true }\n")
_JOIN = ensemble_text(step_text("split", "A:IN", "B:MID"), step_text("join", "A:MID C:IN", "B:OUT"))

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW530",
        slug="ensemble-batch-limit",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="An ensemble takes no larger batches than its models",
        problem="`max_batch_size` of the ensemble is above that of a model that batches.",
        bad=repository_text(GOOD, resize=model_text(batch=4)),
        good=repository_text(GOOD, resize=_RESIZE),
        why="A batch goes through all steps whole.",
        source=_SOURCE,
        check=_batch_limit,
    ),
    Rule(
        id="TW531",
        slug="ensemble-map-unknown",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Maps name inputs and outputs that the model has",
        problem="A key of `input_map` or `output_map` is no input or output of the step's model.",
        bad=repository_text(ensemble_text(step_text("resize", "a:IN", "B:OUT")), resize=_RESIZE),
        good=repository_text(GOOD, resize=_RESIZE),
        why="The key is the model's name of the tensor, the value the ensemble's.",
        source=_SOURCE,
        check=_unknown_name,
    ),
    Rule(
        id="TW532",
        slug="ensemble-input-unmapped",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A step maps every required input of its model",
        problem="An input of the step's model is in no key of `input_map`, and not optional.",
        bad=repository_text(GOOD, resize=model_text("A SIZE")),
        good=repository_text(GOOD, resize=_RESIZE),
        why="The model could not be called.",
        source=_SOURCE,
        check=_unmapped,
    ),
    Rule(
        id="TW533",
        slug="ensemble-types-differ",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        box=Box.SHAPES,
        title="A tensor is of one type at both its ends",
        problem="The ensemble, or a model that writes a tensor, and a model that reads it declare different data "
        "types.",
        bad=repository_text(TWO, resize=_RESIZE, rank=_HEAD + _BAD_TYPE),
        good=repository_text(TWO, resize=_RESIZE, rank=_RESIZE),
        why="An ensemble passes tensors on as they are; it converts nothing.",
        source=_SOURCE,
        check=_types,
    ),
    Rule(
        id="TW534",
        slug="ensemble-shapes-differ",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        box=Box.SHAPES,
        title="A tensor's shapes fit at both its ends",
        problem="The ensemble, or a model that writes a tensor, and a model that reads it declare dims that do not "
        "fit, "
        "neither without nor with the batch dimension.",
        bad=repository_text(TWO, resize=_RESIZE, rank=_HEAD + _BAD_SHAPE),
        good=repository_text(TWO, resize=_RESIZE, rank=_RESIZE),
        why="An ensemble passes tensors on as they are. A model's `reshape` does not count here, an ensemble's own "
        "does.",
        source=_SOURCE,
        check=_shapes,
    ),
    Rule(
        id="TW535",
        slug="ensemble-decoupled-mixed",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="What meets in a step comes from the same decoupled model",
        problem="A step, or the outputs of the ensemble together, need tensors of different decoupled models, or of "
        "one and "
        "of the ensemble's inputs.",
        bad=repository_text(_JOIN, split=_DECOUPLED, join=model_text("A C")),
        good=repository_text(_JOIN, split=_RESIZE, join=model_text("A C")),
        why="A decoupled model answers a request any number of times: which of its answers would belong to the other "
        "tensor?",
        source=_SOURCE,
        check=_mixed,
    ),
    Rule(
        id="TW536",
        slug="ensemble-output-doubled",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A mapped output is in its model once",
        problem="A key of `output_map` is the name of two outputs of the step's model.",
        bad=repository_text(GOOD, resize=model_text("A", "B B")),
        good=repository_text(GOOD, resize=_RESIZE),
        why="Triton takes the model by itself, but not what it would have to write twice.",
        source=_SOURCE,
        check=_doubled,
    ),
)
