"""Names of backends: near misses are errors, names of one's own are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.options import Options, Release
from triton_watch.check.rules.backend import KNOWN, RULES, meant
from triton_watch.records import Confidence

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("backend", "right", "confidence"),
    [
        ("onnx", "onnxruntime", Confidence.HIGH),
        ("ONNXRuntime", "onnxruntime", Confidence.HIGH),
        ("onnxruntime ", "onnxruntime", Confidence.HIGH),
        ("onnxruntime_onnx", "onnxruntime", Confidence.HIGH),
        ("tensorrt_plan", "tensorrt", Confidence.HIGH),
        ("tensorrt-llm", "tensorrtllm", Confidence.HIGH),
        ("torch", "pytorch", Confidence.HIGH),
        ("onnxrutnime", "onnxruntime", Confidence.MEDIUM),
        ("opnvino", "openvino", Confidence.MEDIUM),
    ],
)
def test_a_near_miss_names_the_backend_that_was_meant(
    backend: str, right: str, confidence: Confidence | None, tmp_path: Path
) -> None:
    assert meant(backend) == (right, confidence)
    hits = [one for one in found(RULES, f'backend: "{backend}"', tmp_path) if one.rule == "TW205"]
    assert [one.fix for one in hits] == [f'write backend: "{right}"']
    assert all(one.red_line for one in hits)


@pytest.mark.parametrize("backend", ["ranking_rules", "mybackend", "tensorflow2", "nothing", "trt_custom", "hps"])
def test_a_custom_backend_is_only_an_information(backend: str, tmp_path: Path) -> None:
    assert [(one.rule, one.severity.value) for one in found(RULES, f'backend: "{backend}"', tmp_path)] == [
        ("TW206", "info")
    ]


@pytest.mark.parametrize("backend", sorted(KNOWN - {"tensorflow"}))
def test_nvidias_backends_are_known(backend: str, tmp_path: Path) -> None:
    assert not found(RULES, f'backend: "{backend}"', tmp_path)


def test_a_backend_whose_library_comes_with_the_model_is_accepted(tmp_path: Path) -> None:
    files = '--- m/config.pbtxt\nbackend: "onnx"\n--- m/1/\n--- m/libtriton_onnx.so\n'
    assert not found(RULES, files + "x" * 300, tmp_path)


def test_ensemble_is_a_platform(tmp_path: Path) -> None:
    (one,) = found(RULES, 'backend: "ensemble"', tmp_path)
    assert one.fix == 'write platform: "ensemble" instead'


def test_a_directorys_name_can_be_taken_for_a_backend(tmp_path: Path) -> None:
    (one,) = found(RULES, "--- ranker.v1.2/config.pbtxt\nmax_batch_size: 1\n--- ranker.v1.2/1/\n", tmp_path)
    assert one.rule == "TW207"
    assert "backend 'v1.2'" in one.message


@pytest.mark.parametrize(
    ("triton", "severities"),
    [(None, ["warning"]), (Release(25, 2), []), (Release(25, 3), ["error"])],
)
def test_tensorflow_is_gone_since_a_release(triton: Release | None, severities: list[str], tmp_path: Path) -> None:
    hits = found(RULES, 'platform: "tensorflow_graphdef"', tmp_path, Options(triton=triton))
    assert [one.severity.value for one in hits] == severities


def test_a_hostile_name_stays_short_and_printable(tmp_path: Path) -> None:
    (one,) = found(RULES, f'backend: "\\033{"x" * 100_000}"', tmp_path)
    assert len(one.message) < 600
    assert one.message.isprintable()


def test_a_placeholder_in_quotes_is_named_as_what_it_is(tmp_path: Path) -> None:
    (one,) = found(RULES, 'backend: "${triton_backend}"\n', tmp_path)
    assert (one.rule, one.severity.value) == ("TW205", "error")
    assert one.message.startswith("${triton_backend} is a template's placeholder that was not filled in")
    assert "libtriton" not in f"{one.message}{one.fix}"


def test_a_backend_of_a_file_that_is_a_template_as_a_whole_says_nothing_more(tmp_path: Path) -> None:
    assert not found(RULES, 'backend: "${triton_backend}"\nmax_batch_size: ${size}\n', tmp_path)
