"""batch_input, batch_output and ragged batches; cases judged by tritonserver 2.51.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.rules.batch_io import RULES

if TYPE_CHECKING:
    from pathlib import Path

IO = 'input { name: "A" data_type: TYPE_FP32 dims: [ 4 ] }\noutput { name: "B" data_type: TYPE_FP32 dims: [ 4 ] }\n'
CONFIG = f'backend: "onnxruntime"\nmax_batch_size: 8\n{IO}'


@pytest.mark.parametrize(
    ("block", "rules"),
    [
        ('batch_input { kind: BATCH_ELEMENT_COUNT target_name: "N" data_type: TYPE_FP32 source_input: "A" }', []),
        ('batch_input { target_name: "N" data_type: TYPE_INT32 source_input: "A" }', []),
        ('batch_input { target_name: "N" data_type: TYPE_INT64 source_input: "A" }', ["TW321"]),
        ('batch_input { target_name: "N" source_input: "A" }', ["TW321"]),
        ('batch_input { target_name: "N" data_type: TYPE_FP32 }', ["TW320"]),
        ('batch_input { target_name: "N" data_type: TYPE_FP32 source_input: [ "A", "A" ] }', ["TW320"]),
        ('batch_input { kind: 77 target_name: "N" data_type: TYPE_FP32 source_input: "A" }', ["TW320"]),
        ('batch_input { target_name: "N" data_type: TYPE_FP32 source_input: "B" }', ["TW322"]),
        ('batch_input { data_type: TYPE_FP32 source_input: "A" }', []),
        ('batch_input { target_name: "A" data_type: TYPE_FP32 source_input: "A" }', []),
        ('batch_output { target_name: "B" source_input: "A" }', []),
        ('batch_output { target_name: "B" source_input: "X" }', ["TW322"]),
        ('batch_output { target_name: "A" source_input: "A" }', ["TW322"]),
        ('batch_output { source_input: "A" }', []),
        ('batch_output { target_name: "B" }', ["TW320"]),
        ('batch_output { target_name: [ "B", "B" ] source_input: "A" }', ["TW323"]),
        ('batch_output { target_name: "B" source_input: "A" } batch_output { target_name: "B" source_input: "A" }', []),
    ],
)
def test_blocks_of_ragged_batches(block: str, rules: list[str], tmp_path: Path) -> None:
    assert [one.rule for one in found(RULES, CONFIG + block, tmp_path)] == rules


@pytest.mark.parametrize(
    ("before", "dims", "count"),
    [
        ("max_batch_size: 8 dynamic_batching { }", "-1", 0),
        ("max_batch_size: 8 sequence_batching { }", "-1", 0),
        ("max_batch_size: 8 dynamic_batching { }", "4", 1),
        ("max_batch_size: 8", "-1", 1),
        ("", "-1", 1),
    ],
)
def test_a_ragged_input_needs_batching_and_a_variable_dimension(
    before: str, dims: tuple[int, ...], count: int, tmp_path: Path
) -> None:
    config = f'backend: "onnxruntime" {before} input {{ name: "A" data_type: TYPE_FP32 dims: [ {dims} ] '
    assert len(found(RULES, config + "allow_ragged_batch: true }", tmp_path)) == count
