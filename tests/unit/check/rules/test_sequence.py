"""Sequence batching: control tensors, slots, initial states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.rules import sequence, sequence_states

if TYPE_CHECKING:
    from pathlib import Path

RULES = (*sequence.RULES, *sequence_states.RULES)
HEAD = 'backend: "onnxruntime"\nmax_batch_size: 8\n'
PAIR = "int32_false_true: [ 0, 1 ]"


def errors(inside: str, folder: Path, more: str = "") -> list[str]:
    text = f"--- model/config.pbtxt\n{HEAD}sequence_batching {{\n{inside}\n}}\n--- model/1/model.onnx\nx\n{more}"
    return ids(found(RULES, text, folder), "error")


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("", []),
        (f"control_input {{ control {{ {PAIR} }} }}", ["TW440"]),
        ('control_input { name: "S" }', []),
        ('control_input { name: "S" } control_input { name: "S" }', ["TW441"]),
        (f'control_input {{ name: "S" control [ {{ {PAIR} }}, {{ kind: CONTROL_SEQUENCE_END {PAIR} }} ] }}', []),
        (f'control_input {{ name: "S" control [ {{ {PAIR} }}, {{ {PAIR} }} ] }}', ["TW442"]),
        (
            f'control_input {{ name: "S" control {{ {PAIR} }} }}'
            f' control_input {{ name: "T" control {{ kind: CONTROL_SEQUENCE_START {PAIR} }} }}',
            ["TW442"],
        ),
        ('control_input { name: "S" control { kind: CONTROL_SEQUENCE_READY } }', ["TW443"]),
        ('control_input { name: "S" control { fp32_false_true: [ 0 ] } }', ["TW443"]),
        ('control_input { name: "S" control { bool_false_true: [ true, false, true ] } }', ["TW443"]),
        (f'control_input {{ name: "S" control {{ {PAIR} fp32_false_true: [ 0, 1 ] }} }}', ["TW443"]),
        ('control_input { name: "S" control { fp32_false_true: [ 1, 1 ] data_type: TYPE_INT8 } }', []),
        ('control_input { name: "S" control { kind: 77 } }', []),
        ('control_input { name: "S" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_STRING } }', []),
        ('control_input { name: "S" control { kind: CONTROL_SEQUENCE_CORRID } }', ["TW444"]),
        ('control_input { name: "S" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT8 } }', ["TW444"]),
        (
            f'control_input {{ name: "S" control {{ kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_INT32 {PAIR} }} }}',
            ["TW443"],
        ),
        ("direct { minimum_slot_utilization: 0 }", []),
        ("direct { minimum_slot_utilization: 1 }", []),
        ("direct { minimum_slot_utilization: nan }", []),
        ("direct { minimum_slot_utilization: 1.01 }", ["TW445"]),
        ("direct { minimum_slot_utilization: -0.01 }", ["TW445"]),
        ("direct { minimum_slot_utilization: inf }", ["TW445"]),
        ("oldest { max_candidate_sequences: -1 }", []),
    ],
)
def test_controls_and_slots(inside: str, expected: list[str], tmp_path: Path) -> None:
    assert errors(inside, tmp_path) == expected


def state(dims: str, initial: str) -> str:
    return (
        f'state {{ input_name: "I" output_name: "O" data_type: TYPE_FP32 dims: {dims} initial_state {{ {initial} }} }}'
    )


NAMED = 'name: "x" data_type: TYPE_FP32'


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("state { } state { dims: -2 }", []),
        (state("[ 2 ]", f"{NAMED} dims: 2 zero_data: true"), []),
        (state("[ 2 ]", f"{NAMED} dims: 2 zero_data: false"), []),
        (state("[ -1 ]", f"{NAMED} dims: 0 zero_data: true"), []),
        (state("[ 2 ]", f"{NAMED} dims: 2"), ["TW452"]),
        (state("[ 2 ]", "data_type: TYPE_FP32 dims: 2 zero_data: true"), ["TW452"]),
        (state("[ 2 ]", 'name: "x" data_type: TYPE_INT32 dims: 2 zero_data: true'), ["TW453"]),
        (state("[ 2 ]", f"{NAMED} dims: [ 2, 1 ] zero_data: true"), ["TW453"]),
        (state("[ 2 ]", f"{NAMED} dims: 3 zero_data: true"), ["TW453"]),
        (state("[ -1 ]", f"{NAMED} dims: -1 zero_data: true"), ["TW453"]),
        (state("[ -1 ]", f"{NAMED} dims: -2 zero_data: true"), ["TW453"]),
        (state("[ 2 ]", f"{NAMED} dims: 2 zero_data: true }} initial_state {{"), ["TW450"]),
        (2 * state("[ 2 ]", f"{NAMED} dims: 2 zero_data: true"), ["TW451"]),
        (state("[ 2 ]", f'{NAMED} dims: 2 data_file: "gone"'), ["TW454"]),
        (state("[ 2 ]", f'{NAMED} dims: 2 data_file: "seven"'), ["TW454"]),
        (state("[ 2 ]", f'{NAMED} dims: 2 data_file: "eight"'), []),
        (state("[ 2 ]", f'{NAMED} dims: 2 data_file: "/eight"'), []),
        (state("[ 2 ]", f'{NAMED} dims: 2 data_file: "folder"'), ["TW454"]),
        (state("[ 1 ]", f'{NAMED} dims: 1 data_file: "seven"'), []),
    ],
)
def test_initial_states(inside: str, expected: list[str], tmp_path: Path) -> None:
    files = (
        "--- model/initial_state/seven\nhex:00000000000000\n--- model/initial_state/eight\nhex:0000000000000000\n"
        "--- model/initial_state/folder/\n"
    )

    assert errors(inside, tmp_path, files) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HEAD}sequence_batching {{ }}\n", ["TW455", "TW456"]),
        (f"{HEAD}sequence_batching {{ max_sequence_idle_microseconds: 1 }}\n", ["TW456"]),
        (f"{HEAD}sequence_batching {{ max_sequence_idle_microseconds: 1 iterative_sequence: true }}\n", []),
        (f"{HEAD}sequence_batching {{ max_sequence_idle_microseconds: 1 state {{ }} }}\n", []),
        ('backend: "python"\nsequence_batching { }\n', ["TW455"]),
        (HEAD, []),
    ],
)
def test_advice_about_sequences(text: str, expected: list[str], tmp_path: Path) -> None:
    assert ids(found(RULES, text, tmp_path), "info") == expected
