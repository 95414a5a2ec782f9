"""32x: batch_input and batch_output, which tell a model how a ragged batch was put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, Rule, Scope, Stage
from triton_watch.check.rules.io_text import MOST_TENSORS, names_of, type_name
from triton_watch.records import Severity
from triton_watch.wording.text import clip, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.pbtxt.messages import BatchInput, BatchOutput, EnumType
    from triton_watch.check.rule import Hit

_MEASURED = "tritonserver 2.51.0 (measured); ValidateBatchIO, src/model_config_utils.cc."
_IO = """\
input { name: "ids" data_type: TYPE_INT64 dims: [ -1 ] allow_ragged_batch: true }
output { name: "scores" data_type: TYPE_FP32 dims: [ 2 ] }
"""
_CONFIG = f'backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching {{ }}\n{_IO}'


def _all(model: Model) -> Iterator[tuple[str, int, BatchInput | BatchOutput]]:
    for index, one in enumerate(model.message.batch_input[:MOST_TENSORS]):
        yield "batch_input", index, one
    for index, other in enumerate(model.message.batch_output[:MOST_TENSORS]):
        yield "batch_output", index, other


def _kind(kinds: EnumType, number: int) -> str:
    try:
        return kinds.Name(number)
    except ValueError:
        return ""


def _sources(model: Model, _options: Options) -> Iterator[Hit]:
    for field, index, one in _all(model):
        kind, words = _kind(one.Kind, one.kind), field.replace("_", " ")
        if not kind:
            yield model.hit(
                f"{words} {index + 1} is of a kind that there is not: \"unknown {words} kind ''\"",
                *(field, index, "kind"),
                fix=f"write one of {', '.join(one.Kind.keys())}",
            )
        elif len(one.source_input) != 1:
            count = len(one.source_input)
            yield model.hit(
                f"{words} {index + 1} has {count} source inputs: "
                f"\"{words} kind '{kind}' expects 1 source input, got {count}\"",
                *(field, index, "source_input"),
                fix="write exactly one source_input, and a block for each further one",
            )


def _type(model: Model, _options: Options) -> Iterator[Hit]:
    for index, one in enumerate(model.message.batch_input[:MOST_TENSORS]):
        name = type_name(one.data_type)
        if name not in {"INT32", "FP32"}:
            has = "no data_type" if one.data_type == 0 else f"data_type TYPE_{name}"
            yield model.hit(
                f'batch input {index + 1} has {has}: "batch input data type must be TYPE_INT32 or TYPE_FP32"',
                *("batch_input", index, "data_type"),
                fix="write data_type: TYPE_INT32 or TYPE_FP32, as the model's input has it",
            )


def _unknown(model: Model, _options: Options) -> Iterator[Hit]:
    if not model.readable:
        return
    inputs, outputs = names_of(model.message.input), names_of(model.message.output)
    for field, index, one in _all(model):
        yield from _strange(model, (field, index, "source_input"), one.source_input, inputs, "source input")
        if field == "batch_output":
            yield from _strange(model, (field, index, "target_name"), one.target_name, outputs, "target output")


def _strange(
    model: Model, place: tuple[str | int, ...], names: Iterable[str], known: set[str], words: str
) -> Iterator[Hit]:
    for number, name in enumerate(names):
        if name not in known:
            close = nearest(name[:200], sorted(known)[:100])
            kind = words.partition(" ")[2]
            yield model.hit(
                f"{place[0]} names an {kind} that there is not: \"unknown {words} name '{clip(name)}'\"",
                *(*place, number),
                value=True,
                fix=f'write "{clip(close)}"' if close else f"write the name of an {kind} of this configuration",
            )
            return


def _target_twice(model: Model, _options: Options) -> Iterator[Hit]:
    for index, one in enumerate(model.message.batch_output[:MOST_TENSORS]):
        seen: set[str] = set()
        for number, name in enumerate(one.target_name):
            if name in seen:
                yield model.hit(
                    f"batch output {index + 1} names an output twice: "
                    f"\"target output name '{clip(name)}' can only be specified once\"",
                    *("batch_output", index, "target_name", number),
                    fix="remove one of them",
                )
                break
            seen.add(name)


def _ragged(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    batching = message.max_batch_size > 0 and model.readable
    for index, one in enumerate(message.input[:MOST_TENSORS]):
        if not one.allow_ragged_batch or model.is_ensemble:
            continue
        if message.max_batch_size == 0 and model.readable and not model.has("max_batch_size"):
            why = "max_batch_size is 0, so requests are never put together"
        elif batching and not (message.HasField("dynamic_batching") or message.HasField("sequence_batching")):
            why = "there is no dynamic_batching, so requests are never put together"
        elif one.dims and -1 not in one.dims:
            why = "its dims are fixed, so all requests have one shape"
        else:
            continue
        yield model.hit(
            f"allow_ragged_batch of input '{clip(one.name)}' has no effect: {why}",
            *("input", index, "allow_ragged_batch"),
            fix="remove it, or write what it needs: max_batch_size, dynamic_batching and a dimension of -1",
        )


SOURCES = Rule(
    id="TW320",
    slug="batch-io-source",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="A batch input or output has a known kind and one source",
    problem="source_input is missing or given more than once, or the kind is a number that means nothing.",
    bad=f'{_CONFIG}batch_input {{ kind: BATCH_ELEMENT_COUNT target_name: "N" data_type: TYPE_FP32 }}\n',
    good=f'{_CONFIG}batch_input {{ target_name: "N" data_type: TYPE_FP32 source_input: "ids" }}\n',
    why="All kinds describe the shapes of exactly one input.",
    source=_MEASURED,
    check=_sources,
)

TYPE = Rule(
    id="TW321",
    slug="batch-input-type",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="A batch input is TYPE_INT32 or TYPE_FP32",
    problem="The data type of a batch_input is missing or another one.",
    bad=f'{_CONFIG}batch_input {{ target_name: "N" data_type: TYPE_INT64 source_input: "ids" }}\n',
    good=f'{_CONFIG}batch_input {{ target_name: "N" data_type: TYPE_INT32 source_input: "ids" }}\n',
    why="Triton makes these tensors itself, in two types only.",
    source=_MEASURED,
    check=_type,
)

UNKNOWN = Rule(
    id="TW322",
    slug="batch-io-unknown-tensor",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="batch_input and batch_output name tensors that there are",
    problem="A source_input is no input, or the target_name of a batch_output no output, of the configuration.",
    bad=f'{_CONFIG}batch_input {{ target_name: "N" data_type: TYPE_INT32 source_input: "id" }}\n',
    good=f'{_CONFIG}batch_input {{ target_name: "N" data_type: TYPE_INT32 source_input: "ids" }}\n',
    why="Triton refuses the model.",
    source=_MEASURED,
    check=_unknown,
)

TARGET = Rule(
    id="TW323",
    slug="batch-output-target-twice",
    severity=Severity.ERROR,
    scope=Scope.MODEL,
    stage=Stage.CORE,
    box=Box.SHAPES,
    title="A batch_output names each target once",
    problem="target_name of one batch_output has the same output twice.",
    bad=f'{_CONFIG}batch_output {{ target_name: [ "scores", "scores" ] source_input: "ids" }}\n',
    good=f'{_CONFIG}batch_output {{ target_name: "scores" source_input: "ids" }}\n',
    why="Triton refuses the model. (The same output in two blocks is accepted.)",
    source=_MEASURED,
    check=_target_twice,
)

RAGGED = Rule(
    id="TW324",
    slug="ragged-batch-without-effect",
    severity=Severity.WARNING,
    scope=Scope.MODEL,
    box=Box.BATCHING,
    title="allow_ragged_batch goes with batching and a variable dimension",
    problem="An input allows ragged batches, and no batch can be ragged. Triton accepts that.",
    bad='backend: "onnxruntime"\n' + _IO,
    good=_CONFIG,
    why="Ragged batches let requests of different shapes run together. They need a batcher and shapes that differ.",
    source=_MEASURED,
    check=_ragged,
)

RULES: tuple[Rule, ...] = (SOURCES, TYPE, UNKNOWN, TARGET, RAGGED)
