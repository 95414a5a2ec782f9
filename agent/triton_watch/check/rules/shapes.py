"""34x: dims and types of a configuration against the model's file. Nothing is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Rule, Scope, Stage
from triton_watch.check.rules.io_text import dims_text, type_name
from triton_watch.check.rules.model_examples import onnx
from triton_watch.check.rules.shape_match import Fault, Pair, faults_of, pairs_of, right_dims, severity_of, told_files
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

COMPARED = "ONNX Runtime backend, ModelInstanceState::ValidateInputs and ValidateOutputs, and CompareDimsSupported."
_MODEL = onnx("pixels FP32 -1 3 224 224", "scores FP32 -1 1000")


def example(config: str, model: str = _MODEL) -> str:
    """Return a model of the ONNX Runtime backend as an example of a rule."""
    return f'--- ranker/config.pbtxt\nbackend: "onnxruntime"\n{config}--- ranker/1/model.onnx\n{model}\n'


def tensor(field: str, name: str, dtype: str, dims: str) -> str:
    """Return an input or output as a line of a configuration."""
    return f'{field} {{ name: "{name}" data_type: TYPE_{dtype} dims: [ {dims} ] }}\n'


_SCORES = tensor("output", "scores", "FP32", "1000")
_GOOD = example(f"max_batch_size: 8\n{tensor('input', 'pixels', 'FP32', '3, 224, 224')}{_SCORES}")


def _difference(model: Model, pair: Pair) -> str:
    """Return the two shapes side by side."""
    io = pair.tensor.io
    batching = model.message.max_batch_size > 0
    dims = io.reshape.shape if io.HasField("reshape") else io.dims
    written = dims_text([-1, *dims] if batching else dims)
    how = "max_batch_size > 0 puts the batch dimension before dims" if batching else "max_batch_size is 0"
    file, label = pair.file, pair.tensor.label
    return f"{label} of {file} has shape {dims_text(pair.spec.shape or ())}, the configuration says {written} ({how})"


def _shape_hit(model: Model, pair: Pair, message: str, fix: str, *, sure: bool = True) -> Hit:
    severity, confidence = severity_of(model) if sure else (Severity.WARNING, Confidence.MEDIUM)
    reshaped = pair.tensor.io.HasField("reshape")
    place = (*pair.tensor.path, "reshape" if reshaped else "dims")
    return model.hit(message, *place, fix=fix, severity=severity, confidence=confidence)


def _paste(model: Model, pair: Pair) -> str:
    shape = pair.spec.shape or ()
    batching = model.message.max_batch_size > 0
    if pair.tensor.io.HasField("reshape"):
        return f"write reshape {{ shape: {dims_text(shape[1:] if batching else shape)} }}, or no reshape"
    return f"write {right_dims(shape, batching=batching)}"


def _shape(model: Model, _options: Options) -> Iterator[Hit]:
    for pair, fault in faults_of(model):
        if fault in (Fault.SIZES, Fault.RANK, Fault.LEFT_OUT):
            fix = _paste(model, pair)
            if fault is Fault.LEFT_OUT and (pair.spec.shape or (0,))[0] == -1:
                fix += ", or max_batch_size: 8 (or more) if the first dimension is the batch"
            yield _shape_hit(model, pair, _difference(model, pair), fix)


def _repeated(model: Model, _options: Options) -> Iterator[Hit]:
    for pair, fault in faults_of(model):
        if fault is Fault.REPEATED:
            yield _shape_hit(
                model,
                pair,
                f"dims has the batch dimension once more: {_difference(model, pair)}",
                _paste(model, pair),
            )


def _no_batch(model: Model, options: Options) -> Iterator[Hit]:
    maximum = model.message.max_batch_size
    for pair, fault in faults_of(model):
        if fault is Fault.NO_BATCH:
            shape = pair.spec.shape or ()
            yield _shape_hit(
                model,
                pair,
                f"max_batch_size is {maximum}, and {pair.tensor.label} of {pair.file} has shape {dims_text(shape)}: to "
                "batch, the first dimension of every input and output must be variable (-1)",
                f"write max_batch_size: 0 and {right_dims(shape, batching=False)}, or export the model with a dynamic "
                "first dimension",
            )
    if maximum > 0 and model.backend == "onnxruntime" and options.auto_complete:
        yield from _no_batch_filled_in(model)


def _no_batch_filled_in(model: Model) -> Iterator[Hit]:
    """Report a model whose inputs or outputs Triton takes from the file: it then compares all of them."""
    message = model.message
    if message.input and message.output:
        return
    for one in told_files(model):
        open_ends = [
            *(() if message.input else one.file.inputs or ()),
            *(() if message.output else one.file.outputs or ()),
        ]
        fixed = next((spec for spec in open_ends if spec.shape and spec.shape[0] != -1), None)
        if fixed is not None:
            yield model.hit(
                f"max_batch_size is {message.max_batch_size}, and '{clip(fixed.name)}' of {one.version.name}/"
                f"{clip(one.name)} has shape {dims_text(fixed.shape or ())}: "
                '"model does not support batching while non-zero max_batch_size is specified"',
                "max_batch_size",
                fix="write max_batch_size: 0, or export the model with a dynamic first dimension",
            )


def _narrower(model: Model, _options: Options) -> Iterator[Hit]:
    for pair, fault in faults_of(model):
        if fault is Fault.NARROWER:
            yield _shape_hit(
                model,
                pair,
                f"{_difference(model, pair)}: of an output, what the model leaves open must be -1, unless the backend "
                "itself infers it",
                _paste(model, pair),
                sure=False,
            )


def _types(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend == "openvino":
        return  # it converts
    for pair in pairs_of(model):
        written, known = type_name(pair.tensor.io.data_type), pair.spec.dtype
        if known is not None and written not in (known, "INVALID"):
            yield model.hit(
                f'{pair.tensor.label} of {pair.file} is TYPE_{known}: "configuration expects datatype '
                f"TYPE_{written} for {pair.tensor.field} '{clip(pair.spec.name)}', model provides TYPE_{known}\"",
                *pair.tensor.path,
                "data_type",
                value=True,
                fix=f"write data_type: TYPE_{known}",
            )


SHAPE = Rule(
    id="TW340",
    slug="shape-mismatch",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.SHAPES,
    title="dims of inputs and outputs are those of the model's file",
    problem="The number of dimensions differs, or a dimension that the model fixes has another size (or -1) in the "
    "configuration. OpenVINO reshapes some models, so there it is a warning.",
    bad=example(f"max_batch_size: 8\n{tensor('input', 'pixels', 'FP32', '3, 256, 256')}{_SCORES}"),
    good=_GOOD,
    why='The backend refuses the model: "the model expects 4 dimensions … but the model configuration specifies …".',
    source=COMPARED,
    check=_shape,
)

REPEATED = Rule(
    id="TW341",
    slug="batch-dimension-repeated",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.SHAPES,
    title="dims leaves the batch dimension to max_batch_size",
    problem="max_batch_size is above 0, and dims has as many dimensions as the model's tensor, the batch included.",
    bad=example(f"max_batch_size: 8\n{tensor('input', 'pixels', 'FP32', '-1, 3, 224, 224')}{_SCORES}"),
    good=_GOOD,
    why="With max_batch_size above 0 Triton puts a dimension for the batch before dims, and the backend then finds one "
    "too many.",
    source=COMPARED,
    check=_repeated,
    fixable=True,
)

NO_BATCH = Rule(
    id="TW342",
    slug="model-does-not-batch",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.SHAPES,
    title="A model with max_batch_size has a variable first dimension",
    problem="max_batch_size is above 0, and the first dimension of an input or output in the model's file is fixed.",
    bad=example(
        f"max_batch_size: 8\n{tensor('input', 'pixels', 'FP32', '3, 224, 224')}{_SCORES}",
        onnx("pixels FP32 1 3 224 224", "scores FP32 1 1000"),
    ),
    good=_GOOD,
    why='The backend refuses it: "for the model to support batching the shape should have at least 1 dimension and the '
    'first dimension must be -1".',
    source=COMPARED,
    check=_no_batch,
)

NARROWER = Rule(
    id="TW343",
    slug="output-shape-narrower",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    confidence=Confidence.MEDIUM,
    box=Box.SHAPES,
    title="dims of an output leave open what the model leaves open",
    problem="A dimension of an output is fixed in the configuration and variable in the model's file.",
    bad=example(
        f"max_batch_size: 8\n{tensor('input', 'pixels', 'FP32', '3, 224, 224')}{_SCORES}",
        onnx("pixels FP32 -1 3 224 224", "scores FP32 -1 -1"),
    ),
    good=_GOOD,
    why="Backends compare outputs exactly. ONNX Runtime may infer the size from the graph, and then it fits.",
    source=COMPARED,
    check=_narrower,
)

TYPES = Rule(
    id="TW344",
    slug="data-type-mismatch",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.SHAPES,
    title="Data types are those of the model's file",
    problem="An input or output has another data type in the model's file.",
    bad=example(f"max_batch_size: 8\n{tensor('input', 'pixels', 'UINT8', '3, 224, 224')}{_SCORES}"),
    good=_GOOD,
    why="Nothing converts: the backend refuses the model. (OpenVINO converts, and is not judged.)",
    source=COMPARED,
    check=_types,
    fixable=True,
)

RULES: tuple[Rule, ...] = (SHAPE, REPEATED, NO_BATCH, NARROWER, TYPES)
