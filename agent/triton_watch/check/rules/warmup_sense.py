"""49x: warm-up that does nothing or not enough, and models that should have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.datafiles import DataFile, byte_size
from triton_watch.check.rule import Rule, Scope
from triton_watch.check.rules.batching import may_be_completed
from triton_watch.check.rules.warmup import BEYOND_MEMORY, FOLDER, GOOD, STRING, declared, inputs, samples
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

SLOW_START = {
    "tensorrt": "TensorRT sets up its execution contexts",
    "pytorch": "TorchScript optimizes its graph",
    "tensorflow": "TensorFlow prepares its graph",
}
"""Backends whose first requests are slow, and why."""
LARGE = 1 << 30
"""Bytes of a warm-up tensor that are suspicious."""


def _skipped(model: Model, _options: Options) -> Iterator[Hit]:
    for number, sample in enumerate(model.message.model_warmup):
        if not sample.batch_size and model.readable and not model.is_ensemble:
            yield model.hit(
                "the warm-up sample has no batch_size, and with 0 Triton skips it",
                *("model_warmup", number),
                fix="write batch_size: 1, also for a model that does not batch",
            )


def _too_large(model: Model, _options: Options) -> Iterator[Hit]:
    largest = max(1, model.message.max_batch_size)
    for number, sample in samples(model) if not may_be_completed(model) and model.readable else ():
        if sample.batch_size > largest:
            yield model.hit(
                f"the warm-up sample runs {sample.batch_size} requests at once, the model takes {largest}: most "
                "backends "
                "refuse the batch, and then the model does not load",
                *("model_warmup", number, "batch_size"),
                value=True,
                fix=f"write batch_size: {largest}",
            )


def _unknown_input(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    if may_be_completed(model) or not len(message.input) or not model.readable:
        return
    known = set(declared(model))
    known |= {item.name for item in message.sequence_batching.control_input}
    known |= {state.input_name for state in message.sequence_batching.state}
    for path, name, _ in inputs(model):
        if name not in known:
            meant = nearest(name, list(known)[:200])
            yield model.hit(
                f"the model has no input {clip(name)}: Triton hands it to the backend unchecked",
                *path,
                fix=f'did you mean "{clip(meant)}"?' if meant else "remove it, or add the input to the configuration",
            )


def _no_warmup(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    if len(message.model_warmup) or not model.readable or model.is_ensemble:
        return
    accelerated = model.backend == "onnxruntime" and any(
        one.name == "tensorrt" for one in message.optimization.execution_accelerators.gpu_execution_accelerator
    )
    why = "TensorRT builds its engine" if accelerated else SLOW_START.get(model.backend)
    if why is not None:
        yield model.hit(
            f"the first requests are slow ({why} then), and there is no warm-up",
            "backend" if model.has("backend") else "platform",
            fix="add model_warmup with samples of the smallest and of the largest batch that clients send",
        )


def _random_strings(model: Model, _options: Options) -> Iterator[Hit]:
    for path, name, described in inputs(model):
        if described.data_type == STRING and described.WhichOneof("input_data_type") == "random_data":
            yield model.hit(
                f"random_data of strings is empty strings: the warm-up runs {clip(name)} without any text",
                *path,
                "random_data",
                fix="write input_data_file with strings as clients send them (each after its length in 4 bytes)",
            )


def _false(model: Model, _options: Options) -> Iterator[Hit]:
    for path, _, described in inputs(model):
        source = described.WhichOneof("input_data_type")
        if source in {"zero_data", "random_data"} and not getattr(described, source):
            yield model.hit(
                f"{source}: false is taken as if it were true",
                *path,
                source,
                fix=f"write {source}: true, or another source",
            )


def _escapes(model: Model, _options: Options) -> Iterator[Hit]:
    for path, _, described in inputs(model):
        if described.WhichOneof("input_data_type") != "input_data_file":
            continue
        if DataFile(model, FOLDER, described.input_data_file).leaves_folder:
            yield model.hit(
                "the warm-up file is outside the model's warmup folder: the model cannot be moved or copied alone",
                *path,
                "input_data_file",
                value=True,
                fix="put the file into the warmup folder, and write its name alone",
            )


def _huge(model: Model, _options: Options) -> Iterator[Hit]:
    for path, name, described in inputs(model):
        size = byte_size(described.data_type, described.dims)
        if -1 in described.dims or (size is not None and not LARGE < size <= BEYOND_MEMORY):
            continue
        much = "more bytes than 64 bits count" if size is None else f"{size / 2**30:,.1f} GiB"
        yield model.hit(
            f"the warm-up tensor of {clip(name)} has {much}, made in the server's memory when the model loads",
            *path,
            "dims",
            value=True,
            fix="write sizes of usual requests",
        )


_BAD_STRINGS = GOOD.replace("TYPE_FP32", "TYPE_STRING").replace("zero_data", "random_data")
_FILE = GOOD.replace("zero_data: true", 'input_data_file: "a.bin"')

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW490",
        slug="warmup-skipped",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A warm-up sample has a batch size",
        problem="A sample's `batch_size` is left out or 0.",
        bad=GOOD.replace("batch_size: 1", ""),
        good=GOOD,
        why="Triton skips it without a word, whatever else is wrong with it.",
        source="tritonserver 2.51.0 (measured).",
        check=_skipped,
    ),
    Rule(
        id="TW491",
        slug="warmup-batch-too-large",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A warm-up sample fits into max_batch_size",
        problem="A sample's `batch_size` is above `max_batch_size`, or above 1 for a model that does not batch.",
        bad=GOOD.replace("batch_size: 1", "batch_size: 9"),
        good=GOOD,
        why="Triton's core runs such a sample; backends refuse batches above their limit, and a failed warm-up fails "
        "the load.",
        source="tritonserver 2.51.0 (measured: accepted by the core); the batch limits of the backends.",
        check=_too_large,
    ),
    Rule(
        id="TW492",
        slug="warmup-input-unknown",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Warm-up inputs are inputs of the model",
        problem="A warm-up input is no input, control tensor or state of the model.",
        bad=GOOD.replace(
            "model_warmup", 'input { name: "C" optional: true data_type: TYPE_FP32 dims: [ 4 ] }\nmodel_warmup'
        ).replace(
            "zero_data: true } } }", 'zero_data: true } }\n  inputs { key: "c" value { dims: 1 zero_data: true } } }'
        ),
        good=GOOD,
        why="It is meant for control tensors, so Triton does not check it: a misspelt optional input stays unnoticed.",
        source="tritonserver 2.51.0 (measured).",
        check=_unknown_input,
    ),
    Rule(
        id="TW493",
        slug="warmup-missing",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        confidence=Confidence.MEDIUM,
        title="Models with slow first requests are warmed up",
        problem="A model of the tensorrt, pytorch or tensorflow backend, or of onnxruntime with TensorRT, has no "
        "`model_warmup`.",
        bad='backend: "pytorch"\nmax_batch_size: 8\n',
        good=GOOD.replace("onnxruntime", "pytorch"),
        why="A model is READY before its first request, which then takes seconds or minutes: after each start, "
        "scale-out and update. A warm-up runs before READY.",
        source="Triton's user guide, model_configuration.md (Model Warmup).",
        check=_no_warmup,
    ),
    Rule(
        id="TW494",
        slug="warmup-empty-strings",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="Strings are warmed up with real ones",
        problem="A warm-up input of TYPE_STRING has `random_data`.",
        bad=_BAD_STRINGS,
        good=_BAD_STRINGS.replace("random_data", "zero_data"),
        why="Triton takes zeros for it, which are empty strings.",
        source="Triton core, src/backend_model_instance.cc (GenerateWarmupData).",
        check=_random_strings,
    ),
    Rule(
        id="TW495",
        slug="warmup-data-false",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A warm-up's data is not switched off",
        problem="`zero_data` or `random_data` is false.",
        bad=GOOD.replace("zero_data: true", "zero_data: false"),
        good=GOOD,
        why="Triton only looks at which of them is written.",
        source="tritonserver 2.51.0 (measured).",
        check=_false,
    ),
    Rule(
        id="TW496",
        slug="warmup-file-outside",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Warm-up files are in the model's warmup folder",
        problem="An `input_data_file` leads out of the folder `warmup` with `..`.",
        bad=_FILE.replace("a.bin", "../a.bin"),
        good=_FILE,
        why="Triton follows the path wherever it leads.",
        source="tritonserver 2.51.0 (measured).",
        check=_escapes,
    ),
    Rule(
        id="TW497",
        slug="warmup-huge",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Warm-up tensors are of usual sizes",
        problem="A warm-up tensor has more than 1 GiB.",
        bad=GOOD.replace("dims: [ 4 ] zero_data", "dims: [ 3000000000 ] zero_data"),
        good=GOOD,
        why="The server makes it in memory while it loads the model: it takes long, or ends the server.",
        source="tritonserver 2.51.0 did not answer for over 15 seconds at 24 GB (measured).",
        check=_huge,
    ),
)
