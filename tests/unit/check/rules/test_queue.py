"""Priorities and queue policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.rules import queue, queue_limits

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'backend: "onnxruntime"\nmax_batch_size: 8\n'
TIMED = "timeout_action: DELAY default_timeout_microseconds: 1"
BOUND = "default_queue_policy { max_queue_size: 64 }"


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("priority_levels: 2", ["TW420"]),
        ("priority_levels: 2 default_priority_level: 0", ["TW420"]),
        ("priority_levels: 2 default_priority_level: 1", []),
        ("priority_levels: 2 default_priority_level: 2", []),
        ("priority_levels: 2 default_priority_level: 3", ["TW420"]),
        ("default_priority_level: 3", []),
        ("priority_levels: 18446744073709551615 default_priority_level: 1", []),
        ("priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 0 value { } }", ["TW421"]),
        ("priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 2 value { } }", []),
        ("priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 3 value { } }", ["TW421"]),
        ("priority_queue_policy { key: 7 value { } }", []),
        ("preserve_ordering: true priority_levels: 1 default_priority_level: 1", []),
        ("preserve_ordering: true priority_levels: 2 default_priority_level: 1", ["TW422"]),
        (f"preserve_ordering: true default_queue_policy {{ {TIMED} }}", ["TW423"]),
        ("preserve_ordering: true default_queue_policy { timeout_action: DELAY }", []),
        ("preserve_ordering: true default_queue_policy { timeout_action: DELAY allow_timeout_override: true }", []),
        (f"preserve_ordering: true priority_queue_policy {{ key: 9 value {{ {TIMED} }} }}", ["TW423"]),
        (f"default_queue_policy {{ {TIMED} }}", []),
    ],
)
def test_triton_refuses_these_queues_and_no_others(inside: str, expected: list[str], tmp_path: Path) -> None:
    assert ids(found(queue.RULES, f"{HEAD}dynamic_batching {{ {inside} }}\n", tmp_path)) == expected


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("", ["TW424"]),
        ("default_queue_policy { }", ["TW424"]),
        ("default_queue_policy { allow_timeout_override: true }", ["TW424", "TW427"]),
        ("default_queue_policy { max_queue_size: 8 }", []),
        ("default_queue_policy { max_queue_size: 7 }", ["TW426"]),
        ("default_queue_policy { default_timeout_microseconds: 1000 }", []),
        (f"default_queue_policy {{ {TIMED} }}", ["TW424", "TW425"]),
        (f"default_queue_policy {{ {TIMED} max_queue_size: 64 }}", ["TW425"]),
        ("default_queue_policy { timeout_action: REJECT max_queue_size: 64 }", ["TW430"]),
        (f"{BOUND} default_priority_level: 1", ["TW429"]),
        (f"{BOUND} priority_queue_policy {{ key: 1 value {{ }} }}", ["TW429"]),
        ("priority_levels: 2 default_priority_level: 1", ["TW424", "TW428"]),
        (f"{BOUND} priority_levels: 2 default_priority_level: 1", []),
        (
            "priority_levels: 1 default_priority_level: 1 priority_queue_policy { key: 1 value { max_queue_size: 9 } }",
            [],
        ),
        (
            "priority_levels: 2 default_priority_level: 1 priority_queue_policy { key: 1 value { max_queue_size: 9 } }",
            ["TW424"],
        ),
    ],
)
def test_queues_that_serve_nobody_well_are_told(inside: str, expected: list[str], tmp_path: Path) -> None:
    hits = found(queue_limits.RULES, f"{HEAD}dynamic_batching {{ {inside} }}\n", tmp_path)

    assert ids(hits) == expected
    assert not ids(hits, "error")


def test_without_a_batcher_there_is_no_queue_to_judge(tmp_path: Path) -> None:
    assert not found([*queue.RULES, *queue_limits.RULES], HEAD, tmp_path)


@pytest.mark.parametrize(("size", "expected"), [(0, []), (1, []), (2, ["TW424"])])
def test_a_queue_is_not_talked_about_where_dynamic_batching_does_nothing(
    size: int, expected: list[str], tmp_path: Path
) -> None:
    text = f'backend: "pytorch"\nmax_batch_size: {size}\ndynamic_batching {{ }}\n'
    assert ids(found(queue_limits.RULES, text, tmp_path)) == expected
