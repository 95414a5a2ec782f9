"""30x: inputs and outputs of a configuration by themselves: what must be there, and valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, RedLine, Rule, Scope, Stage
from triton_watch.check.rules.io_text import MOST_TENSORS, Declared, declared, dims_text
from triton_watch.check.rules.python_model import completes_itself
from triton_watch.check.served import resolved
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.pbtxt.messages import ModelInput, ModelOutput
    from triton_watch.check.rule import Hit

INPUT = 'input { name: "pixels" data_type: TYPE_FP32 dims: [ 3, 224, 224 ] }\n'
OUTPUT = 'output { name: "scores" data_type: TYPE_FP32 dims: [ 1000 ] }\n'
GOOD = f'backend: "onnxruntime"\n{INPUT}{OUTPUT}'
MEASURED = "tritonserver 2.51.0 (measured); ValidateModelIOConfig, src/model_config_utils.cc."
FILLED = frozenset({"onnxruntime", "tensorrt", "openvino", "tensorflow", "dali"})
"""Backends that take missing inputs and outputs from the model's file."""
_OWN = frozenset({"vllm"})
"""Backends whose inputs and outputs are their own, the same for every model."""
_FIELD_BY_FIELD = frozenset({"tensorrt", "tensorflow"})
"""Backends that complete even a single input of which only the name is written."""
_EXAMPLE = 'name: "…" data_type: TYPE_FP32 dims: [ … ]'


def _incomplete(model: Model, options: Options) -> Iterator[Hit]:
    if not model.readable:
        return
    filled = options.auto_complete and (model.backend in _FIELD_BY_FIELD or completes_itself(model))
    for one in declared(model):
        missing = _missing_field(one)
        if missing and not (filled and missing != "name"):
            subject = one.quoted if one.io.name else f"model {one.field}"
            yield model.hit(
                f"{one.label} has no {missing}: \"{subject} must specify '{missing}'\"",
                *one.path,
                missing,
                fix=f"write it: {one.field} {{ {_EXAMPLE} }}",
            )


def _missing_field(one: Declared) -> str | None:
    if not one.io.name:
        return "name"
    if one.io.data_type == 0:
        return "data_type"
    return None if one.io.dims else "dims"


def _absent(model: Model, options: Options) -> Iterator[Hit]:
    message = model.message
    absent = [word for word, ios in (("input", message.input), ("output", message.output)) if not ios]
    if not absent or not model.readable or model.backend in _OWN or model.backend == "pytorch":
        return
    yield model.hit(
        f"no {' and no '.join(absent)} is specified: {_consequence(model, options)}; requests, ensembles and the "
        "model's file cannot be checked against the configuration",
        fix="; ".join(f"write {word} {{ {_EXAMPLE} }}" for word in absent),
    )


def _consequence(model: Model, options: Options) -> str:
    from_file = model.backend in FILLED and resolved(model).platform != "tensorflow_graphdef"
    filled = from_file or completes_itself(model)
    if filled and not options.auto_complete:
        return "with --disable-auto-complete-config nothing fills it in"
    if from_file:
        return "Triton fills it in from the model's file, unless it runs with --disable-auto-complete-config"
    return "model.py fills it in (auto_complete_config)" if filled else "Triton accepts that and fills nothing in"


