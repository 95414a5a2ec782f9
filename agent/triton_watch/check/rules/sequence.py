"""44x: what Triton refuses about the control tensors and the slots of sequence batching."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.pbtxt.messages import DataType, ModelSequenceBatching
from triton_watch.check.rule import Rule, Scope, Stage
from triton_watch.records import Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

BATCHER = "sequence_batching"
START, READY, END, CORRID = (
    ModelSequenceBatching.Control.Kind.Value(f"CONTROL_SEQUENCE_{name}") for name in ("START", "READY", "END", "CORRID")
)
_KINDS = {START: "CONTROL_SEQUENCE_START", READY: "CONTROL_SEQUENCE_READY"} | {
    END: "CONTROL_SEQUENCE_END",
    CORRID: "CONTROL_SEQUENCE_CORRID",
}
_VALUES = ("int32_false_true", "fp32_false_true", "bool_false_true")
_IDS = ("TYPE_UINT64", "TYPE_INT64", "TYPE_UINT32", "TYPE_INT32", "TYPE_STRING")
_ID_NUMBERS = frozenset(DataType.Value(name) for name in _IDS)
_NAMES = "'int32_false_true', 'fp32_false_true'"
_SOURCE = "tritonserver 2.51.0 (measured); GetBooleanSequenceControlProperties, src/model_config_utils.cc."


def controls(model: Model) -> Iterator[tuple[tuple[str | int, ...], ModelSequenceBatching.Control]]:
    """Yield path and control of every control tensor that is of a known kind."""
    for tensor, control_input in enumerate(model.message.sequence_batching.control_input):
        for number, control in enumerate(control_input.control):
            if control.kind in _KINDS:
                yield (BATCHER, "control_input", tensor, "control", number), control


def _unnamed(model: Model, _options: Options) -> Iterator[Hit]:
    for number, control_input in enumerate(model.message.sequence_batching.control_input):
        if not control_input.name and model.readable:
            yield model.hit(
                'a control tensor has no name; Triton: "sequence batching control tensor must have a name for '
                f'{clip(model.name)}"',
                BATCHER,
                "control_input",
                number,
                fix='write the name of the model\'s input that takes it: name: "START"',
            )


def _tensor_twice(model: Model, _options: Options) -> Iterator[Hit]:
    seen: set[str] = set()
    for number, control_input in enumerate(model.message.sequence_batching.control_input):
        name = control_input.name
        if name and name in seen:
            yield model.hit(
                f'there are two control_input of the name {clip(name)}; Triton: "sequence batching control tensor '
                f"'{clip(name)}' is specified for multiple control kinds for {clip(model.name)}\"",
                BATCHER,
                "control_input",
                number,
                "name",
                value=True,
                fix="name another input of the model, or put both control entries into one control_input",
            )
        seen.add(name)


def _kind_twice(model: Model, _options: Options) -> Iterator[Hit]:
    seen: set[int] = set()
    for path, control in controls(model):
        if control.kind in seen:
            kind = _KINDS[control.kind]
            default = "" if model.has(*path, "kind") else " (the kind when it is left out)"
            yield model.hit(
                f'{kind}{default} is given to two tensors; Triton: "sequence batching specifies multiple {kind} '
                "tensors "
                f'for {clip(model.name)}"',
                *path,
                "kind",
                fix="remove one, or write the kind that was meant: START, END, READY or CORRID",
            )
        seen.add(control.kind)


def _values(control: ModelSequenceBatching.Control) -> list[tuple[str, int]]:
    """Return which pairs of values a control has, and how many values in each."""
    counts = len(control.int32_false_true), len(control.fp32_false_true), len(control.bool_false_true)
    return [(name, count) for name, count in zip(_VALUES, counts, strict=True) if count]


def _control_values(model: Model, _options: Options) -> Iterator[Hit]:
    for path, control in controls(model):
        problem = _problem_of_values(control, _KINDS[control.kind])
        if problem is not None and (model.readable or "must specify" not in problem[1]):
            plain, quoted, field, fix = problem
            yield model.hit(f'{plain}; Triton: "{quoted} for {clip(model.name)}"', *path, field, fix=fix)


def _problem_of_values(control: ModelSequenceBatching.Control, kind: str) -> tuple[str, str, str, str] | None:
    """Return what is wrong in plain words, in Triton's, at which field, and what to write."""
    given = _values(control)
    if control.kind == CORRID:
        if not given:
            return None
        quoted = f"sequence batching must not specify either {_NAMES} or 'bool_false_true' for {kind}"
        return "the correlation id has no values for false and true", quoted, given[0][0], f"remove {given[0][0]}"
    if not given:
        quoted = f"sequence batching must specify either {_NAMES} or 'bool_false_true' for {kind}"
        return (
            f"{kind} has no values",
            quoted,
            "kind",
            "write the values for false and true: int32_false_true: [ 0, 1 ]",
        )
    if len(given) > 1:
        quoted = f"sequence batching specifies more than one from {_NAMES} and 'bool_false_true' for {kind}"
        return (
            f"{kind} has values of two types",
            quoted,
            given[1][0],
            f"keep the one that is the tensor's type, {given[0][0]}?",
        )
    name, count = given[0]
    if count == 2:
        return None
    quoted = f"sequence batching control '{name}' must have exactly 2 entries for {kind}"
    pair = "false, true" if name.startswith("bool") else "0, 1"
    return f"{name} has {count} {'value' if count == 1 else 'values'}, not 2", quoted, name, f"write {name}: [ {pair} ]"


