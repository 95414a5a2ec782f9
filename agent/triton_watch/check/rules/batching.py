"""40x: what Triton refuses about max_batch_size and preferred batch sizes, and models that do not batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rule import Box, RedLine, Rule, Scope, Stage
from triton_watch.records import Confidence, Severity
from triton_watch.wording.text import clip, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

OWN_BATCHING = frozenset({"vllm", "tensorrtllm"})
"""Backends that batch inside themselves, request by request (inflight batching): Triton's batcher is not for them."""
COMPLETING = frozenset({"onnxruntime", "tensorrt", "tensorflow", "openvino", "python", "dali"})
"""Backends that may fill in max_batch_size and dynamic_batching from the model file or model.py."""
PREFERRED = (
    ("dynamic_batching", "preferred_batch_size"),
    ("sequence_batching", "oldest", "preferred_batch_size"),
)
_SOURCE = "tritonserver 2.51.0 (measured); ValidateModelConfig, src/model_config_utils.cc."


def _wrong_sizes(model: Model, wrong: Callable[[int], bool]) -> Iterator[tuple[tuple[str, ...], int, list[int]]]:
    """Yield path, position of the first wrong one and all wrong sizes of each list of preferred ones."""
    found: dict[tuple[str, ...], tuple[int, dict[int, None]]] = {}
    for path, number, size in preferred_sizes(model):
        if wrong(size):
            found.setdefault(path, (number, {}))[1][size] = None
    for path, (number, sizes) in found.items():
        yield path, number, list(sizes)


def preferred_sizes(model: Model) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """Yield path, position and size of every preferred batch size, of dynamic and of sequence batching."""
    message = model.message
    if message.HasField("dynamic_batching"):
        yield from ((PREFERRED[0], *item) for item in enumerate(message.dynamic_batching.preferred_batch_size))
    if message.HasField("sequence_batching") and message.sequence_batching.HasField("oldest"):
        yield from ((PREFERRED[1], *item) for item in enumerate(message.sequence_batching.oldest.preferred_batch_size))


def _quoted(path: tuple[str, ...], must: str, model: Model) -> str:
    kind = "dynamic batching preferred size" if path == PREFERRED[0] else "sequence batching preferred batch size"
    return f'"{kind} must be {must} for {clip(model.name)}"'


def _negative(model: Model, _options: Options) -> Iterator[Hit]:
    if model.message.max_batch_size < 0:
        yield model.hit(
            "max_batch_size is negative; Triton: \"'max_batch_size' must be non-negative value for "
            f'{clip(model.name)}"',
            "max_batch_size",
            value=True,
            fix="write the largest batch that the model takes, such as max_batch_size: 8, or 0 for a model without one",
        )


def _not_positive(model: Model, _options: Options) -> Iterator[Hit]:
    for path, number, sizes in _wrong_sizes(model, lambda size: size <= 0):
        yield model.hit(
            f"a preferred batch size of {listed(map(str, sizes))} is none; Triton: {_quoted(path, 'positive', model)}",
            *path,
            number,
            fix=f"remove {_it(sizes)}; without preferred sizes the batcher makes batches of up to max_batch_size",
        )


def _above_maximum(model: Model, _options: Options) -> Iterator[Hit]:
    largest = model.message.max_batch_size
    for path, number, sizes in _wrong_sizes(model, lambda size: size > largest >= 0):
        of_none = "the model does not batch (max_batch_size is 0), so no size can be preferred"
        one = len(sizes) == 1
        which = f"the preferred batch size{'' if one else 's'} {listed(map(str, sizes))} {'is' if one else 'are'}"
        yield model.hit(
            (of_none if largest == 0 else f"{which} above max_batch_size, {largest}")
            + f"; Triton: {_quoted(path, '<= max batch size', model)}",
            *path,
            number,
            fix=f"remove {_it(sizes)}, or write max_batch_size: {max(sizes)} if the model takes such batches",
        )


def _it(sizes: list[int]) -> str:
    return "it" if len(sizes) == 1 else "them"


def judged_for_batching(model: Model) -> bool:
    """Whether Triton's dynamic batcher is something that one may ask of a model."""
    message = model.message
    return model.readable and not (
        model.is_ensemble or message.HasField("sequence_batching") or model.backend in OWN_BATCHING
    )


