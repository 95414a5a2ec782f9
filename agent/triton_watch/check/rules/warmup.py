"""48x: warm-up samples that Triton refuses when it loads a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.datafiles import DataFile, byte_size, element_count, type_name
from triton_watch.check.pbtxt.messages import DataType
from triton_watch.check.rule import Rule, Scope, Stage
from triton_watch.records import Severity
from triton_watch.wording.text import clip, listed, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.pbtxt.messages import ModelInput, ModelWarmup
    from triton_watch.check.rule import Hit

FOLDER = "warmup"
BEYOND_MEMORY = 1 << 40
"""Bytes of a tensor that no server has the memory for."""
STRING = DataType.Value("TYPE_STRING")
_SOURCE = "tritonserver 2.51.0 (measured); TritonModelInstance::GenerateWarmupData, src/backend_model_instance.cc."


def samples(model: Model) -> Iterator[tuple[int, ModelWarmup]]:
    """Yield the samples that Triton runs: those of batch size 0 are skipped, and passive instances run none.

    An ensemble may have none at all.
    """
    groups = model.message.instance_group
    if not model.is_ensemble and not (len(groups) and all(group.passive for group in groups)):
        yield from ((number, one) for number, one in enumerate(model.message.model_warmup) if one.batch_size)


def inputs(model: Model) -> Iterator[tuple[tuple[str | int, ...], str, ModelWarmup.Input]]:
    """Yield path, name and description of the inputs of all samples that Triton runs."""
    for number, sample in samples(model):
        for name, described in sample.inputs.items():
            yield ("model_warmup", number, "inputs", name), name, described


def declared(model: Model) -> dict[str, ModelInput]:
    """Return the model's inputs by name; of those with one name, the first, as Triton finds it."""
    found: dict[str, ModelInput] = {}
    for item in model.message.input:
        found.setdefault(item.name, item)
    return found


def _variable(model: Model, _options: Options) -> Iterator[Hit]:
    for path, name, described in inputs(model):
        if -1 in described.dims:
            yield model.hit(
                'a warm-up input needs sizes, not -1; Triton: "warmup setting expects all variable-size dimensions are '
                f"specified for input '{clip(name)}'\"",
                *path,
                "dims",
                value=True,
                fix=f"write usual sizes: dims: {[dim if dim >= 0 else 1 for dim in described.dims]}",
            )
        elif (element_count(described.dims) or 0) < 0:
            yield model.hit(
                'a warm-up input has a negative dimension; Triton: "input byte size mismatch for input '
                f"'{clip(name)}' for model '{clip(model.name)}'\"",
                *path,
                "dims",
                value=True,
                fix="write sizes that are at least 1",
            )


def _no_data(model: Model, _options: Options) -> Iterator[Hit]:
    for path, name, described in inputs(model) if model.readable else ():
        if described.WhichOneof("input_data_type") is None:
            yield model.hit(
                'the warm-up input has no data; Triton: "warmup setting expects input '
                f"'{clip(name)}' to have input_data_type set\"",
                *path,
                fix="write zero_data: true, random_data: true or input_data_file",
            )


def _wrong_type(model: Model, _options: Options) -> Iterator[Hit]:
    known = declared(model)
    for path, name, described in inputs(model):
        wanted = known[name].data_type if name in known else 0
        if not wanted or described.data_type == wanted or not (described.data_type or model.readable):
            continue
        given = type_name(described.data_type) if described.data_type else "<invalid>"
        yield model.hit(
            f"the model's input {clip(name)} is {type_name(wanted)}, its warm-up {type_name(described.data_type)}; "
            "Triton: "
            f"\"inference input '{clip(name)}' data-type is '{_on_wire(given)}', but model '{clip(model.name)}' "
            "expects "
            f"'{_on_wire(type_name(wanted))}'\"",
            *path,
            "data_type",
            value=True,
            fix=f"write data_type: TYPE_{type_name(wanted)}",
        )


def _on_wire(name: str) -> str:
    return "BYTES" if name == "STRING" else name


