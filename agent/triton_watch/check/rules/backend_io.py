"""33x: what single backends demand of inputs and outputs: types, names, optional ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.check.formats import Format
from triton_watch.check.rule import Box, Rule, Scope, Stage
from triton_watch.check.rules.io_text import Declared, declared, type_name
from triton_watch.check.rules.model_examples import torchscript
from triton_watch.check.served import served_files
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

UNSUPPORTED: Mapping[str, frozenset[str]] = {
    "tensorrt": frozenset({"STRING", "FP64", "INT16", "UINT16", "UINT32", "UINT64"}),
    "pytorch": frozenset({"UINT16", "UINT32", "UINT64"}),
}
"""Types that a backend has no tensors of. Those that only some releases lack are left out."""
_INSTEAD = {"FP64": "FP32", "INT16": "INT32", "UINT16": "INT32", "UINT32": "INT64", "UINT64": "INT64"}
NO_OPTIONAL = frozenset({"tensorrt", "pytorch", "tensorflow", "openvino"})
"""Backends whose models need all of their inputs."""
_INDEXED = re.compile(r".*?__(\d{1,9})")
_FORWARD = """\
--- ranker/config.pbtxt
backend: "pytorch"
input {{ name: "ids" data_type: TYPE_INT64 dims: [ -1 ] }}
--- ranker/1/model.pt
{}
"""


def _types(model: Model, _options: Options) -> Iterator[Hit]:
    unsupported = UNSUPPORTED.get(model.backend, frozenset())
    for one in declared(model) if unsupported else ():
        name = type_name(one.io.data_type)
        if name in unsupported:
            instead = _INSTEAD.get(name)
            yield model.hit(
                f"{one.label} is TYPE_{name}, and the {model.backend} backend has no such tensors",
                *one.path,
                "data_type",
                value=True,
                fix=f"write data_type: TYPE_{instead}, and convert it inside the model"
                if instead
                else "convert strings to numbers before this model, in a python model of an ensemble",
            )


def _strings(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "pytorch":
        return
    for one in declared(model):
        dims = one.io.reshape.shape if one.io.HasField("reshape") else one.io.dims
        if type_name(one.io.data_type) == "STRING" and len(dims) + (model.message.max_batch_size > 0) > 1:
            yield model.hit(
                f"{one.label} is TYPE_STRING with more than one dimension: "
                f'"Triton only supports 1 dimensional List of String as {one.field}"',
                *one.path,
                "dims",
                fix="use max_batch_size: 0 and dims: [ -1 ]",
            )


def _optional(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend not in NO_OPTIONAL:
        return
    for one in declared(model):
        if one.field == "input" and model.message.input[one.number].optional:
            yield model.hit(
                f"{one.label} is optional, and the {model.backend} backend knows none: \"'optional' is set to "
                f"true for input '{clip(one.io.name)}' while the backend model doesn't support optional input\"",
                *one.path,
                "optional",
                fix="remove optional: clients must send all inputs",
            )


def _index(one: Declared) -> int | None:
    match = _INDEXED.fullmatch(one.io.name)
    return None if match is None else int(match[1])


def _naming(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "pytorch":
        return
    every = [one for one in declared(model) if one.io.name]
    for field in ("input", "output"):
        ios = [one for one in every if one.field == field]
        yield from _mixed(model, ios)
        yield from _numbers(model, ios, whole=field == "input")


def _mixed(model: Model, ios: Sequence[Declared]) -> Iterator[Hit]:
    plain = [one for one in ios if _index(one) is None]
    if plain and len(plain) < len(ios):
        yield model.hit(
            f"{plain[0].label} is not called <name>__<index> as the others are: the PyTorch backend then takes all "
            "of them in the order of the configuration",
            *plain[0].path,
            "name",
            value=True,
            fix=f'write "{clip(plain[0].io.name)}__{plain[0].number}", or the names of forward\'s arguments for all',
        )


def _numbers(model: Model, ios: Sequence[Declared], *, whole: bool) -> Iterator[Hit]:
    numbers = [_index(one) for one in ios]
    if not ios or None in numbers:
        return
    seen: set[int | None] = set()
    for one, number in zip(ios, numbers, strict=True):
        beyond = whole and number is not None and number >= len(ios)
        if number in seen or beyond:
            why = f"there are {len(ios)}, from 0 to {len(ios) - 1}" if beyond else "another one has the same"
            yield model.hit(
                f"{one.label} has the index {number}, and {why}: the PyTorch backend gives tensors to forward's "
                "arguments by these numbers",
                *one.path,
                "name",
                value=True,
                fix="count from 0 on without gaps",
            )
        seen.add(number)


def _forward(model: Model, _options: Options) -> Iterator[Hit]:
    if model.backend != "pytorch" or model.message.HasField("sequence_batching") or not model.message.input:
        return
    given = len(model.message.input) + len(model.message.batch_input)
    for one in served_files(model):
        arguments = one.file.detail.get("forward", "") if one.file.format is Format.TORCHSCRIPT else ""
        count = len(arguments.split(",")) if arguments else 0
        names = listed(arguments.split(","))
        if count > 1 and count != given:
            yield model.hit(
                f"forward of {one.version.name}/{clip(one.name)} takes {count} arguments ({names}): "
                f'"configuration expects {given} inputs, model provides {count}"',
                "input",
                fix="specify one input for each argument of forward",
            )


TYPES = Rule(
    id="TW330",
    slug="backend-lacks-data-type",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.SHAPES,
    title="The backend has tensors of the type",
    problem="An input or output of a TensorRT or PyTorch model has a type that the backend has not.",
    bad='backend: "tensorrt"\ninput { name: "text" data_type: TYPE_STRING dims: [ 1 ] }\n',
    good='backend: "tensorrt"\ninput { name: "ids" data_type: TYPE_INT32 dims: [ 128 ] }\n',
    why="The core accepts it, the backend refuses the model.",
    source="tensorrt_utils.cc and libtorch_utils.cc of the backends, 24.10.",
    check=_types,
)

STRINGS = Rule(
    id="TW331",
    slug="pytorch-string-dims",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    box=Box.SHAPES,
    title="Strings of a PyTorch model have one dimension",
    problem="A TYPE_STRING tensor has more than one dimension, the batch dimension counted.",
    bad='backend: "pytorch"\nmax_batch_size: 8\ninput { name: "text" data_type: TYPE_STRING dims: [ 4 ] }\n',
    good='backend: "pytorch"\ninput { name: "text" data_type: TYPE_STRING dims: [ -1 ] }\n',
    why="TorchScript gets it as List[str].",
    source="PyTorch backend, src/libtorch.cc.",
    check=_strings,
)

OPTIONAL = Rule(
    id="TW332",
    slug="optional-input-unsupported",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    confidence=Confidence.MEDIUM,
    box=Box.SHAPES,
    title="An input is optional where the backend knows that",
    problem="An input of a TensorRT, PyTorch, TensorFlow or OpenVINO model is optional.",
    bad='backend: "tensorrt"\ninput { name: "x" data_type: TYPE_FP32 dims: [ 4 ] optional: true }\n',
    good='backend: "python"\ninput { name: "x" data_type: TYPE_FP32 dims: [ 4 ] optional: true }\n',
    why="These backends refuse a model with such an input.",
    source="backend repository, BackendModel of src/backend_model.cc (allow_optional).",
    check=_optional,
)

NAMING = Rule(
    id="TW333",
    slug="pytorch-tensor-names",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    confidence=Confidence.MEDIUM,
    box=Box.SHAPES,
    title="Names of a PyTorch model's tensors say their order",
    problem="Some names end in __<index> and others do not, or an index is given twice or beyond the number of inputs.",
    bad='backend: "pytorch"\ninput { name: "INPUT__0" data_type: TYPE_FP32 dims: [ 4 ] }\n'
    'input { name: "mask" data_type: TYPE_FP32 dims: [ 4 ] }\n',
    good='backend: "pytorch"\ninput { name: "INPUT__0" data_type: TYPE_FP32 dims: [ 4 ] }\n'
    'input { name: "INPUT__1" data_type: TYPE_FP32 dims: [ 4 ] }\n',
    why="TorchScript has no names of outputs: the number tells. A mixture falls back to the order of the configuration "
    "and is only logged, so tensors may go to the wrong argument.",
    source="PyTorch backend, ModelInstanceState::GetNamingConvention, src/libtorch.cc.",
    check=_naming,
)

FORWARD = Rule(
    id="TW334",
    slug="pytorch-forward-arguments",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    stage=Stage.BACKEND,
    confidence=Confidence.MEDIUM,
    box=Box.SHAPES,
    title="A PyTorch model has one input for each argument of forward",
    problem="The TorchScript file's forward takes another number of tensors than the configuration has inputs.",
    bad=_FORWARD.format(torchscript("ids", "mask")),
    good=_FORWARD.format(torchscript("ids")),
    why="The backend compares the two numbers when it loads the model.",
    source="PyTorch backend, ModelInstanceState::ValidateInputs, src/libtorch.cc.",
    check=_forward,
)

RULES: tuple[Rule, ...] = (TYPES, STRINGS, OPTIONAL, NAMING, FORWARD)
