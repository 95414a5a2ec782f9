"""51x: the tensors of an ensemble, by its own configuration: each is written once and used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.graph import graph_of
from triton_watch.check.rule import Rule, Scope, Stage
from triton_watch.check.rules.ensemble import said, whole
from triton_watch.check.rules.ensemble_examples import GOOD, STEP, TWO, ensemble_text, step_text
from triton_watch.records import Severity
from triton_watch.wording.text import clip, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

_SOURCE = (
    "tritonserver 2.51.0 (measured); BuildEnsembleGraph and ValidateEnsembleSchedulingConfig, src/ensemble_utils.cc."
)


def _written_twice(model: Model, _options: Options) -> Iterator[Hit]:
    for tensor, writers in graph_of(model).writers.items():
        for step, name in writers[1:]:
            yield model.hit(
                f'the tensor {clip(tensor)} is already written by {said(writers[0][0])}; Triton: "ensemble tensor '
                f"'{clip(tensor)}' can appear in an output map only once for ensemble '{clip(model.name)}' step "
                f'{step.index}"',
                *(*step.path, "output_map", name, "value"),
                value=True,
                fix="give this output a tensor name of its own",
            )


def _unused_input(model: Model, _options: Options) -> Iterator[Hit]:
    graph = graph_of(model)
    mapped = graph.steps and all(step.inputs for step in graph.steps)
    for number, item in enumerate(model.message.input) if whole(model) and mapped else ():
        name = item.name
        if name and name not in graph.readers and name not in graph.writers:
            meant = nearest(name, graph.unwritten[:200])
            yield model.hit(
                f"no step reads the ensemble's input {clip(name)}; Triton: \"ensemble input '{clip(name)}' for "
                "ensemble "
                f"{clip(model.name)}' is not used\"",
                *("input", number, "name"),
                value=True,
                fix=f'write "{clip(meant)}", which {said(graph.readers[meant][0][0])} reads'
                if meant
                else "map it to an input of a step, or remove it",
            )


def _unused_output(model: Model, _options: Options) -> Iterator[Hit]:
    graph = graph_of(model)
    mapped = graph.steps and all(step.outputs for step in graph.steps)
    for number, item in enumerate(model.message.output) if whole(model) and mapped else ():
        name = item.name
        if name and name not in graph.readers and name not in graph.writers:
            meant = nearest(name, graph.unused[:200])
            yield model.hit(
                f"no step writes the ensemble's output {clip(name)}; Triton: \"ensemble output '{clip(name)}' for "
                "ensemble "
                f"{clip(model.name)}' is not used\"",
                *("output", number, "name"),
                value=True,
                fix=f'write "{clip(meant)}", which {said(graph.writers[meant][0][0])} writes'
                if meant
                else "map the output of a step to it, or remove it",
            )


def _unwritten(model: Model, _options: Options) -> Iterator[Hit]:
    graph = graph_of(model)
    for tensor in graph.unwritten if whole(model) else ():
        step, name = graph.readers[tensor][0]
        output = graph.output_behind(tensor)
        quoted = (
            f"output '{clip(output)}' for ensemble '{clip(model.name)}' is not written: at least one of its depending "
            f"tensors, '{clip(tensor)}', is not connected"
            if output is not None
            else f"ensemble tensor '{clip(tensor)}' is unused in ensemble '{clip(model.name)}'"
        )
        meant = nearest(tensor, [*list(graph.inputs)[:200], *list(graph.writers)[:200]])
        swapped = (
            " (key is the model's name of it, value the ensemble's: are they swapped?)" if name in graph.inputs else ""
        )
        yield model.hit(
            f"{said(step)} reads {clip(tensor)}, which no step writes and which is no input of the ensemble{swapped}; "
            f'Triton: "{quoted}"',
            *(*step.path, "input_map", name, "value"),
            value=True,
            fix=f'write "{clip(meant)}"'
            if meant
            else f"map an output of a step to {clip(tensor)}, or add it to `input`",
        )


def _loop(model: Model, _options: Options) -> Iterator[Hit]:
    for loop in graph_of(model).loops() if whole(model) else ():
        step, tensor = loop[0]
        shown = " -> ".join(f"{said(one)} waits for {clip(awaited)}" for one, awaited in loop[:6])
        output = graph_of(model).output_behind(tensor) or "…"
        yield model.hit(
            f'steps wait for each other: {shown}{" -> …" if len(loop) > 6 else ""} -> {said(step)}; Triton: "output '
            f"'{clip(output)}' for ensemble '{clip(model.name)}' is not written: at least one of its depending "
            "tensors, "
            f"'{clip(tensor)}', is not connected\"",
            *step.path,
            fix="an ensemble runs each step once; loops need a Python model that calls the others (BLS)",
        )


def _unused(model: Model, _options: Options) -> Iterator[Hit]:
    graph = graph_of(model)
    for tensor in graph.unused if whole(model) else ():
        step, name = graph.writers[tensor][0]
        meant = nearest(tensor, [one for one in list(graph.outputs)[:200] if one not in graph.writers])
        alone = len(step.outputs) == 1
        yield model.hit(
            f"nothing reads {clip(tensor)}, which {said(step)} writes, and it is no output of the ensemble; Triton: "
            f"\"ensemble tensor '{clip(tensor)}' is unused in ensemble '{clip(model.name)}'\"",
            *(*step.path, "output_map", name, "value"),
            value=True,
            fix=f'write "{clip(meant)}"'
            if meant
            else f"remove the {'step' if alone else 'output_map entry'}, or add {clip(tensor)} to `output`",
        )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW510",
        slug="ensemble-tensor-written-twice",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A tensor is written once",
        problem="A tensor of the ensemble is in two entries of `output_map`.",
        bad=ensemble_text(STEP, step_text("rank", "A:IN", "B:OUT")),
        good=GOOD,
        why="The second writer would race with the first.",
        source=_SOURCE,
        check=_written_twice,
    ),
    Rule(
        id="TW511",
        slug="ensemble-input-unused",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Each input of an ensemble is read",
        problem="An input of the ensemble is in no map of a step.",
        bad=ensemble_text(STEP, inputs="IN SIZE"),
        good=GOOD,
        why="A client would have to send it for nothing; often it is a misspelt name.",
        source=_SOURCE,
        check=_unused_input,
    ),
    Rule(
        id="TW512",
        slug="ensemble-output-unwritten",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Each output of an ensemble is written",
        problem="An output of the ensemble is in no map of a step.",
        bad=ensemble_text(STEP, outputs="OUT SCORE"),
        good=GOOD,
        why="No step would ever fill it; often it is a misspelt name.",
        source=_SOURCE,
        check=_unused_output,
    ),
    Rule(
        id="TW513",
        slug="ensemble-tensor-unwritten",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="What a step reads is written or comes in",
        problem="An `input_map` names a tensor that is no input of the ensemble and in no `output_map`.",
        bad=ensemble_text(step_text("resize", "A:IN", "B:MID"), step_text("rank", "A:MIDDLE", "B:OUT")),
        good=TWO,
        why="The step could never start, nor anything after it.",
        source=_SOURCE,
        check=_unwritten,
    ),
    Rule(
        id="TW514",
        slug="ensemble-loop",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Steps do not wait for each other",
        problem="Steps read what they themselves write, directly or through others.",
        bad=ensemble_text(step_text("resize", "A:IN C:MORE", "B:OUT"), step_text("rank", "A:OUT", "B:MORE")),
        good=TWO,
        why="A step runs once all its inputs are there: in a loop none ever is.",
        source=_SOURCE,
        check=_loop,
    ),
    Rule(
        id="TW515",
        slug="ensemble-tensor-unused",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="What a step writes is read or goes out",
        problem="An `output_map` names a tensor that is no output of the ensemble and in no `input_map`.",
        bad=ensemble_text(STEP, step_text("rank", "A:IN", "B:LOST")),
        good=TWO,
        why="Triton takes it for a mistake. An output that nobody needs is left out of `output_map`.",
        source=_SOURCE,
        check=_unused,
    ),
)