def _no_dynamic_batching(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    if message.max_batch_size <= 1 or message.HasField("dynamic_batching") or not judged_for_batching(model):
        return
    yield model.hit(
        f"the model takes batches of {message.max_batch_size}, but without dynamic_batching Triton runs every "
        "request alone",
        "max_batch_size",
        fix="add dynamic_batching { }, then measure whether a max_queue_delay_microseconds of 100 to 1000 helps",
        confidence=Confidence.MEDIUM if message.model_transaction_policy.decoupled else None,
    )


def _never_batches(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    if not 0 <= message.max_batch_size <= 1 or message.HasField("dynamic_batching") or not judged_for_batching(model):
        return
    if not model.has("max_batch_size") and may_be_completed(model):
        return
    written = f"max_batch_size is {message.max_batch_size}" + (
        "" if model.has("max_batch_size") else ", as it is left out"
    )
    yield model.hit(
        f"{written}: Triton can never put two requests into one batch",
        "max_batch_size",
        fix="if the model takes a batch dimension, leave it out of dims and write max_batch_size (8, say) "
        "and dynamic_batching { }",
        confidence=Confidence.MEDIUM
        if model.backend == "python" or message.model_transaction_policy.decoupled
        else None,
    )


def may_be_completed(model: Model) -> bool:
    """Whether the backend may fill in what a configuration without inputs or outputs leaves out."""
    return model.backend in COMPLETING and not (len(model.message.input) and len(model.message.output))


def without_effect(model: Model) -> bool:
    """Whether there is dynamic batching that cannot put two requests together."""
    message = model.message
    if not message.HasField("dynamic_batching") or message.max_batch_size not in {0, 1} or not model.readable:
        return False
    return not model.is_ensemble and (model.has("max_batch_size") or not may_be_completed(model))


def _without_effect(model: Model, _options: Options) -> Iterator[Hit]:
    if not without_effect(model):
        return
    yield model.hit(
        f"dynamic_batching has no effect: max_batch_size is {model.message.max_batch_size}, so every request runs "
        "alone",
        "dynamic_batching",
        fix="write max_batch_size with the largest batch that the model takes (and no batch dimension in dims), "
        "or remove dynamic_batching if it takes none",
    )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW400",
        slug="max-batch-size-negative",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="max_batch_size is not negative",
        problem="`max_batch_size` is below 0.",
        bad='backend: "onnxruntime"\nmax_batch_size: -1\n',
        good='backend: "onnxruntime"\nmax_batch_size: 8\n',
        why='There is no value for "any size": 0 says that the model has no batch dimension, and above that it is a '
        "limit.",
        source=_SOURCE,
        check=_negative,
    ),
    Rule(
        id="TW401",
        slug="preferred-size-not-positive",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Preferred batch sizes are positive",
        problem="A `preferred_batch_size` of dynamic or sequence batching is 0 or below.",
        bad='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { preferred_batch_size: [ 0, 8 ] }\n',
        good='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { preferred_batch_size: [ 8 ] }\n',
        why="A batch has at least one request.",
        source=_SOURCE,
        check=_not_positive,
    ),
    Rule(
        id="TW402",
        slug="preferred-size-above-maximum",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Preferred batch sizes fit into max_batch_size",
        problem="A `preferred_batch_size` is above `max_batch_size`. With a max_batch_size of 0 every one is.",
        bad='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { preferred_batch_size: [ 4, 16 ] }\n',
        good='backend: "onnxruntime"\nmax_batch_size: 16\ndynamic_batching { preferred_batch_size: [ 4, 16 ] }\n',
        why="Triton never makes a batch above max_batch_size, and refuses a model that prefers one.",
        source=_SOURCE,
        check=_above_maximum,
    ),
    Rule(
        id="TW403",
        slug="no-dynamic-batching",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        red_line=RedLine.NO_DYNAMIC_BATCHING,
        box=Box.BATCHING,
        fixable=True,
        title="A model that takes batches has dynamic batching",
        problem="`max_batch_size` is above 1, and there is neither `dynamic_batching` nor `sequence_batching`. "
        "Ensembles and backends that batch by themselves (vllm, tensorrtllm) are not meant.",
        bad='backend: "onnxruntime"\nmax_batch_size: 8\n',
        good='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { }\n',
        why="Without it each request is an execution of its own, however many wait: on GPUs most of the throughput "
        "is lost.",
        source="Triton's user guide, batcher.md; the default scheduler of tritonserver 2.51.0 does not batch "
        "(measured).",
        check=_no_dynamic_batching,
    ),
    Rule(
        id="TW404",
        slug="cannot-batch",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        red_line=RedLine.NO_DYNAMIC_BATCHING,
        box=Box.BATCHING,
        title="A model for production takes batches",
        problem="`max_batch_size` is 0 (also when it is left out) or 1. Ensembles, sequence batching and backends that "
        "batch by themselves are not meant, nor is a configuration whose inputs or outputs the backend completes.",
        bad='backend: "pytorch"\nmax_batch_size: 1\n',
        good='backend: "pytorch"\nmax_batch_size: 8\ndynamic_batching { }\n',
        why="Dynamic batching is out of the question then. Some models do not batch for a reason: "
        "ignore the rule there, and say why.",
        source="Triton's user guide, model_configuration.md (Maximum Batch Size).",
        check=_never_batches,
    ),
    Rule(
        id="TW405",
        slug="dynamic-batching-without-effect",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        red_line=RedLine.NO_DYNAMIC_BATCHING,
        box=Box.BATCHING,
        title="Dynamic batching is for models that take batches",
        problem="There is `dynamic_batching`, but `max_batch_size` is 0 (also when it is left out) or 1.",
        bad='backend: "pytorch"\nmax_batch_size: 0\ndynamic_batching { }\n',
        good='backend: "pytorch"\nmax_batch_size: 8\ndynamic_batching { }\n',
        why="Triton accepts the block and runs every request alone: nothing says that the setting does nothing.",
        source="tritonserver 2.51.0 (measured).",
        check=_without_effect,
    ),
)
