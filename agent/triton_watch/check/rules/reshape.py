"""31x: reshape of inputs and outputs, and files with labels of outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from triton_watch.check.files import read_entry
from triton_watch.check.rule import Box, Rule, Scope, Stage
from triton_watch.check.rules.io_text import MOST_TENSORS, Declared, declared, dims_text
from triton_watch.check.rules.tensors import MEASURED, OUTPUT
from triton_watch.records import Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

_BITS = 64


class Difference(NamedTuple):
    """Why dims and a reshape do not go together, in Triton's words."""

    reason: str
    variable: bool
    """Whether it is the number of variable dimensions that differs."""


def elements(dims: Sequence[int]) -> int:
    """Return the number of elements as the server counts: -1 with a variable dimension, 0 without dimensions.

    It counts in 64 bits, and so may wrap around (GetElementCount, model_config.cc of triton-common).
    """
    if not dims:
        return 0
    return -1 if -1 in dims else _product(dims)


def _product(dims: Sequence[int]) -> int:
    product = 1
    for dim in dims:
        product = product * dim % (1 << _BITS)
    return product - (1 << _BITS) if product >> (_BITS - 1) else product


def _parts(dims: Sequence[int]) -> list[int]:
    """Return the products of the stretches between variable dimensions."""
    parts: list[list[int]] = [[]]
    for dim in dims:
        if dim == -1:
            parts.append([])
        else:
            parts[-1].append(dim)
    return [_product(part) for part in parts]


def difference(dims: Sequence[int], shape: Sequence[int]) -> Difference | None:
    """Return why Triton refuses to reshape `dims` to `shape`; None when it does not."""
    size, wanted = elements(dims), elements(shape)
    if size != wanted and (wanted != 0 or size != 1):
        return Difference("has different size for dims and reshape", variable=False)
    if size != -1:
        return None
    before, after = _parts(dims), _parts(shape)
    if len(before) != len(after):
        return Difference("has different number of variable-size dimensions for dims and reshape", variable=True)
    return None if before == after else Difference("has different size for dims and reshape", variable=False)


def _reshaped(model: Model) -> Iterator[Declared]:
    """Yield what has a reshape and dims that are valid: the first fault is the one to mend."""
    for one in declared(model):
        if one.io.HasField("reshape") and one.io.dims and all(dim >= 1 or dim == -1 for dim in one.io.dims):
            yield one


def _empty(model: Model, _options: Options) -> Iterator[Hit]:
    for one in _reshaped(model):
        if not one.io.reshape.shape and model.message.max_batch_size == 0:
            yield model.hit(
                f'{one.label} is reshaped to a scalar without batching: "{one.quoted} cannot have empty reshape '
                'for non-batching model as scalar tensors are not supported"',
                *one.path,
                "reshape",
                fix="remove the reshape, or set max_batch_size if the model's first dimension is the batch",
            )


def _invalid(model: Model, _options: Options) -> Iterator[Hit]:
    for one in _reshaped(model):
        shape = one.io.reshape.shape
        wrong = next((index for index, dim in enumerate(shape) if dim < 1 and dim != -1), None)
        if wrong is not None:
            yield model.hit(
                f'{one.label} is reshaped to a dimension of {shape[wrong]}: "{one.quoted} reshape dimensions must be '
                'integer >= 1, or -1 to indicate a variable-size dimension"',
                *(*one.path, "reshape", "shape", wrong),
                fix=f"write a shape with the {elements(one.io.dims)} elements of dims {dims_text(one.io.dims)}",
            )


def _unequal(model: Model, *, variable: bool) -> Iterator[Hit]:
    for one in _reshaped(model):
        shape = one.io.reshape.shape
        if any(dim < 1 and dim != -1 for dim in shape) or (not shape and model.message.max_batch_size == 0):
            continue
        found = difference(one.io.dims, shape)
        if found is not None and found.variable is variable:
            yield model.hit(
                f"{one.label} cannot be reshaped from {dims_text(one.io.dims)} to {dims_text(shape)}: "
                f'"{one.quoted} {found.reason}"',
                *(*one.path, "reshape"),
                fix="keep each -1, and the product of what stands before, between and behind them"
                if -1 in one.io.dims
                else f"write a shape of {elements(one.io.dims)} elements in all",
            )