def _wrong_shape(model: Model, _options: Options) -> Iterator[Hit]:
    known = declared(model)
    batching = model.message.max_batch_size > 0
    for path, name, described in inputs(model):
        dims, item = list(described.dims), known.get(name)
        if item is None or not item.dims or any(dim < 0 for dim in dims) or not (dims or model.readable):
            continue
        given = [1, *dims] if batching and item.is_shape_tensor else dims
        if _fits(given, list(item.dims)):
            continue
        batch = "; the batch dimension is not part of dims" if batching and len(dims) == len(item.dims) + 1 else ""
        reshaped = "; dims count here, not reshape" if item.HasField("reshape") else ""
        yield model.hit(
            f"the warm-up of {clip(name)} has dims {clip(str(dims))}, the input "
            f"{clip(str(list(item.dims)))}{batch}{reshaped}; "
            f"Triton: \"unexpected shape for input '{clip(name)}' for model '{clip(model.name)}'\"",
            *path,
            "dims",
            value=True,
            fix=f"write dims: {clip(str([dim if dim > 0 else 1 for dim in item.dims]))}",
        )


def _fits(given: list[int], wanted: list[int]) -> bool:
    return len(given) == len(wanted) and all(there in {-1, here} for here, there in zip(given, wanted, strict=True))


def _missing(model: Model, _options: Options) -> Iterator[Hit]:
    required = [item.name for item in model.message.input if not item.optional]
    names = {item.name for item in model.message.input}
    for number, sample in samples(model) if model.readable else ():
        given = {name for name in sample.inputs if name in names}
        if len(given) >= len(required):
            continue  # Triton counts them only, so an optional input may stand in for a required one
        missing = [name for name in required if name not in given]
        wrong = next((name for name in sample.inputs if name not in names), None)
        meant = nearest(wrong, missing[:100]) if wrong is not None else None
        if missing:
            says = f"without {listed(missing)}"
        else:
            says = f"with {len(given)} of {len(required)} inputs: the configuration has one of them twice"
        yield model.hit(
            f'the warm-up sample is {says}; Triton: "expected {len(required)} inputs but got {len(given)} inputs for '
            "model "
            f"'{clip(model.name)}'\"",
            *("model_warmup", number),
            fix=f'write "{clip(meant)}" for the key "{clip(wrong)}"'
            if meant and wrong is not None
            else f'add inputs {{ key: "{clip(missing[0] if missing else required[0])}" value {{ … }} }}',
        )


def _file(model: Model, _options: Options) -> Iterator[Hit]:
    known = declared(model)
    for path, name, described in inputs(model) if not model.detached else ():
        if described.WhichOneof("input_data_type") != "input_data_file":
            continue
        data = DataFile(model, FOLDER, described.input_data_file)
        needed = byte_size(described.data_type, described.dims) or 0
        if data.problem or described.data_type != STRING:
            problem = data.problem or data.too_short(needed, "warmup")
        else:
            problem = _strings(data, name, described, known)
        if problem:
            advice = data.advice(0 if described.data_type == STRING else needed)
            yield model.hit(problem, *path, "input_data_file", value=True, fix=advice)


def _strings(data: DataFile, name: str, described: ModelWarmup.Input, known: dict[str, ModelInput]) -> str | None:
    """Say what is wrong with a file of strings; only those for an input of the model are looked into."""
    found = data.strings() if name in known else None
    wanted = element_count(described.dims)
    if found is None or found == wanted:
        return None
    if isinstance(found, str):
        return f'{data.shown} is no list of strings, each after its length in 4 bytes; Triton: "{found} …"'
    return f'{data.shown} has {found} strings, not {wanted}; Triton: "expected {wanted} string elements … got {found}"'


