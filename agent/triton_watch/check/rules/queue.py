"""42x: what Triton refuses about priorities and queue policies of the dynamic batcher."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.pbtxt.messages import ModelQueuePolicy
from triton_watch.check.rule import Rule, Scope, Stage
from triton_watch.records import Severity
from triton_watch.wording.text import clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit

BATCHER = "dynamic_batching"
_SOURCE = "tritonserver 2.51.0 (measured); ValidateModelConfig, src/model_config_utils.cc."


def policies(model: Model) -> Iterator[tuple[tuple[str | int, ...], ModelQueuePolicy]]:
    """Yield path and policy of the default queue policy and those of priority levels, as far as they are written."""
    batcher = model.message.dynamic_batching
    if batcher.HasField("default_queue_policy"):
        yield (BATCHER, "default_queue_policy"), batcher.default_queue_policy
    for level, policy in batcher.priority_queue_policy.items():
        yield (BATCHER, "priority_queue_policy", level), policy


def _default_level(model: Model, _options: Options) -> Iterator[Hit]:
    batcher = model.message.dynamic_batching
    levels, level = batcher.priority_levels, batcher.default_priority_level
    if levels and not 1 <= level <= levels:
        says = f"default_priority_level {level} is none of the {levels} levels" if level else "it says no default level"
        yield model.hit(
            f'{says}; Triton: "default priority level must be in range [1, {levels}] for {clip(model.name)}"',
            *((BATCHER, "default_priority_level") if level else (BATCHER, "priority_levels")),
            fix=f"write default_priority_level: {max(1, (levels + 1) // 2)} (1 is served first, {levels} last)",
        )


def _policy_level(model: Model, _options: Options) -> Iterator[Hit]:
    batcher = model.message.dynamic_batching
    levels = batcher.priority_levels
    for level in batcher.priority_queue_policy if levels else ():
        if not 1 <= level <= levels:
            yield model.hit(
                f'there is no priority level {level}, only 1 to {levels}; Triton: "priority queue policy must have '
                f'priority level in range [1, {levels}] for {clip(model.name)}"',
                BATCHER,
                "priority_queue_policy",
                level,
                fix="give it the key of a level that there is, or raise priority_levels",
            )


def _ordered_levels(model: Model, _options: Options) -> Iterator[Hit]:
    batcher = model.message.dynamic_batching
    if batcher.preserve_ordering and batcher.priority_levels > 1:
        yield model.hit(
            f'order cannot be kept over {batcher.priority_levels} priority levels; Triton: "Only one priority level is '
            f"allowed when 'preserve_ordering' is true for {clip(model.name)}\"",
            BATCHER,
            "priority_levels",
            fix="remove preserve_ordering, or the priority levels",
        )


def _ordered_delay(model: Model, _options: Options) -> Iterator[Hit]:
    if not model.message.dynamic_batching.preserve_ordering:
        return
    for path, policy in policies(model):
        if policy.timeout_action == ModelQueuePolicy.DELAY and policy.default_timeout_microseconds:
            yield model.hit(
                'requests cannot be delayed past others while order is kept; Triton: "Queue policy can not have DELAY '
                f"as timeout action when 'preserve_ordering' is true for {clip(model.name)}\"",
                *path,
                "timeout_action",
                fix="write timeout_action: REJECT, or remove preserve_ordering",
            )


HEAD = 'backend: "onnxruntime"\nmax_batch_size: 8\n'

RULES: tuple[Rule, ...] = (
    Rule(
        id="TW420",
        slug="default-priority-level",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="The default priority level is one of the levels",
        problem="`priority_levels` is given, and `default_priority_level` is left out, 0 or above it.",
        bad=HEAD + "dynamic_batching { priority_levels: 2 }\n",
        good=HEAD + "dynamic_batching { priority_levels: 2 default_priority_level: 2 }\n",
        why="Requests without a priority get the default one; there is no value for it when it is left out.",
        source=_SOURCE,
        check=_default_level,
    ),
    Rule(
        id="TW421",
        slug="policy-of-unknown-priority",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Queue policies are given for priority levels that there are",
        problem="A key of `priority_queue_policy` is 0 or above `priority_levels`.",
        bad=HEAD + "dynamic_batching { priority_levels: 2 default_priority_level: 2\n"
        "  priority_queue_policy { key: 3 value { max_queue_size: 100 } } }\n",
        good=HEAD + "dynamic_batching { priority_levels: 2 default_priority_level: 2\n"
        "  priority_queue_policy { key: 2 value { max_queue_size: 100 } } }\n",
        why="Levels count from 1.",
        source=_SOURCE,
        check=_policy_level,
    ),
    Rule(
        id="TW422",
        slug="ordering-with-priorities",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Order is kept or priorities are served, not both",
        problem="`preserve_ordering` is true and `priority_levels` is above 1.",
        bad=HEAD + "dynamic_batching { preserve_ordering: true priority_levels: 2 default_priority_level: 2 }\n",
        good=HEAD + "dynamic_batching { priority_levels: 2 default_priority_level: 2 }\n",
        why="A priority is a right to overtake.",
        source=_SOURCE,
        check=_ordered_levels,
    ),
    Rule(
        id="TW423",
        slug="ordering-with-delay",
        severity=Severity.ERROR,
        scope=Scope.MODEL,
        stage=Stage.CORE,
        title="Order is kept or late requests are delayed, not both",
        problem="`preserve_ordering` is true and a queue policy with a default timeout has `timeout_action: DELAY`.",
        bad=HEAD + "dynamic_batching { preserve_ordering: true\n"
        "  default_queue_policy { timeout_action: DELAY default_timeout_microseconds: 1000 } }\n",
        good=HEAD + "dynamic_batching { preserve_ordering: true\n"
        "  default_queue_policy { timeout_action: REJECT default_timeout_microseconds: 1000 } }\n",
        why="A delayed request is served after later ones. Without a default timeout Triton lets it pass.",
        source=_SOURCE,
        check=_ordered_delay,
    ),
)
