"""41x: what Triton accepts of a batcher's settings although it costs: waits, preferred sizes, kept order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.rule import Rule, Scope
from triton_watch.check.rules.batching import preferred_sizes
from triton_watch.records import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

SECOND = 1_000_000
"""Microseconds."""
_DYNAMIC = ("dynamic_batching",)
_OLDEST = ("sequence_batching", "oldest")
_DIRECT = ("sequence_batching", "direct")
_DELAY = "max_queue_delay_microseconds"


def delays(model: Model) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield path and microseconds of every time that a batcher may wait for more requests."""
    message = model.message
    if message.HasField("dynamic_batching"):
        yield (*_DYNAMIC, _DELAY), message.dynamic_batching.max_queue_delay_microseconds
    if message.HasField("sequence_batching"):
        sequence = message.sequence_batching
        if sequence.HasField("oldest"):
            yield (*_OLDEST, _DELAY), sequence.oldest.max_queue_delay_microseconds
        if sequence.HasField("direct"):
            yield (*_DIRECT, _DELAY), sequence.direct.max_queue_delay_microseconds


def seconds_text(microseconds: float) -> str:
    """Return a time as `250 µs`, `1.5 ms`, `2 s`."""
    if microseconds < 1000:
        return f"{microseconds:g} µs"
    return f"{microseconds / 1000:g} ms" if microseconds < SECOND else f"{microseconds / SECOND:,.6g} s"


def _too_long(model: Model, _options: Options) -> Iterator[Hit]:
    for path, wait in delays(model):
        if wait > SECOND:
            meant = wait // 1000
            yield model.hit(
                f"requests wait up to {seconds_text(wait)} for others to join their batch; the unit is microseconds",
                *path,
                value=True,
                fix=f"write {_DELAY}: {meant if 0 < meant <= 100_000 else 1000} if milliseconds were confused with "
                "microseconds; 100 to 5000 is usual",
            )


def _above_objective(model: Model, options: Options) -> Iterator[Hit]:
    objective = options.latency_objective
    for path, wait in delays(model) if objective is not None else ():
        if wait <= SECOND and objective is not None and wait >= objective * SECOND:
            yield model.hit(
                f"the batcher may hold a request for {seconds_text(wait)}; all of it may take "
                f"{seconds_text(objective * SECOND)}",
                *path,
                value=True,
                fix=f"write {_DELAY}: {max(1, int(objective * SECOND / 10))} or less: a tenth of the objective",
            )


def _preferred_without_use(model: Model, _options: Options) -> Iterator[Hit]:
    sizes = [size for _, _, size in preferred_sizes(model)]
    if not sizes or model.backend == "tensorrt" or min(sizes) <= 0 or max(sizes) > model.message.max_batch_size:
        return
    if sizes == [model.message.max_batch_size]:
        return
    path = next(path for path, _, _ in preferred_sizes(model))
    yield model.hit(
        f"preferred batch sizes only pay for TensorRT models with a profile for each; elsewhere a batch that reaches "
        f"{max(sizes)} goes out at once though it could grow to {model.message.max_batch_size}"
        if max(sizes) < model.message.max_batch_size
        else "preferred batch sizes only pay for TensorRT models with a profile for each; elsewhere they end batches "
        "early",
        *path,
        fix="remove preferred_batch_size",
    )


def _untidy(model: Model, _options: Options) -> Iterator[Hit]:
    seen: set[tuple[tuple[str, ...], int]] = set()
    before: tuple[tuple[str, ...], int] | None = None
    for path, number, size in preferred_sizes(model):
        if (path, size) in seen:
            yield model.hit(f"the preferred batch size {size} is given twice", *path, number, fix="remove one")
        elif before is not None and before[0] == path and size < before[1]:
            yield model.hit(
                f"the preferred batch size {size} comes after {before[1]}: the list is easier to read in ascending "
                "order",
                *path,
                number,
                fix="sort the list",
            )
        seen.add((path, size))
        before = path, size


def _preserves_order(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    places = (
        (_DYNAMIC, message.dynamic_batching.preserve_ordering),
        (_OLDEST, message.sequence_batching.oldest.preserve_ordering),
    )
    for path, preserves in places:
        if preserves:
            yield model.hit(
                "answers are held back until all earlier requests are answered: one slow batch delays what other "
                "instances have finished",
                *path,
                "preserve_ordering",
                fix="remove it unless a client depends on the order of answers over one stream",
            )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW410",
        slug="batch-delay-too-long",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A batcher waits for less than a second",
        problem="`max_queue_delay_microseconds` is above 1,000,000.",
        bad='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { max_queue_delay_microseconds: 100000000 }\n',
        good='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { max_queue_delay_microseconds: 100 }\n',
        why="Under light load each request waits that long for company that does not come. Often milliseconds or "
        "nanoseconds were meant.",
        source="Triton's user guide, batcher.md (Delayed Batching); accepted by tritonserver 2.51.0 (measured).",
        check=_too_long,
    ),
    Rule(
        id="TW411",
        slug="batch-delay-above-objective",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A batcher waits for less than a request may take",
        problem="`max_queue_delay_microseconds` reaches the latency objective (`--latency-objective`). "
        "Not judged without an objective.",
        bad='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { max_queue_delay_microseconds: 500000 }\n',
        good='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { max_queue_delay_microseconds: 5000 }\n',
        why="Under light load every request waits for the whole delay, and so misses its objective in the queue.",
        source="Triton's user guide, batcher.md (Delayed Batching).",
        check=_above_objective,
    ),
    Rule(
        id="TW412",
        slug="preferred-sizes-without-use",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="Preferred batch sizes are for TensorRT profiles",
        problem="`preferred_batch_size` is given for a backend other than tensorrt, and is more than max_batch_size "
        "itself.",
        bad='backend: "onnxruntime"\nmax_batch_size: 64\ndynamic_batching { preferred_batch_size: [ 8, 16, 32 ] }\n',
        good='backend: "onnxruntime"\nmax_batch_size: 64\ndynamic_batching { max_queue_delay_microseconds: 100 }\n',
        why="A batch of a preferred size is sent without waiting on. That helps where such a size is much faster than "
        "the next larger, as with TensorRT's optimization profiles; else it only ends batches early.",
        source="Triton's user guide, batcher.md (Preferred Batch Sizes) advises against them for most models.",
        check=_preferred_without_use,
    ),
    Rule(
        id="TW413",
        slug="preferred-sizes-untidy",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="Preferred batch sizes are sorted and each given once",
        problem="A `preferred_batch_size` is repeated, or smaller than the one before it.",
        bad='backend: "tensorrt"\nmax_batch_size: 8\ndynamic_batching { preferred_batch_size: [ 4, 8, 4 ] }\n',
        good='backend: "tensorrt"\nmax_batch_size: 8\ndynamic_batching { preferred_batch_size: [ 4, 8 ] }\n',
        why="Triton does not mind, but such a list is rarely what somebody meant.",
        source="tritonserver 2.51.0 accepts both (measured).",
        check=_untidy,
    ),
    Rule(
        id="TW414",
        slug="preserve-ordering-costs",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="The order of answers is kept only for a reason",
        problem="`preserve_ordering` is true.",
        bad='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { preserve_ordering: true }\n',
        good='backend: "onnxruntime"\nmax_batch_size: 8\ndynamic_batching { }\n',
        why="Answers leave in the order of the requests, so that fast instances wait for slow ones. "
        "HTTP and unary gRPC clients match answers to requests by themselves.",
        source="Triton's user guide, batcher.md (Preserve Ordering).",
        check=_preserves_order,
    ),
)
