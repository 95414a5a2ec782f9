"""What a batcher's settings cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.options import Options
from triton_watch.check.rules.delays import RULES, seconds_text

if TYPE_CHECKING:
    from pathlib import Path

HEAD = 'backend: "onnxruntime"\nmax_batch_size: 8\n'


@pytest.mark.parametrize(
    ("text", "objective", "expected"),
    [
        ("dynamic_batching { max_queue_delay_microseconds: 1000000 }", None, []),
        ("dynamic_batching { max_queue_delay_microseconds: 1000001 }", None, ["TW410"]),
        ("dynamic_batching { max_queue_delay_microseconds: 100000000 }", 0.1, ["TW410"]),
        ("dynamic_batching { max_queue_delay_microseconds: 18446744073709551615 }", None, ["TW410"]),
        ("dynamic_batching { max_queue_delay_microseconds: 99999 }", 0.1, []),
        ("dynamic_batching { max_queue_delay_microseconds: 100000 }", 0.1, ["TW411"]),
        ("dynamic_batching { max_queue_delay_microseconds: 500 }", None, []),
        ("sequence_batching { oldest { max_queue_delay_microseconds: 2000000 } }", None, ["TW410"]),
        ("sequence_batching { direct { max_queue_delay_microseconds: 2000000 } }", None, ["TW410"]),
        ("sequence_batching { direct { max_queue_delay_microseconds: 20000 } }", 0.01, ["TW411"]),
        ("", 0.000001, []),
    ],
)
def test_long_delays_are_told_once(text: str, objective: float | None, expected: list[str], tmp_path: Path) -> None:
    assert ids(found(RULES, f"{HEAD}{text}\n", tmp_path, Options(latency_objective=objective))) == expected


@pytest.mark.parametrize(
    ("backend", "sizes", "expected"),
    [
        ("onnxruntime", "[ 8 ]", []),
        ("onnxruntime", "[ 4 ]", ["TW412"]),
        ("onnxruntime", "[ 4, 8 ]", ["TW412"]),
        ("tensorrt", "[ 4, 8 ]", []),
        ("tensorrt", "[ 8, 4 ]", ["TW413"]),
        ("tensorrt", "[ 4, 4 ]", ["TW413"]),
        ("tensorrt", "[ 4, 8, 4 ]", ["TW413"]),
        ("onnxruntime", "[ 16 ]", []),  # refused: that is said already
        ("onnxruntime", "[ ]", []),
    ],
)
def test_preferred_sizes_are_for_tensorrt(backend: str, sizes: str, expected: list[str], tmp_path: Path) -> None:
    text = f'backend: "{backend}"\nmax_batch_size: 8\ndynamic_batching {{ preferred_batch_size: {sizes} }}\n'

    assert ids(found(RULES, text, tmp_path)) == expected


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("dynamic_batching {\n  preserve_ordering: true\n}", [4]),
        ("sequence_batching { oldest {\n  preserve_ordering: true\n} }", [4]),
        ("dynamic_batching { preserve_ordering: false }", []),
        ("sequence_batching { }", []),
    ],
)
def test_kept_order_is_mentioned(text: str, lines: list[int], tmp_path: Path) -> None:
    assert [hit.line for hit in found(RULES, f"{HEAD}{text}\n", tmp_path)] == lines


@pytest.mark.parametrize(
    ("microseconds", "text"), [(0, "0 µs"), (999, "999 µs"), (1500, "1.5 ms"), (2_000_000, "2 s"), (10**8, "100 s")]
)
def test_times_are_written_in_a_fitting_unit(microseconds: int, text: str) -> None:
    assert seconds_text(microseconds) == text