def _size(model: Model, _options: Options) -> Iterator[Hit]:
    yield from _unequal(model, variable=False)


def _variable(model: Model, _options: Options) -> Iterator[Hit]:
    yield from _unequal(model, variable=True)


def _labels(model: Model, _options: Options) -> Iterator[Hit]:
    if model.detached:
        return
    for index, output in enumerate(model.message.output[:MOST_TENSORS]):
        name = output.label_filename
        if not name or "\0" in name:
            continue
        entry = read_entry(model.path / name.lstrip("/"))
        if entry.is_file or entry.problem == "Permission denied":
            continue
        what = "is a directory, and the server ends when it reads it" if entry.is_dir else "is not there"
        there = next((v.name for v in model.versions if v.folder.get(name) is not None), None)
        here = f"{clip(model.name)}/{clip(name)}"
        yield model.hit(
            f'the label file {clip(name)} {what}: "failed to open text file for read {here}"; its path counts from the '
            "model's directory",
            *("output", index, "label_filename"),
            value=True,
            fix=f'write label_filename: "{there}/{clip(name)}"' if there else f"put it beside config.pbtxt as {here}",
        )


def _example(dims: str, shape: str, batch: int = 0) -> str:
    return (
        f'backend: "onnxruntime"\nmax_batch_size: {batch}\n'
        f'input {{ name: "x" data_type: TYPE_FP32 dims: [ {dims} ] reshape {{ shape: [ {shape} ] }} }}\n{OUTPUT}'
    )


EMPTY = Rule(
    id="TW315",
    slug="reshape-to-scalar",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="A reshape to a scalar needs batching",
    problem="reshape has an empty shape, and max_batch_size is 0.",
    bad=_example("1", ""),
    good=_example("1", "", 8),
    why="With batching the tensor still has the batch dimension. Without, it would have none, and Triton has none.",
    source=MEASURED,
    check=_empty,
)

INVALID = Rule(
    id="TW316",
    slug="invalid-reshape",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="A dimension of a reshape is at least 1, or -1",
    problem="A dimension of reshape is 0 or below -1.",
    bad=_example("4", "0, 4"),
    good=_example("4", "2, 2"),
    why="Triton refuses it.",
    source=MEASURED,
    check=_invalid,
)

SIZE = Rule(
    id="TW317",
    slug="reshape-size",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="A reshape keeps the number of elements",
    problem="dims and reshape have different numbers of elements; with variable dimensions, one of the stretches "
    "between them has.",
    bad=_example("4, 2", "9"),
    good=_example("4, 2", "8"),
    why="Data is not copied, only seen in another shape.",
    source=MEASURED,
    check=_size,
)

VARIABLE = Rule(
    id="TW318",
    slug="reshape-variable-dims",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="A reshape keeps the number of variable dimensions",
    problem="dims and reshape have different numbers of -1.",
    bad=_example("-1, -1", "-1"),
    good=_example("-1, 2, 3", "-1, 6"),
    why="Triton could not tell the sizes apart.",
    source=MEASURED,
    check=_variable,
)

LABELS = Rule(
    id="TW319",
    slug="label-file-missing",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.STRUCTURE,
    title="The label file of an output is there",
    problem="label_filename names a file that is not in the model's directory.",
    bad='backend: "onnxruntime"\noutput { name: "y" data_type: TYPE_FP32 dims: [ 2 ] label_filename: "labels.txt" }\n',
    good="""\
--- ranker/config.pbtxt
backend: "onnxruntime"
output { name: "y" data_type: TYPE_FP32 dims: [ 2 ] label_filename: "labels.txt" }
--- ranker/labels.txt
yes
no
--- ranker/1/model.onnx
a model
""",
    why="Triton reads it when it loads the model, always from the model's directory, never from the version's.",
    source=MEASURED,
    check=_labels,
)

RULES: tuple[Rule, ...] = (EMPTY, INVALID, SIZE, VARIABLE, LABELS)
