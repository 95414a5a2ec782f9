"""31x: formats of images, shape tensors and non-linear formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Rule, Scope, Stage
from triton_watch.check.rules.io_text import MOST_TENSORS, declared
from triton_watch.check.rules.tensors import GOOD, MEASURED, OUTPUT
from triton_watch.check.served import resolved
from triton_watch.records import Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit


def _image(model: Model, _options: Options) -> Iterator[Hit]:
    for index, one in enumerate(model.message.input[:MOST_TENSORS]):
        if one.format in (one.FORMAT_NHWC, one.FORMAT_NCHW) and len(one.dims) != 3:
            batch = len(one.dims) == 4
            yield model.hit(
                f"input '{clip(one.name)}' has a format of images and {len(one.dims)} dims: "
                '"model input NHWC/NCHW require 3 dims"',
                *("input", index, "format"),
                fix="remove the batch dimension from dims: max_batch_size stands for it"
                if batch
                else "remove the format",
            )


def _shape_tensor(model: Model, _options: Options) -> Iterator[Hit]:
    if resolved(model).platform == "tensorrt_plan":
        return
    for one in declared(model):
        if one.io.is_shape_tensor:
            yield model.hit(
                f'{one.label} is a shape tensor, and only TensorRT has those: "shape tensors are only supported for '
                'TensorRT platform"',
                *one.path,
                "is_shape_tensor",
                fix="remove is_shape_tensor",
            )


def _non_linear(model: Model, _options: Options) -> Iterator[Hit]:
    tensorrt = resolved(model).platform == "tensorrt_plan"
    for one in declared(model):
        if not one.io.is_non_linear_format_io or (tensorrt and len(one.io.dims) == 3):
            continue
        yield model.hit(
            f"{one.label} has a non-linear format"
            + (
                f' and {len(one.io.dims)} dims: "Non-linear IO format {one.field} requires 3 dims"'
                if tensorrt
                else ': "Non-linear IO format is only supported for the TensorRT platform"'
            ),
            *one.path,
            "is_non_linear_format_io",
            fix="remove is_non_linear_format_io" + (", or write three dims" if tensorrt else ""),
        )


IMAGE = Rule(
    id="TW310",
    slug="image-format-needs-three-dims",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="FORMAT_NCHW and FORMAT_NHWC go with three dims",
    problem="An input has a format of images and not exactly three dims. Often the batch dimension is among them.",
    bad='backend: "onnxruntime"\nmax_batch_size: 8\ninput { name: "pixels" data_type: TYPE_FP32 format: FORMAT_NCHW '
    "dims: [ 1, 3, 224, 224 ] }\n" + OUTPUT,
    good='backend: "onnxruntime"\nmax_batch_size: 8\ninput { name: "pixels" data_type: TYPE_FP32 format: FORMAT_NCHW '
    "dims: [ 3, 224, 224 ] }\n" + OUTPUT,
    why="dims never has the batch dimension while max_batch_size is above 0; with max_batch_size 0 a format is refused "
    "all the same when four dims are written.",
    source=MEASURED,
    check=_image,
)

SHAPE_TENSOR = Rule(
    id="TW311",
    slug="shape-tensor-outside-tensorrt",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="Shape tensors are TensorRT's",
    problem="is_shape_tensor is set for a model of another backend.",
    bad='backend: "onnxruntime"\ninput { name: "s" data_type: TYPE_INT32 dims: [ 2 ] is_shape_tensor: true }\n',
    good=GOOD,
    why="Only TensorRT has inputs whose values are shapes.",
    source=MEASURED,
    check=_shape_tensor,
)

NON_LINEAR = Rule(
    id="TW312",
    slug="non-linear-format",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="Non-linear formats are TensorRT's, with three dims",
    problem="is_non_linear_format_io is set for a model of another backend, or for a tensor that has not three dims.",
    bad='backend: "onnxruntime"\ninput { name: "s" data_type: TYPE_FP16 dims: [ 2 ] is_non_linear_format_io: true }\n',
    good=GOOD,
    why="Only TensorRT has such formats.",
    source=MEASURED + " The field is known since 24.08.",
    check=_non_linear,
)

RULES: tuple[Rule, ...] = (IMAGE, SHAPE_TENSOR, NON_LINEAR)
