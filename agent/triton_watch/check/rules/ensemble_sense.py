"""54x: ensembles that Triton accepts although they serve badly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.flow import flow_of
from triton_watch.check.rule import Rule, Scope
from triton_watch.check.rules.batching import OWN_BATCHING
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
from triton_watch.records import Severity
from triton_watch.wording.text import clip, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

_SOURCE = "tritonserver 2.51.0 (measured: requests sent)."


def _batch_to_single(model: Model, _options: Options) -> Iterator[Hit]:
    if model.message.max_batch_size <= 1 or not model.is_ensemble or model.detached:
        return
    told: set[int] = set()
    for edge in flow_of(model).edges:
        first, second = edge.first, edge.second
        step = second.step
        if step is None or second.gives or second.batching or not first.batching or step.index in told:
            continue
        dims = second.port.dims
        if (
            not edge.certain
            or edge.types_differ
            or edge.shapes_differ
            or (len(dims) > len(first.port.dims) and dims[0] == -1)
        ):
            continue
        told.add(step.index)
        yield model.hit(
            f"the ensemble takes batches of {model.message.max_batch_size}, but {said(step)} does not batch and takes "
            f"{clip(second.port.name)} as {clip(str(list(dims)))}: requests with another batch size fail there",
            *step.path,
            fix=f"give {clip(step.model)} a max_batch_size, or -1 as its first dimension; else write max_batch_size: 1",
        )


def _bottleneck(model: Model, _options: Options) -> Iterator[Hit]:
    batched, alone = set(), {}
    for step, member in members(model):
        message = member.message
        if message.HasField("dynamic_batching") and message.max_batch_size > 1:
            batched.add(step.model)
        elif not (member.is_ensemble or message.HasField("sequence_batching") or member.backend in OWN_BATCHING):
            alone[step.model] = step
    for name, step in alone.items() if batched else ():
        yield model.hit(
            f"{said(step)} runs requests one by one, while {listed(sorted(batched), 3)} put them into batches: it is "
            "likely "
            "the slowest step",
            *(*step.path, "model_name"),
            value=True,
            fix=f"add dynamic_batching to {clip(name)} (with a max_batch_size), or more instances",
        )


def _limits_members(model: Model, _options: Options) -> Iterator[Hit]:
    largest = model.message.max_batch_size
    limits = {member.message.max_batch_size for _, member in members(model)} if largest >= 0 else set()
    if limits and min(limits) > max(1, largest):
        yield model.hit(
            f"the ensemble takes {f'batches of {largest}' if largest > 1 else 'no batches'} although all its models "
            "take "
            f"{min(limits)}: clients with many items must send that many more requests",
            "max_batch_size",
            value=True,
            fix=f"write max_batch_size: {min(limits)}"
            + ("" if largest else ", and leave the batch dimension out of dims"),
        )


def _pinned(model: Model, _options: Options) -> Iterator[Hit]:
    for step, member in members(model):
        if step.version > 0 and any(version.number == step.version for version in member.versions):
            newer = max(version.number for version in member.versions)
            more = f", and {newer} is there" if newer > step.version else ""
            yield model.hit(
                f"{said(step)} keeps to version {step.version}{more}: new versions of {clip(step.model)} are not "
                "rolled out here",
                *(*step.path, "model_version"),
                value=True,
                fix="write model_version: -1, unless the models of the ensemble only fit together in these versions",
            )


def _optional_input(model: Model, _options: Options) -> Iterator[Hit]:
    optional = {item.name for item in model.message.input if item.optional} if model.is_ensemble else set()
    told: set[str] = set()
    for edge in flow_of(model).edges if optional and not model.detached else ():
        taker = edge.second
        if edge.first.step is None and edge.tensor in optional and taker.step is not None and not taker.gives:
            if taker.port.optional or edge.tensor in told:
                continue
            told.add(edge.tensor)
            yield model.hit(
                f"the ensemble's input {clip(edge.tensor)} is optional, but goes to {taker}, which is not: a request "
                "without "
                "it fails there",
                *("input", edge.first.position, "optional"),
                fix=f"remove optional, or make the input optional in {clip(taker.step.model)}",
            )


_SINGLE = 'backend: "onnxruntime"\nmax_batch_size: 0\n'
_PINNED = ensemble_text(step_text("resize", "A:IN", "B:OUT", "model_version: 1"))
_OPTIONAL = GOOD.replace("dims: [ 4 ]", "dims: [ 4 ] optional: true", 1)
_BATCHED = model_text(more="dynamic_batching { }\n")

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW540",
        slug="ensemble-batch-to-single",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Models of an ensemble that batches take batches",
        problem="The ensemble's `max_batch_size` is above 1, and a model with a max_batch_size of 0 reads a tensor "
        "without a "
        "variable first dimension.",
        bad=repository_text(GOOD, resize=_SINGLE + tensors_text("input", "A") + tensors_text("output", "B")),
        good=repository_text(
            GOOD, resize=_SINGLE + tensors_text("input", "A", "[ -1, 4 ]") + tensors_text("output", "B", "[ -1, 4 ]")
        ),
        why='Triton loads it, for the dims fit; a request with a batch of 3 fails with "unexpected shape for input".',
        source=_SOURCE,
        check=_batch_to_single,
    ),
    Rule(
        id="TW541",
        slug="ensemble-bottleneck",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="All models of an ensemble batch",
        problem="Some models of the ensemble have dynamic batching, and another has none.",
        bad=repository_text(TWO, resize=_BATCHED, rank=model_text()),
        good=repository_text(TWO, resize=_BATCHED, rank=_BATCHED),
        why="Each step batches for itself, over the requests of all clients. The slowest step bounds the ensemble.",
        source="Triton's user guide, ensemble_models.md.",
        check=_bottleneck,
    ),
    Rule(
        id="TW542",
        slug="ensemble-limits-batches",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="An ensemble takes the batches that its models take",
        problem="The ensemble's `max_batch_size` is below that of every model in it.",
        bad=repository_text(ensemble_text(step_text("resize", "A:IN", "B:OUT"), batch=2), resize=model_text()),
        good=repository_text(GOOD, resize=model_text()),
        why="An ensemble does not batch itself: its limit is for one client's request. Its models still batch over "
        "requests.",
        source="Triton's user guide, ensemble_models.md.",
        check=_limits_members,
    ),
    Rule(
        id="TW543",
        slug="ensemble-version-pinned",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="An ensemble follows the versions of its models",
        problem="A step's `model_version` is a certain version.",
        bad=repository_text(_PINNED, resize=model_text()),
        good=repository_text(GOOD, resize=model_text()),
        why="A new version of the model is loaded, and the ensemble goes on with the old one; once that is unloaded, "
        "the ensemble is too.",
        source="Triton's model_config.proto, ModelEnsembling; tritonserver 2.51.0 (measured).",
        check=_pinned,
    ),
    Rule(
        id="TW544",
        slug="ensemble-optional-input",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Optional inputs of an ensemble go to optional inputs",
        problem="An input of the ensemble is optional, and the model's input that it goes to is not.",
        bad=repository_text(_OPTIONAL, resize=model_text()),
        good=repository_text(GOOD, resize=model_text()),
        why='Triton loads it; a request without the input fails with "missing required input(s)".',
        source=_SOURCE,
        check=_optional_input,
    ),
)
