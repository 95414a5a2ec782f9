"""Missing, empty and damaged model files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.rules.model_examples import onnx
from triton_watch.check.rules.model_file import RULES

if TYPE_CHECKING:
    from pathlib import Path

ONNX = onnx("a FP32 4", "b FP32 4")
CONFIG = '--- m/config.pbtxt\nbackend: "onnxruntime"\n'


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (f"--- m/1/model.onnx\n{ONNX}\n", []),
        ("--- m/1/\n", [("TW230", "error")]),
        ("--- m/1/.gitkeep\n", [("TW230", "warning")]),
        ("--- m/1/README.md\nfetch it\n--- m/1/download.sh\ncurl\n", [("TW230", "warning")]),
        ("--- m/1/README.md\nfetch it\n--- m/1/vocab.txt\nx\n", [("TW230", "error")]),
        ("--- m/1/labels.txt\ncat\n", [("TW230", "error")]),
        ("--- m/1/model.onnx\nlink: nowhere\n", [("TW230", "error")]),
        ("--- m/1/model.onnx\nlink: other.onnx\n--- m/1/other.onnx\n" + ONNX + "\n", []),
        (f"--- m/1/bert.onnx\n{ONNX}\n", [("TW230", "error")]),
        ("--- m/1/model.onnx/model.onnx\n" + ONNX + "\n", []),
        ("--- m/1/\n--- m/2/model.onnx\n" + ONNX + "\n", []),
        ("--- m/1/model.onnx\n", [("TW232", "error")]),
        ("--- m/1/model.onnx\nsize: 4096\n", [("TW235", "error")]),
        ("--- m/1/model.onnx\nput the model here\n", [("TW234", "warning")]),
        ("--- m/1/model.onnx\nhex: 0102030405\n", []),
    ],
)
def test_the_file_that_a_backend_opens_is_there_and_whole(
    rest: str, expected: list[tuple[str, str]], tmp_path: Path
) -> None:
    hits = found(RULES, CONFIG + rest, tmp_path)
    assert [(one.rule, one.severity.value) for one in hits] == expected


def test_a_file_of_another_name_is_named_with_both_ways_out(tmp_path: Path) -> None:
    (one,) = found(RULES, CONFIG + f"--- m/1/bert.onnx\n{ONNX}\n", tmp_path)
    assert one.fix == 'rename bert.onnx to model.onnx, or write default_model_filename: "bert.onnx"'


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ('backend: "onnxruntime"\ndefault_model_filename: "bert.onnx"', "bert.onnx"),
        ('backend: "onnxruntime"\ndefault_model_filename: "sub/bert.onnx"', "sub/bert.onnx"),
        ('backend: "tensorrt"\ncc_model_filenames { key: "7.5" value: "turing.plan" }', "turing.plan"),
        ('backend: "identity"', "anything"),
        ('backend: "my_backend"', "model.my"),
        ('backend: "onnxruntime"\ndefault_model_filename: "../shared.onnx"', "x"),
    ],
)
def test_names_that_the_configuration_gives_are_looked_for(config: str, name: str, tmp_path: Path) -> None:
    assert not found(RULES, f"--- m/config.pbtxt\n{config}\n--- m/1/{name}\nhex: 0102030405\n", tmp_path)


def test_an_ensemble_needs_no_file(tmp_path: Path) -> None:
    assert not found(RULES, '--- m/config.pbtxt\nplatform: "ensemble"\n--- m/1/\n', tmp_path)
