"""Warm-up: what Triton refuses of it, and what does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.datafiles import byte_size, element_count
from triton_watch.check.rules import warmup, warmup_sense

if TYPE_CHECKING:
    from pathlib import Path

RULES = (*warmup.RULES, *warmup_sense.RULES)
FP32 = "data_type: TYPE_FP32"
ZERO = f"{FP32} dims: 2 zero_data: true"
FILES = (
    "--- model/warmup/seven\nhex:00000000000000\n--- model/warmup/eight\nhex:0000000000000000\n"
    "--- model/warmup/words\nhex:01000000610100000062\n--- model/warmup/short\nhex:01000000610300000062\n"
    "--- model/warmup/torn\nhex:010000006101\n--- model/warmup/folder/\n--- model/eight\nhex:0000000000000000\n"
)
ONE = 'input { name: "A" data_type: TYPE_FP32 dims: [ 2 ] }\n'
OUT = 'output { name: "B" data_type: TYPE_FP32 dims: [ 2 ] }\n'


def judged(inputs: str, folder: Path, *, io: str = ONE, sample: str = "batch_size: 1", batch: int = 4) -> list[str]:
    head = f'backend: "onnxruntime"\nmax_batch_size: {batch}\n{io}{OUT}'
    text = f"--- model/config.pbtxt\n{head}model_warmup {{ {sample} {inputs} }}\n--- model/1/model.onnx\nx\n{FILES}"
    return ids(found(RULES, text, folder), "error")


def given(name: str, inside: str) -> str:
    return f'inputs {{ key: "{name}" value {{ {inside} }} }} '


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (ZERO, []),
        (f"{FP32} dims: 2 zero_data: false", []),
        (f"{FP32} dims: 2", ["TW481"]),
        (f"{FP32} dims: -1 zero_data: true", ["TW480"]),
        (f"{FP32} dims: -2 zero_data: true", ["TW480"]),
        ("dims: 2 zero_data: true", ["TW482"]),
        ("data_type: TYPE_INT32 dims: 2 zero_data: true", ["TW482"]),
        (f"{FP32} zero_data: true", ["TW483"]),
        (f"{FP32} dims: 3 zero_data: true", ["TW483"]),
        (f"{FP32} dims: [ 1, 2 ] zero_data: true", ["TW483"]),
        (f'{FP32} dims: 2 input_data_file: "gone"', ["TW485"]),
        (f'{FP32} dims: 2 input_data_file: "seven"', ["TW485"]),
        (f'{FP32} dims: 2 input_data_file: "eight"', []),
        (f'{FP32} dims: 2 input_data_file: "folder"', ["TW485"]),
        (f'{FP32} dims: 2 input_data_file: "../eight"', []),
        (f'{FP32} dims: 2 input_data_file: "words"', []),
    ],
)
def test_an_input_is_checked_as_a_request_is(inside: str, expected: list[str], tmp_path: Path) -> None:
    assert judged(given("A", inside), tmp_path) == expected


@pytest.mark.parametrize(
    ("file", "expected"),
    [("words", []), ("short", []), ("torn", ["TW485"]), ("eight", []), ("seven", ["TW485"]), ("gone", ["TW485"])],
)
def test_files_of_strings_are_counted_as_triton_does(file: str, expected: list[str], tmp_path: Path) -> None:
    io = ONE.replace("FP32", "STRING")

    assert judged(given("A", f'data_type: TYPE_STRING dims: 2 input_data_file: "{file}"'), tmp_path, io=io) == expected


OPTIONAL = ONE + 'input { name: "O" data_type: TYPE_FP32 dims: [ 2 ] optional: true }\n'


@pytest.mark.parametrize(
    ("io", "inputs", "expected"),
    [
        (ONE, "", ["TW484"]),
        (ONE, given("a", ZERO), ["TW484"]),
        (ONE, given("A", ZERO) + given("Z", f"{FP32} dims: 9 zero_data: true"), []),
        (ONE, given("A", ZERO) + given("Z", f"{FP32} dims: -1 zero_data: true"), ["TW480"]),
        (ONE, given("A", ZERO) + given("Z", FP32), ["TW481"]),
        (OPTIONAL, given("A", ZERO), []),
        (OPTIONAL, given("O", ZERO), []),  # Triton only counts them
        (OPTIONAL, "", ["TW484"]),
        (ONE + ONE, given("A", ZERO), ["TW484"]),
        ("", given("A", ZERO), []),  # the backend completes the inputs
        (ONE.replace("}", "reshape { shape: [ 1, 2 ] } }"), given("A", ZERO), []),
        (
            ONE.replace("}", "reshape { shape: [ 1, 2 ] } }"),
            given("A", ZERO.replace("dims: 2", "dims: [ 1, 2 ]")),
            ["TW483"],
        ),
    ],
)
def test_a_sample_has_what_is_required(io: str, inputs: str, expected: list[str], tmp_path: Path) -> None:
    assert judged(inputs, tmp_path, io=io) == expected


@pytest.mark.parametrize("more", ["instance_group { count: 1 passive: true }\n", ""])
@pytest.mark.parametrize("sample", ["batch_size: 1", "batch_size: 0", ""])
def test_samples_that_are_not_run_are_not_judged(more: str, sample: str, tmp_path: Path) -> None:
    runs = not more and sample == "batch_size: 1"

    assert bool(judged(given("A", "dims: 9"), tmp_path, io=ONE + more, sample=sample)) == runs


@pytest.mark.parametrize(
    ("sample", "inside", "expected"),
    [
        ("batch_size: 4", ZERO, []),
        ("batch_size: 5", ZERO, ["TW491"]),
        ("", ZERO, ["TW490"]),
        ("batch_size: 1", ZERO.replace("true", "false"), ["TW495"]),
        ("batch_size: 1", f'{FP32} dims: 2 input_data_file: "../eight"', ["TW496"]),
        ("batch_size: 1", f'{FP32} dims: 2 input_data_file: "x/../eight"', []),
    ],
)
def test_warm_up_that_does_not_do_what_it_seems_to(
    sample: str, inside: str, expected: list[str], tmp_path: Path
) -> None:
    head = f'backend: "onnxruntime"\nmax_batch_size: 4\n{ONE}{OUT}'
    text = f"--- model/config.pbtxt\n{head}model_warmup {{ {sample} {given('A', inside)} }}\n{FILES}"

    assert [one for one in ids(found(RULES, text, tmp_path)) if one not in {"TW485"}] == expected


@pytest.mark.parametrize(
    ("dims", "severities"),
    [
        ("[ 268435456 ]", []),
        ("[ 268435457 ]", ["warning"]),
        ("[ 1000000000000 ]", ["error"]),
        ("[ 4611686018427387904, 2 ]", ["warning"]),  # Triton's count overflows to 0, and the model loads
    ],
)
def test_huge_samples_are_told(dims: str, severities: list[str], tmp_path: Path) -> None:
    io = ONE.replace("[ 2 ]", f"[ {', '.join('-1' for _ in dims.split(','))} ]")
    sample = given("A", f"{FP32} dims: {dims} zero_data: true")
    text = f'backend: "onnxruntime"\n{io}{OUT}model_warmup {{ batch_size: 1 {sample} }}\n'

    assert [hit.severity.value for hit in found(RULES, text, tmp_path) if hit.rule in {"TW486", "TW497"}] == severities


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('backend: "tensorrt"\n', ["TW493"]),
        ('platform: "pytorch_libtorch"\n', ["TW493"]),
        ('backend: "onnxruntime"\n', []),
        (
            'backend: "onnxruntime"\n'
            'optimization { execution_accelerators { gpu_execution_accelerator { name: "tensorrt" } } }\n',
            ["TW493"],
        ),
        ('backend: "tensorrt"\nmodel_warmup { batch_size: 1 }\n', []),
        ('platform: "ensemble"\n', []),
    ],
)
def test_slow_starters_are_warmed_up(text: str, expected: list[str], tmp_path: Path) -> None:
    assert ids(found(RULES, text, tmp_path), "info") == expected


@pytest.mark.parametrize(
    ("dims", "count"),
    [([], 0), ([2, 3], 6), ([-2, 3], -6), ([2**62, 2], None), ([2**62, 2, 0], 0), ([9**9] * 9999, None)],
)
def test_elements_are_counted_as_triton_counts_them(dims: list[int], count: int | None) -> None:
    assert element_count(dims) == count
    assert byte_size(0, dims) == (None if count is None else 4 * count)