def _pytorch(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "pytorch" or not model.readable or model.message.runtime:
        return
    if resolved(model).platform == "torch_aoti":
        return
    for word, ios in (("input", model.message.input), ("output", model.message.output)):
        if not ios:
            yield model.hit(
                f'no {word} is specified, and the PyTorch backend fills nothing in: "model configuration must '
                f'contain at least one {word}, none were specified"',
                fix=f'write {word} {{ name: "{word.upper()}__0" data_type: TYPE_FP32 dims: [ … ] }}',
            )


def _dims(model: Model, _options: Options) -> Iterator[Hit]:
    for one in declared(model):
        wrong = next((index for index, dim in enumerate(one.io.dims) if dim < 1 and dim != -1), None)
        if wrong is not None:
            yield model.hit(
                f'{one.label} has a dimension of {one.io.dims[wrong]}: "{one.quoted} dimension must be integer >= 1, '
                'or -1 to indicate a variable-size dimension"',
                *one.path,
                *("dims", wrong),
                fix=f"write dims: {dims_text([dim if dim >= 1 else -1 for dim in one.io.dims])} if it varies",
            )


def _twice(model: Model, _options: Options) -> Iterator[Hit]:
    for field, ios in (("input", model.message.input), ("output", model.message.output)):
        for index in _repeated(ios):
            name = clip(ios[index].name)
            yield model.hit(
                f"two {field}s are called '{name}': Triton accepts that and goes by the last one",
                *(field, index, "name"),
                fix="remove one, or give it its own name",
            )


def _repeated(ios: Sequence[ModelInput | ModelOutput]) -> Iterator[int]:
    seen: set[str] = set()
    for index, io in enumerate(ios[:MOST_TENSORS]):
        if io.name and io.name in seen:
            yield index
        seen.add(io.name)


def _both(model: Model, _options: Options) -> Iterator[Hit]:
    inputs = {io.name for io in model.message.input if io.name}
    shared = [io.name for io in model.message.output[:MOST_TENSORS] if io.name in inputs]
    if shared and model.backend in {"onnxruntime", "tensorrt"}:
        index = next(index for index, io in enumerate(model.message.output) if io.name == shared[0])
        yield model.hit(
            f"{listed(shared)} is called an input and an output: Triton accepts that, and a model's file seldom has it",
            *("output", index, "name"),
            fix="write the output's name as the model's file has it",
        )


INCOMPLETE = Rule(
    id="TW301",
    slug="incomplete-tensor",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    red_line=RedLine.NO_INPUT_OUTPUT,
    box=Box.SHAPES,
    title="Each input and output has a name, a data type and dims",
    problem="An input or output is written without one of the three.",
    bad='backend: "onnxruntime"\ninput { name: "pixels" dims: [ 3, 224, 224 ] }\n' + OUTPUT,
    good=GOOD,
    why="Triton completes an input or output only when none is written at all (TensorRT, TensorFlow and "
    "auto_complete_config of a model.py complete single fields too).",
    source=MEASURED,
    check=_incomplete,
)

ABSENT = Rule(
    id="TW302",
    slug="no-inputs-or-outputs",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    red_line=RedLine.NO_INPUT_OUTPUT,
    box=Box.SHAPES,
    title="A configuration specifies inputs and outputs",
    problem="No input, or no output, is specified. Triton accepts that. vLLM's are its own and not asked for.",
    bad='backend: "onnxruntime"\n' + INPUT,
    good=GOOD,
    why="The specification is the contract: with it a wrong export fails at load and not in clients, and it can be "
    "checked before deployment.",
    source=MEASURED,
    check=_absent,
)

PYTORCH = Rule(
    id="TW303",
    slug="pytorch-needs-inputs-and-outputs",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    red_line=RedLine.NO_INPUT_OUTPUT,
    box=Box.SHAPES,
    title="A PyTorch model's configuration has an input and an output",
    problem="TorchScript does not tell types and shapes, so the backend completes nothing and refuses the model.",
    bad='backend: "pytorch"\n' + INPUT,
    good='backend: "pytorch"\n' + INPUT + OUTPUT,
    why="The version fails to load.",
    source="PyTorch backend, ModelInstanceState::ValidateInputs and ValidateOutputs, src/libtorch.cc.",
    check=_pytorch,
)

DIMS = Rule(
    id="TW304",
    slug="invalid-dims",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="A dimension is at least 1, or -1",
    problem="A dimension in dims is 0 or below -1.",
    bad='backend: "onnxruntime"\ninput { name: "ids" data_type: TYPE_INT64 dims: [ 0 ] }\n' + OUTPUT,
    good='backend: "onnxruntime"\ninput { name: "ids" data_type: TYPE_INT64 dims: [ -1 ] }\n' + OUTPUT,
    why="A dimension that varies is written as -1.",
    source=MEASURED,
    check=_dims,
)

TWICE = Rule(
    id="TW305",
    slug="duplicate-tensor-name",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    box=Box.SHAPES,
    title="Names of inputs are different, and those of outputs",
    problem="Two inputs, or two outputs, have one name. Triton accepts that.",
    bad=f'backend: "onnxruntime"\n{INPUT}{INPUT}{OUTPUT}',
    good=GOOD,
    why="One of them can never be addressed; mostly it is a slip of copying.",
    source=MEASURED,
    check=_twice,
)

BOTH = Rule(
    id="TW306",
    slug="input-and-output-of-one-name",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    box=Box.SHAPES,
    confidence=Confidence.MEDIUM,
    title="An output is not called as an input",
    problem="An input and an output of an ONNX or TensorRT model have one name. Triton accepts that.",
    bad='backend: "onnxruntime"\ninput { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }\n'
    'output { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }\n',
    good=GOOD,
    why="A graph's tensors have different names, so one of the two is most likely wrong.",
    source=MEASURED,
    check=_both,
)

RULES: tuple[Rule, ...] = (INCOMPLETE, ABSENT, PYTORCH, DIMS, TWICE, BOTH)
