"""Formats are told by content, never by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.options import Options, Release
from triton_watch.check.rules.model_examples import onnx, torchscript
from triton_watch.check.rules.model_format import EXPORTED, RULES

if TYPE_CHECKING:
    from pathlib import Path

ONNX = onnx("a FP32 4", "b FP32 4")
TORCH = torchscript("x")
LIGHTGBM = "tree\nversion=v4\nend of trees"


def files(backend: str, name: str, content: str) -> str:
    return f'--- m/config.pbtxt\nmax_batch_size: 1\nbackend: "{backend}"\n--- m/1/{name}\n{content}\n'


@pytest.mark.parametrize(
    ("backend", "name", "content", "rules"),
    [
        ("onnxruntime", "model.onnx", ONNX, []),
        ("onnxruntime", "model.onnx", TORCH, ["TW220"]),
        ("tensorrt", "model.plan", ONNX, ["TW220"]),
        ("pytorch", "model.pt", ONNX, ["TW220"]),
        ("pytorch", "model.pt", TORCH, []),
        ("openvino", "model.xml", TORCH, ["TW220"]),
        ("fil", "xgboost.model", ONNX, ["TW220"]),
        ("python", "model.py", ONNX, ["TW220"]),
        ("onnxruntime", "model.onnx", "some text", []),
        ("onnxruntime", "model.onnx", "hex: 00ff00ff", []),
        ("identity", "model.onnx", TORCH, []),
        ("my_backend", "model.my", ONNX, []),
        ("onnxruntime", "model.pt", TORCH, ["TW220"]),
        ("pytorch", "model.onnx", ONNX, ["TW220"]),
        ("onnxruntime", "model.py", "class TritonPythonModel:\n    pass", ["TW220"]),
        ("onnxruntime", "export.py", "import torch", []),
        ("onnxruntime", "bert.onnx", ONNX, []),
    ],
)
def test_the_format_of_a_file_decides_whether_the_backend_is_right(
    backend: str, name: str, content: str, rules: list[str], tmp_path: Path
) -> None:
    hits = found(RULES, files(backend, name, content), tmp_path)
    assert [one.rule for one in hits] == rules
    assert all(one.red_line and one.severity.value == "error" and one.line == 2 for one in hits)


def test_the_fix_names_the_backend_for_the_format(tmp_path: Path) -> None:
    (one,) = found(RULES, files("onnxruntime", "net.pt", TORCH), tmp_path)
    assert one.fix is not None
    assert one.fix.startswith('write backend: "pytorch" and no platform (with default_model_filename: "net.pt")')


def test_a_pickled_checkpoint_is_no_torchscript(tmp_path: Path) -> None:
    old_torch_save = "hex: 80028a0a6cfc9c46f9206aa850192e80024de903"
    (one,) = found(RULES, files("pytorch", "model.pt", old_torch_save), tmp_path)
    assert "torch.jit.save" in (one.fix or "")


def test_all_served_versions_are_looked_at_and_no_others(tmp_path: Path) -> None:
    more = f"--- m/2/model.onnx\n{ONNX}\n"
    assert not found(RULES, files("onnxruntime", "model.onnx", TORCH) + more, tmp_path)
    every = files("onnxruntime", "model.onnx", TORCH).replace("max_batch_size: 1", "version_policy { all { } }")
    assert [one.rule for one in found(RULES, every + more, tmp_path / "all")] == ["TW220"]


@pytest.mark.parametrize(("triton", "severity"), [(None, "warning"), (Release(24, 10), "error")])
def test_an_exported_archive_needs_a_new_server(triton: Release | None, severity: str, tmp_path: Path) -> None:
    (one,) = found([EXPORTED], EXPORTED.bad, tmp_path, Options(triton=triton))
    assert one.severity.value == severity
