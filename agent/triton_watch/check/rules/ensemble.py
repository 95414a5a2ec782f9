"""50x: what Triton refuses of an ensemble's own configuration: its platform and its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.graph import SCHEDULING, graph_of
from triton_watch.check.resolve import DETECTED, ENSEMBLE
from triton_watch.check.rule import Rule, Scope, Stage
from triton_watch.check.rules.ensemble_examples import GOOD, ensemble_text, step_text
from triton_watch.records import Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.graph import Step
    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

_SOURCE = "tritonserver 2.51.0 (measured); ValidateEnsembleSchedulingConfig, src/model_config_utils.cc."


def said(step: Step) -> str:
    """Return a step in words, counted as Triton counts them."""
    return f"step {step.index} ({clip(step.model)})"


def whole(model: Model) -> bool:
    """Whether the steps of an ensemble are all there to be judged."""
    return model.readable and model.message.HasField(SCHEDULING)


def _no_platform(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    if not message.HasField(SCHEDULING) or message.platform == ENSEMBLE or not (message.platform or model.readable):
        return
    if not message.platform and not message.backend and not _detected(model):
        words = f"Could not determine backend for model '{clip(model.name)}' with no backend in model configuration"
    else:
        words = f"ensemble scheduling cannot be set for model '{clip(model.name)}' whose platform is not ensemble"
    yield model.hit(
        f'the model has steps, but not the platform of an ensemble; Triton: "{words}"',
        "platform" if message.platform else "backend" if message.backend else SCHEDULING,
        fix='write platform: "ensemble"' + (", without a backend" if message.backend else ""),
    )


def _detected(model: Model) -> bool:
    """Whether a model file tells a backend, which Triton then takes."""
    folder = model.versions[0].folder if model.versions else None
    return folder is not None and any(folder.get(name) is not None for name, _ in DETECTED)


def _no_scheduling(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    if message.platform == ENSEMBLE and not message.backend and model.readable and not message.HasField(SCHEDULING):
        other = message.WhichOneof("scheduling_choice")
        yield model.hit(
            f'the ensemble has no steps; Triton: "ensemble scheduling must be set for ensemble {clip(model.name)} '
            "whose "
            'platform is ensemble"',
            other or "platform",
            fix="add ensemble_scheduling with a step for each model" + (f" instead of {other}" if other else ""),
        )


def _no_steps(model: Model, _options: Options) -> Iterator[Hit]:
    if whole(model) and not graph_of(model).steps:
        yield model.hit(
            f"the ensemble has no steps; Triton: \"must specify 'step' for ensemble '{clip(model.name)}'\"",
            SCHEDULING,
            fix='add a step for each model: step { model_name: "…" model_version: -1 input_map { … } output_map { … '
            "} }",
        )


def _no_model(model: Model, _options: Options) -> Iterator[Hit]:
    for step in graph_of(model).steps if whole(model) else ():
        if not step.model:
            yield model.hit(
                f"step {step.index} names no model; Triton: \"must specify 'model_name' in step {step.index} of "
                "ensemble "
                f"'{clip(model.name)}'\"",
                *step.path,
                fix='write model_name: "…"',
            )


def _no_map(model: Model, _options: Options) -> Iterator[Hit]:
    for step in graph_of(model).steps if whole(model) else ():
        for name, pairs in (("input_map", step.inputs), ("output_map", step.outputs)):
            if step.model and not pairs:
                yield model.hit(
                    f"{said(step)} has no {name}; Triton: \"must specify '{name}' in step {step.index} of ensemble "
                    f"'{clip(model.name)}'\"",
                    *step.path,
                    fix=f'add {name} {{ key: "the model\'s {name[:-4]}" value: "the ensemble\'s tensor" }}',
                )


def _warmup(model: Model, _options: Options) -> Iterator[Hit]:
    if model.is_ensemble and len(model.message.model_warmup):
        yield model.hit(
            'an ensemble runs nothing itself that could be warmed up; Triton: "model_warmup can not be specified for '
            f"ensemble '{clip(model.name)}'\"",
            "model_warmup",
            fix="move it to the members",
        )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW500",
        slug="steps-without-platform",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A model with steps is an ensemble",
        problem='There is `ensemble_scheduling`, but `platform` is not "ensemble".',
        bad=GOOD.replace('platform: "ensemble"\n', ""),
        good=GOOD,
        why="Triton looks for a backend then, and ensembles have none.",
        source=_SOURCE,
        check=_no_platform,
        fixable=True,
    ),
    Rule(
        id="TW501",
        slug="ensemble-without-scheduling",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="An ensemble has steps",
        problem='`platform` is "ensemble", and there is no `ensemble_scheduling`.',
        bad='platform: "ensemble"\nmax_batch_size: 8\n',
        good=GOOD,
        why="An ensemble is nothing but its steps.",
        source=_SOURCE,
        check=_no_scheduling,
    ),
    Rule(
        id="TW502",
        slug="ensemble-without-step",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="`ensemble_scheduling` has steps",
        problem="`ensemble_scheduling` has no `step`.",
        bad=ensemble_text(),
        good=GOOD,
        why="An ensemble is nothing but its steps.",
        source=_SOURCE,
        check=_no_steps,
    ),
    Rule(
        id="TW503",
        slug="step-without-model",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A step names its model",
        problem="A step has no `model_name`.",
        bad=GOOD.replace('model_name: "resize" ', ""),
        good=GOOD,
        why="A step is a call of a model.",
        source=_SOURCE,
        check=_no_model,
    ),
    Rule(
        id="TW504",
        slug="step-without-map",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A step maps inputs and outputs",
        problem="A step has no `input_map` or no `output_map`.",
        bad=ensemble_text(step_text("resize", "A:IN", "")),
        good=GOOD,
        why="A step without inputs would never start, one without outputs would be for nothing.",
        source=_SOURCE,
        check=_no_map,
    ),
    Rule(
        id="TW505",
        slug="ensemble-with-warmup",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="An ensemble has no warm-up of its own",
        problem="There is `model_warmup` in an ensemble.",
        bad=GOOD + 'model_warmup { name: "w" }\n',
        good=GOOD,
        why="Warm-up runs a model's instances, and an ensemble has none.",
        source=_SOURCE,
        check=_warmup,
    ),
)
