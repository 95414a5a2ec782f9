"""45x: initial states of sequence batching, and sequences that nobody ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.datafiles import DataFile, byte_size, type_name
from triton_watch.check.pbtxt.messages import DataType
from triton_watch.check.rule import Rule, Scope, Stage
from triton_watch.check.rules.sequence import BATCHER, HEAD, controls
from triton_watch.records import Severity
from triton_watch.wording.text import clip, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.pbtxt.messages import ModelSequenceBatching
    from triton_watch.check.rule import Hit

FOLDER = "initial_state"
_SOURCE = (
    "tritonserver 2.51.0 (measured); SequenceBatchScheduler::GenerateInitialStateData, src/sequence_batch_scheduler."
)


def _initial(
    model: Model,
) -> Iterator[tuple[tuple[str | int, ...], ModelSequenceBatching.State, ModelSequenceBatching.InitialState]]:
    """Yield path, state and initial state of the states that have exactly one: others Triton does not look into."""
    for number, state in enumerate(model.message.sequence_batching.state):
        if len(state.initial_state) == 1:
            yield (BATCHER, "state", number, "initial_state", 0), state, state.initial_state[0]


def _several(model: Model, _options: Options) -> Iterator[Hit]:
    for number, state in enumerate(model.message.sequence_batching.state):
        count = len(state.initial_state)
        if count > 1:
            yield model.hit(
                f'the state has {count} initial states; Triton: "initial_state field for state input '
                f"'{clip(state.input_name)}' must contain exactly one or zero element. Found '{count}' elements.\"",
                *(BATCHER, "state", number, "initial_state", 1),
                fix="keep one; each state has a block `state` of its own",
            )


def _twice(model: Model, _options: Options) -> Iterator[Hit]:
    seen: set[str] = set()
    for path, state, _ in _initial(model):
        name = clip(state.input_name)
        if state.input_name in seen:
            yield model.hit(
                f"the state {name} is described twice; Triton: \"State input name '{name}' specified more than once.\"",
                *path[:3],
                "input_name",
                value=True,
                fix="remove one, or write the input that was meant",
            )
        seen.add(state.input_name)


def _incomplete(model: Model, _options: Options) -> Iterator[Hit]:
    for path, state, initial in _initial(model) if model.readable else ():
        name = clip(state.input_name)
        if not initial.name:
            yield model.hit(
                "the initial state has no name; Triton: \"Field 'name' must be set when using initial_state for state "
                f"input '{name}'.\"",
                *path,
                fix='write a name, which Triton uses in messages only: name: "zeros"',
            )
        if not _has_data(initial):
            yield model.hit(
                'the initial state has no data; Triton: "initial_state setting expects state'
                f"'{name}' to have state_data set\"",
                *path,
                fix="write zero_data: true, or data_file with the name of a file in the model's initial_state folder",
            )


def _has_data(initial: ModelSequenceBatching.InitialState) -> bool:
    return initial.WhichOneof("state_data") is not None


def _differs(model: Model, _options: Options) -> Iterator[Hit]:
    for path, state, initial in _initial(model):
        name = clip(state.input_name)
        if initial.data_type != state.data_type:
            yield model.hit(
                f"the initial state is {type_name(initial.data_type)}, the state {type_name(state.data_type)}; Triton: "
                f"\"The data type used for 'initial_state' field of state '{name}' does not match the state data "
                'type."',
                *path,
                "data_type",
                value=True,
                fix=f"write data_type: TYPE_{type_name(state.data_type)}"
                if state.data_type
                else "write both data_type",
            )
        problem = _problem_of_dims(tuple(initial.dims), tuple(state.dims), name)
        if problem:
            good = [dim if dim >= 0 else 1 for dim in state.dims]
            yield model.hit(problem, *path, "dims", value=True, fix=f"write dims: {good}, a size for each variable one")


def _problem_of_dims(dims: tuple[int, ...], of_state: tuple[int, ...], name: str) -> str | None:
    if len(dims) != len(of_state):
        return (
            f"the initial state has {plural(len(dims), 'dimension')}, the state {len(of_state)}; Triton: "
            '"Number of dimensions in '
            f"'initial_state' doesn't match the size of 'state' dimensions for state input '{name}'. "
            f'{len(dims)} != {len(of_state)}"'
        )
    if -1 in dims:
        return (
            "the dims of an initial state are sizes, not -1; Triton: \"'initial_state' field for state input name "
            f"'{name}' contains variable dimensions.\""
        )
    for dim, wanted in zip(dims, of_state, strict=True):
        if wanted not in {-1, dim}:
            return (
                f"the initial state has a dimension of {dim} where the state has {wanted}; Triton: \"'initial_state' "
                "dim "
                f"for input name '{name}' doesn't match 'state' dim description. {dim} != {wanted}\""
            )
    if (byte_size(DataType.Value("TYPE_INT8"), dims) or 0) < 0:
        return "the dims of an initial state are sizes; a negative one ends the whole server (2.51.0)"
    return None


def _file(model: Model, _options: Options) -> Iterator[Hit]:
    for path, _, initial in _initial(model) if not model.detached else ():
        if initial.WhichOneof("state_data") != "data_file":
            continue
        data = DataFile(model, FOLDER, initial.data_file)
        needed = byte_size(initial.data_type, tuple(initial.dims)) or 0
        problem = data.problem or (None if initial.data_type == _STRING else data.too_short(needed, "initial_state"))
        if problem:
            yield model.hit(problem, *path, "data_file", value=True, fix=data.advice(needed))


_STRING = DataType.Value("TYPE_STRING")


def _no_idle_time(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    if not message.HasField(BATCHER) or not model.readable:
        return
    if not message.sequence_batching.max_sequence_idle_microseconds:
        yield model.hit(
            "max_sequence_idle_microseconds is left out: a client that pauses for longer than one second loses its "
            "sequence",
            BATCHER,
            fix="write how long a client may pause: max_sequence_idle_microseconds: 5000000",
        )


def _no_controls(model: Model, _options: Options) -> Iterator[Hit]:
    batcher = model.message.sequence_batching
    if not model.message.HasField(BATCHER) or not model.readable or model.backend == "python":
        return
    if not batcher.iterative_sequence and not len(batcher.state) and not any(True for _ in controls(model)):
        yield model.hit(
            "the model is told neither where a sequence starts nor which one a request belongs to",
            BATCHER,
            fix="add control_input blocks for the inputs by which the model keeps its state, or `state` for implicit "
            "state",
        )


def _example(state: str) -> str:
    return (
        f'{HEAD}sequence_batching {{ state {{ input_name: "IN" output_name: "OUT" data_type: TYPE_FP32 {state} }} }}\n'
    )


_GOOD = _example('dims: [ 4 ]\n  initial_state { name: "zeros" data_type: TYPE_FP32 dims: [ 4 ] zero_data: true }')

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW450",
        slug="initial-states-several",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A state has one initial state",
        problem="A `state` has more than one `initial_state`.",
        bad=_example(
            'dims: [ 4 ]\n  initial_state [ { name: "a" data_type: TYPE_FP32 dims: [ 4 ] zero_data: true },\n'
            '  { name: "b" data_type: TYPE_FP32 dims: [ 4 ] zero_data: true } ]'
        ),
        good=_GOOD,
        why="Every new sequence starts from the same state.",
        source=_SOURCE,
        check=_several,
    ),
    Rule(
        id="TW451",
        slug="state-twice",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A state with an initial state is described once",
        problem="Two `state` blocks with an `initial_state` have the same `input_name`.",
        bad=f"{HEAD}sequence_batching {{\n" + 2 * '  state { input_name: "IN" data_type: TYPE_FP32 dims: [ 4 ]\n'
        '    initial_state { name: "zeros" data_type: TYPE_FP32 dims: [ 4 ] zero_data: true } }\n' + "}\n",
        good=_GOOD,
        why="A sequence could not start from both.",
        source=_SOURCE,
        check=_twice,
    ),
    Rule(
        id="TW452",
        slug="initial-state-incomplete",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="An initial state has a name and data",
        problem="An `initial_state` has no `name`, or neither `zero_data` nor `data_file`.",
        bad=_example("dims: [ 4 ]\n  initial_state { data_type: TYPE_FP32 dims: [ 4 ] zero_data: true }"),
        good=_GOOD,
        why="Triton demands both when the model loads.",
        source=_SOURCE,
        check=_incomplete,
    ),
    Rule(
        id="TW453",
        slug="initial-state-differs",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="An initial state is of its state's type and shape",
        problem="The `data_type` or the `dims` of an `initial_state` do not fit its `state`, or a dimension is -1.",
        bad=_example(
            'dims: [ -1 ]\n  initial_state { name: "zeros" data_type: TYPE_FP32 dims: [ -1 ] zero_data: true }'
        ),
        good=_example(
            'dims: [ -1 ]\n  initial_state { name: "zeros" data_type: TYPE_FP32 dims: [ 4 ] zero_data: true }'
        ),
        why="It is handed to the model as if the model had written it.",
        source=_SOURCE,
        check=_differs,
    ),
    Rule(
        id="TW454",
        slug="initial-state-file",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="An initial state's file is there and long enough",
        problem="A `data_file` is not in the folder `initial_state` of the model's directory, is a directory, or is "
        "shorter "
        "than the state.",
        bad=_example('dims: [ 4 ]\n  initial_state { name: "x" data_type: TYPE_FP32 dims: [ 4 ] data_file: "x.bin" }'),
        good=_GOOD,
        why="Triton reads it when the model loads.",
        source=_SOURCE,
        check=_file,
    ),
    Rule(
        id="TW455",
        slug="sequence-idle-time",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="The longest pause within a sequence is written down",
        problem="`sequence_batching` has no `max_sequence_idle_microseconds`, or 0.",
        bad=f"{HEAD}sequence_batching {{ }}\n",
        good=f"{HEAD}sequence_batching {{ max_sequence_idle_microseconds: 5000000 }}\n",
        why="After one second without a request (the default) the slot is given away and the next request of the "
        "sequence "
        "fails. Much longer than needed, and abandoned sequences hold their slots.",
        source="Triton's model_config.proto, ModelSequenceBatching.",
        check=_no_idle_time,
    ),
    Rule(
        id="TW456",
        slug="sequence-without-controls",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="A model with sequences is told where they start",
        problem="`sequence_batching` has neither `control_input` nor `state`. Python models can ask for both in code.",
        bad=f"{HEAD}sequence_batching {{ max_sequence_idle_microseconds: 5000000 }}\n",
        good=_example("dims: [ 4 ]"),
        why="Requests of a sequence reach the same instance, but the model cannot tell sequences apart.",
        source="Triton's user guide, architecture.md (Stateful Models).",
        check=_no_controls,
    ),
)
