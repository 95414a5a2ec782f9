"""34x: names of inputs and outputs against those in the model's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Rule, Scope, Stage
from triton_watch.check.rules.io_text import declared, names_of
from triton_watch.check.rules.model_examples import onnx
from triton_watch.check.rules.shape_match import given_inputs, severity_of, told_files
from triton_watch.check.rules.shapes import COMPARED, example, tensor
from triton_watch.records import Severity
from triton_watch.wording.text import clip, listed, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.check.formats import TensorSpec
    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit
    from triton_watch.check.served import ServedFile

_PIXELS = tensor("input", "pixels", "FP32", "-1, 3, 224, 224")
_SCORES = tensor("output", "scores", "FP32", "-1, 1000")
_GOOD = example(_PIXELS + _SCORES)


def _strange(model: Model, field: str) -> Iterator[Hit]:
    """Report the tensors of a configuration that the model's file does not have."""
    for one in told_files(model):
        specs = (one.file.inputs if field == "input" else one.file.outputs) or ()
        known = {spec.name for spec in specs}
        if not known:
            continue
        written = [tensor for tensor in declared(model) if tensor.field == field]
        free = sorted(known - {tensor.io.name for tensor in written})
        for it in written:
            if it.io.name and it.io.name not in known:
                yield _strange_hit(model, one, it.path, it.io.name, free, listed(sorted(known)))


def _strange_hit(
    model: Model, one: ServedFile, path: tuple[str, int], name: str, free: Sequence[str], known: str
) -> Hit:
    field = path[0]
    meant = free[0] if len(free) == 1 else nearest(name[:200], free[:200])
    severity, confidence = severity_of(model)
    return model.hit(
        f"{one.version.name}/{clip(one.name)} has no {field} '{clip(name)}': "
        f"\"unexpected inference {field} '{clip(name)}', allowed {field}s are: {known}\"",
        *path,
        "name",
        value=True,
        fix=f'write name: "{clip(meant)}"' if meant else f"remove it, or write one of {known}",
        severity=severity,
        confidence=confidence,
    )


def _strange_input(model: Model, _options: Options) -> Iterator[Hit]:
    yield from _strange(model, "input")


def _strange_output(model: Model, _options: Options) -> Iterator[Hit]:
    yield from _strange(model, "output")


def _left_out(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    if not message.input or not model.readable:
        return
    given = given_inputs(model)
    for one in told_files(model):
        specs = one.file.inputs or ()
        missing = [spec for spec in specs if not spec.optional and spec.name not in given]
        strange = len(names_of(message.input) - {spec.name for spec in specs})
        if len(missing) > strange:  # else it is their names that are wrong
            yield _left_out_hit(model, one, missing)


def _left_out_hit(model: Model, one: ServedFile, missing: Sequence[TensorSpec]) -> Hit:
    severity, confidence = severity_of(model)
    count = len(model.message.input)
    return model.hit(
        f"{one.version.name}/{clip(one.name)} has inputs that the configuration lacks: "
        f'{listed(spec.name for spec in missing)} ("configuration expects {count} inputs, model provides '
        f'{len(one.file.inputs or ())}")',
        "input",
        fix="add " + "; ".join(_line(model, spec) for spec in missing[:3]) + ("; …" if len(missing) > 3 else ""),
        severity=severity,
        confidence=confidence,
    )


def _line(model: Model, spec: TensorSpec) -> str:
    shape = spec.shape or ()
    dims = ", ".join(str(dim) for dim in (shape[1:] if model.message.max_batch_size > 0 else shape)[:12])
    return f'input {{ name: "{clip(spec.name)}" data_type: TYPE_{spec.dtype or "…"} dims: [ {dims or "1"} ] }}'


INPUT = Rule(
    id="TW346",
    slug="input-not-in-model",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.SHAPES,
    title="Inputs are called as in the model's file",
    problem="The model's file has no input of that name.",
    bad=example(tensor("input", "image", "FP32", "-1, 3, 224, 224") + _SCORES),
    good=_GOOD,
    why="The backend refuses the model. Names are compared exactly; SavedModels have the names of their signature.",
    source=COMPARED,
    check=_strange_input,
)

LEFT_OUT = Rule(
    id="TW347",
    slug="model-input-not-configured",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.SHAPES,
    title="All inputs of the model's file are configured",
    problem="The model's file has inputs that the configuration gives neither as input, nor as batch_input, control or "
    "state.",
    bad=example(tensor("input", "ids", "INT64", "-1"), onnx("ids INT64 -1, mask INT64 -1", "scores FP32 -1")),
    good=_GOOD,
    why="The backend refuses the model. (Outputs may be left out.)",
    source=COMPARED,
    check=_left_out,
)

OUTPUT = Rule(
    id="TW348",
    slug="output-not-in-model",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.SHAPES,
    title="Outputs are called as in the model's file",
    problem="The model's file has no output of that name.",
    bad=example(_PIXELS + tensor("output", "score", "FP32", "-1, 1000")),
    good=_GOOD,
    why="The backend refuses the model.",
    source=COMPARED,
    check=_strange_output,
)

RULES: tuple[Rule, ...] = (INPUT, LEFT_OUT, OUTPUT)