def _id_type(model: Model, _options: Options) -> Iterator[Hit]:
    for path, control in controls(model):
        if control.kind != CORRID or control.data_type in _ID_NUMBERS or _values(control):
            continue
        if not control.data_type and not model.readable:
            continue
        says = (
            "the correlation id has no data_type" if not control.data_type else "this type cannot hold a correlation id"
        )
        yield model.hit(
            f'{says}; Triton: "unexpected data type for control CONTROL_SEQUENCE_CORRID for {clip(model.name)}. '
            "Allowed "
            f'data types are {", ".join(_IDS[:-1])} and {_IDS[-1]}"',
            *path,
            "data_type",
            fix="write data_type: TYPE_UINT64, or TYPE_STRING for clients that name sequences by text",
        )


def _utilization(model: Model, _options: Options) -> Iterator[Hit]:
    share = model.message.sequence_batching.direct.minimum_slot_utilization
    if share < 0 or share > 1:
        yield model.hit(
            f'{share:g} is no share of the slots; Triton: "sequence batching minimum slot utilization must be in range '
            f'(0.0, 1.0] for {clip(model.name)}"',
            BATCHER,
            "direct",
            "minimum_slot_utilization",
            value=True,
            fix=f"write minimum_slot_utilization: {share / 100:g} (a share, not percent)"
            if 1 < share <= 100
            else "write a share between 0 and 1, such as 0.5",
        )


HEAD = 'backend: "onnxruntime"\nmax_batch_size: 8\n'
_START = "kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ]"
_END = "kind: CONTROL_SEQUENCE_END int32_false_true: [ 0, 1 ]"


def _example(*control_inputs: str) -> str:
    lines = "".join(f"  control_input {{ {line} }}\n" for line in control_inputs)
    return f"{HEAD}sequence_batching {{\n{lines}}}\n"


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW440",
        slug="control-without-name",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A control tensor has a name",
        problem="A `control_input` has no `name`.",
        bad=_example(f"control {{ {_START} }}"),
        good=_example(f'name: "START" control {{ {_START} }}'),
        why="Triton would not know which input of the model to write to.",
        source=_SOURCE,
        check=_unnamed,
    ),
    Rule(
        id="TW441",
        slug="control-tensor-twice",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A control tensor is described once",
        problem="Two `control_input` have the same `name`.",
        bad=_example(f'name: "FLAGS" control {{ {_START} }}', f'name: "FLAGS" control {{ {_END} }}'),
        good=_example(f'name: "START" control {{ {_START} }}', f'name: "END" control {{ {_END} }}'),
        why="Each control goes to a tensor of its own.",
        source=_SOURCE,
        check=_tensor_twice,
    ),
    Rule(
        id="TW442",
        slug="control-kind-twice",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A kind of control is given to one tensor",
        problem="Two controls are of the same `kind`. A kind that is left out is CONTROL_SEQUENCE_START.",
        bad=_example(f'name: "START" control {{ {_START} }}', 'name: "END" control { int32_false_true: [ 0, 1 ] }'),
        good=_example(f'name: "START" control {{ {_START} }}', f'name: "END" control {{ {_END} }}'),
        why="Triton writes each kind of control to one tensor.",
        source=_SOURCE,
        check=_kind_twice,
    ),
    Rule(
        id="TW443",
        slug="control-values",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A control has two values, for false and true",
        problem="A START, END or READY control has no values, other than two, or those of two types; or a CORRID has "
        "any.",
        bad=_example('name: "START" control { kind: CONTROL_SEQUENCE_START int32_false_true: [ 1 ] }'),
        good=_example(f'name: "START" control {{ {_START} }}'),
        why="Triton writes one of the two values into the tensor with each request.",
        source=_SOURCE,
        check=_control_values,
    ),
    Rule(
        id="TW444",
        slug="correlation-id-type",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A correlation id is an integer or a string",
        problem="A CORRID control has no `data_type`, or another one than UINT64, INT64, UINT32, INT32 and STRING.",
        bad=_example('name: "ID" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_FP32 }'),
        good=_example('name: "ID" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64 }'),
        why="Clients name a sequence by a number or by a text.",
        source="tritonserver 2.51.0 (measured); ValidateModelConfig, src/model_config_utils.cc.",
        check=_id_type,
    ),
    Rule(
        id="TW445",
        slug="slot-utilization",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="minimum_slot_utilization is a share",
        problem="`minimum_slot_utilization` is below 0 or above 1.",
        bad=HEAD + "sequence_batching { direct { minimum_slot_utilization: 50 } }\n",
        good=HEAD + "sequence_batching { direct { minimum_slot_utilization: 0.5 } }\n",
        why="It is the share of slots that must have a request before a batch goes out early.",
        source="tritonserver 2.51.0 (measured; 0 is accepted); ValidateModelConfig, src/model_config_utils.cc.",
        check=_utilization,
    ),
)
