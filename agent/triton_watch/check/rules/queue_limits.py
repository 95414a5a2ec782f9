"""42x: queues that Triton accepts although nobody is served well by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.pbtxt.messages import ModelQueuePolicy
from triton_watch.check.rule import Rule, Scope
from triton_watch.check.rules.batching import without_effect
from triton_watch.check.rules.queue import BATCHER, HEAD, policies
from triton_watch.records import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit


def bounded(policy: ModelQueuePolicy) -> bool:
    """Whether a queue has an end: a size, or a time after which requests are refused."""
    rejects = policy.default_timeout_microseconds > 0 and policy.timeout_action == ModelQueuePolicy.REJECT
    return policy.max_queue_size > 0 or rejects


def _unbounded(model: Model, _options: Options) -> Iterator[Hit]:
    message = model.message
    batcher = message.dynamic_batching
    if not message.HasField(BATCHER) or not model.readable or bounded(batcher.default_queue_policy):
        return
    if without_effect(model):
        return  # said by a rule of its own; what to do about the queue depends on that
    own = batcher.priority_queue_policy
    if 0 < batcher.priority_levels <= len(own) and all(bounded(policy) for policy in own.values()):
        return
    size = max(100, 8 * message.max_batch_size)
    yield model.hit(
        "nothing bounds the queue: under overload requests pile up until clients time out, and are computed all the "
        "same",
        *((BATCHER, "default_queue_policy") if model.has(BATCHER, "default_queue_policy") else (BATCHER,)),
        fix=f"add default_queue_policy {{ max_queue_size: {size} }}, and default_timeout_microseconds with the time "
        "after "
        "which nobody waits for the answer",
    )


def _delay_action(model: Model, _options: Options) -> Iterator[Hit]:
    for path, policy in policies(model):
        if policy.timeout_action == ModelQueuePolicy.DELAY and policy.default_timeout_microseconds:
            yield model.hit(
                "a request that waited too long is put behind all others instead of being refused: under overload it "
                "is answered when nobody waits any more",
                *path,
                "timeout_action",
                fix="write timeout_action: REJECT unless late answers are better than none",
            )


def _small_queue(model: Model, _options: Options) -> Iterator[Hit]:
    largest = model.message.max_batch_size
    for path, policy in policies(model):
        if 0 < policy.max_queue_size < largest:
            yield model.hit(
                f"the queue holds {policy.max_queue_size} requests, less than one batch of {largest}",
                *path,
                "max_queue_size",
                value=True,
                fix=f"write max_queue_size: {8 * largest}, some batches of what clients send at once",
            )


def _override(model: Model, _options: Options) -> Iterator[Hit]:
    for path, policy in policies(model):
        if policy.allow_timeout_override and not policy.default_timeout_microseconds:
            yield model.hit(
                "a client's timeout can only be shorter than the default one, and there is no default one",
                *path,
                "allow_timeout_override",
                fix="add default_timeout_microseconds with the longest time that any request may wait",
            )


def _action_alone(model: Model, _options: Options) -> Iterator[Hit]:
    for path, policy in policies(model):
        idle = not policy.default_timeout_microseconds and not policy.allow_timeout_override
        if idle and model.has(*path, "timeout_action"):
            yield model.hit(
                "timeout_action has no effect: there is no timeout",
                *path,
                "timeout_action",
                fix="add default_timeout_microseconds",
            )


def _levels_alone(model: Model, _options: Options) -> Iterator[Hit]:
    batcher = model.message.dynamic_batching
    if (
        batcher.priority_levels > 1
        and not batcher.HasField("default_queue_policy")
        and not batcher.priority_queue_policy
    ):
        yield model.hit(
            f"{batcher.priority_levels} priority levels share no queue policy: a steady stream of high priority "
            "starves "
            "the low ones, without end",
            BATCHER,
            "priority_levels",
            fix="add default_queue_policy with a max_queue_size and a default_timeout_microseconds, or one for each "
            "level",
        )


def _without_levels(model: Model, _options: Options) -> Iterator[Hit]:
    batcher = model.message.dynamic_batching
    if batcher.priority_levels or not model.readable:
        return
    for name in ("default_priority_level", "priority_queue_policy"):
        if model.has(BATCHER, name):
            yield model.hit(
                f"{name} has no effect without priority_levels", BATCHER, name, fix="add priority_levels: 2"
            )


RULES: tuple[Rule, ...] = (
    Rule(
        id="TW424",
        slug="unbounded-queue",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        fixable=True,
        title="A queue has an end",
        problem="`dynamic_batching` has no `default_queue_policy` with a `max_queue_size` or with a timeout that "
        "refuses.",
        bad=HEAD + "dynamic_batching { }\n",
        good=HEAD + "dynamic_batching { default_queue_policy { max_queue_size: 100 } }\n",
        why="When more comes in than can be computed, an endless queue grows until every answer is too late, and "
        "memory "
        "with it. A bounded one refuses at once (HTTP 503), and clients can go elsewhere.",
        source="Triton's user guide, batcher.md (Queue Policy).",
        check=_unbounded,
    ),
    Rule(
        id="TW425",
        slug="timeout-delays",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Requests that waited too long are refused",
        problem="A queue policy with a default timeout has `timeout_action: DELAY`.",
        bad=HEAD
        + "dynamic_batching { default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 1000 } }\n",
        good=HEAD + "dynamic_batching { default_queue_policy { default_timeout_microseconds: 1000 } }\n",
        why="A delayed request is served after all that did not time out: under overload, never while anybody waits "
        "for it.",
        source="Triton's user guide, batcher.md (Queue Policy).",
        check=_delay_action,
    ),
    Rule(
        id="TW426",
        slug="queue-below-batch",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A queue holds at least one batch",
        problem="`max_queue_size` is below `max_batch_size`.",
        bad=HEAD + "dynamic_batching { default_queue_policy { max_queue_size: 4 } }\n",
        good=HEAD + "dynamic_batching { default_queue_policy { max_queue_size: 64 } }\n",
        why="Full batches cannot form from single requests, and a short burst is refused with HTTP 503.",
        source="Triton's user guide, batcher.md (Queue Policy).",
        check=_small_queue,
    ),
    Rule(
        id="TW427",
        slug="timeout-override-alone",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="Clients that may set a timeout have a default one",
        problem="`allow_timeout_override` is true without `default_timeout_microseconds`.",
        bad=HEAD + "dynamic_batching { default_queue_policy { max_queue_size: 64 allow_timeout_override: true } }\n",
        good=HEAD + "dynamic_batching { default_queue_policy { max_queue_size: 64 allow_timeout_override: true "
        "default_timeout_microseconds: 100000 } }\n",
        why="A request may shorten the default timeout, never lengthen it; requests that set none wait without end.",
        source="Triton's model_config.proto, ModelQueuePolicy.",
        check=_override,
    ),
    Rule(
        id="TW428",
        slug="priorities-without-policy",
        severity=Severity.INFO,
        scope=Scope.MODEL,
        title="Priority levels have a queue policy",
        problem="`priority_levels` is above 1 without any queue policy.",
        bad=HEAD + "dynamic_batching { priority_levels: 2 default_priority_level: 2 }\n",
        good=HEAD + "dynamic_batching { priority_levels: 2 default_priority_level: 2 "
        "default_queue_policy { max_queue_size: 64 } }\n",
        why="A lower level is only served when the higher ones are empty.",
        source="Triton's user guide, batcher.md (Priority Levels).",
        check=_levels_alone,
    ),
    Rule(
        id="TW429",
        slug="priority-without-levels",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="Settings of priorities come with priority levels",
        problem="`default_priority_level` or `priority_queue_policy` is given without `priority_levels`.",
        bad=HEAD + "dynamic_batching { default_priority_level: 1 }\n",
        good=HEAD + "dynamic_batching { priority_levels: 2 default_priority_level: 1 }\n",
        why="Triton accepts them, any key included, and does nothing with them.",
        source="tritonserver 2.51.0 (measured).",
        check=_without_levels,
    ),
    Rule(
        id="TW430",
        slug="timeout-action-alone",
        severity=Severity.WARNING,
        scope=Scope.MODEL,
        title="A timeout's action comes with a timeout",
        problem="`timeout_action` is written, but there is no default timeout and clients may set none.",
        bad=HEAD + "dynamic_batching { default_queue_policy { timeout_action: REJECT max_queue_size: 64 } }\n",
        good=HEAD + "dynamic_batching { default_queue_policy { timeout_action: REJECT max_queue_size: 64 "
        "default_timeout_microseconds: 100000 } }\n",
        why="No request ever times out, so the action is never taken.",
        source="Triton's model_config.proto, ModelQueuePolicy: a timeout of 0 is none.",
        check=_action_alone,
    ),
)