def _beyond_memory(model: Model, _options: Options) -> Iterator[Hit]:
    for path, name, described in inputs(model):
        size = byte_size(described.data_type, described.dims)
        made = described.WhichOneof("input_data_type") != "input_data_file"
        if made and size is not None and size > BEYOND_MEMORY:
            yield model.hit(
                f"the warm-up tensor of {clip(name)} has {size / BEYOND_MEMORY:,.0f} TiB: making it ends the server "
                "(signal 11 on 2.51.0)",
                *path,
                "dims",
                value=True,
                fix="write sizes of usual requests",
            )


def _example(described: str, batch: str = "batch_size: 1") -> str:
    return (
        'backend: "onnxruntime"\nmax_batch_size: 8\n'
        'input { name: "A" data_type: TYPE_FP32 dims: [ 4 ] }\noutput { name: "B" data_type: TYPE_FP32 dims: [ 4 ] }\n'
        f'model_warmup {{ name: "one" {batch}\n  inputs {{ key: "A" value {{ {described} }} }} }}\n'
    )


GOOD = _example("data_type: TYPE_FP32 dims: [ 4 ] zero_data: true")

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW480",
        slug="warmup-variable-dims",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A warm-up input has sizes",
        problem="A dimension of a warm-up input is -1, or the sizes are negative.",
        bad=_example("data_type: TYPE_FP32 dims: [ -1 ] zero_data: true"),
        good=GOOD,
        why="Triton makes one tensor of it.",
        source=_SOURCE,
        check=_variable,
    ),
    Rule(
        id="TW481",
        slug="warmup-without-data",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A warm-up input has data",
        problem="A warm-up input has none of `zero_data`, `random_data` and `input_data_file`.",
        bad=_example("data_type: TYPE_FP32 dims: [ 4 ]"),
        good=GOOD,
        why="There is no default.",
        source=_SOURCE,
        check=_no_data,
    ),
    Rule(
        id="TW482",
        slug="warmup-data-type",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A warm-up input is of its input's type",
        problem="The `data_type` of a warm-up input is left out, or not that of the model's input.",
        bad=_example("data_type: TYPE_INT32 dims: [ 4 ] zero_data: true"),
        good=GOOD,
        why="A warm-up sample is checked as a client's request is.",
        source=_SOURCE,
        check=_wrong_type,
    ),
    Rule(
        id="TW483",
        slug="warmup-shape",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A warm-up input is of its input's shape",
        problem="The `dims` of a warm-up input do not fit those of the model's input.",
        bad=_example("data_type: TYPE_FP32 dims: [ 1, 4 ] zero_data: true"),
        good=GOOD,
        why="A warm-up sample is checked as a client's request is. Its batch dimension is `batch_size`, not in `dims`.",
        source=_SOURCE,
        check=_wrong_shape,
    ),
    Rule(
        id="TW484",
        slug="warmup-inputs-missing",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A warm-up sample has all required inputs",
        problem="A sample has fewer of the model's inputs than are required.",
        bad=_example("data_type: TYPE_FP32 dims: [ 4 ] zero_data: true").replace('key: "A"', 'key: "a"'),
        good=GOOD,
        why="A warm-up sample is checked as a client's request is. Inputs that the model lacks are passed over.",
        source=_SOURCE,
        check=_missing,
    ),
    Rule(
        id="TW485",
        slug="warmup-file",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A warm-up file is there and long enough",
        problem="An `input_data_file` is not in the folder `warmup` of the model's directory, is a directory, is "
        "shorter "
        "than the tensor, or holds another number of strings.",
        bad=_example('data_type: TYPE_FP32 dims: [ 4 ] input_data_file: "a.bin"'),
        good=GOOD,
        why="Triton reads it when the model loads.",
        source=_SOURCE,
        check=_file,
    ),
    Rule(
        id="TW486",
        slug="warmup-beyond-memory",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="A warm-up tensor fits into memory",
        problem="A warm-up tensor has more than 1 TiB.",
        bad=_example("data_type: TYPE_FP32 dims: [ 1000000000000 ] zero_data: true"),
        good=GOOD,
        why="Triton makes it in the server's memory when the model loads.",
        source="tritonserver 2.51.0 (measured: 4 TB end the server).",
        check=_beyond_memory,
    ),
)
