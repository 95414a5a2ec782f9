"""The platform and backend that Triton goes on with; each case was judged by tritonserver 2.51.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import write
from triton_watch.check.repository import Repository
from triton_watch.check.resolve import backend_of_name, resolve

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("config", "file", "platform", "backend"),
    [
        ('backend: "onnxruntime"', "x", "onnxruntime_onnx", "onnxruntime"),
        ('platform: "tensorrt_plan"', "x", "tensorrt_plan", "tensorrt"),
        ("", "1/model.onnx", "onnxruntime_onnx", "onnxruntime"),
        ("", "1/model.xml", "", "openvino"),
        ("", "1/model.savedmodel", "", ""),
        ("", "1/model.savedmodel/saved_model.pb", "tensorflow_savedmodel", "tensorflow"),
        ('backend: "tensorflow"', "1/model.graphdef", "tensorflow_graphdef", "tensorflow"),
        ('backend: "tensorflow"', "1/other", "", "tensorflow"),
        ('default_model_filename: "model.pt"', "1/x", "pytorch_libtorch", "pytorch"),
        ('default_model_filename: "bert.onnx"', "1/bert.onnx", "", ""),
        ('platform: "foo"', "1/model.onnx", "foo", ""),
        ('platform: "foo" default_model_filename: "model.onnx"', "1/x", "foo", "onnxruntime"),
        ('platform: "onnxruntime_onnx" backend: "pytorch"', "x", "onnxruntime_onnx", "pytorch"),
        ('platform: "ensemble"', "x", "ensemble", "ensemble"),
        ("", "v1/model.onnx", "onnxruntime_onnx", "onnxruntime"),
        ("", "2/model.onnx", "onnxruntime_onnx", "onnxruntime"),
        ('backend: "my_backend"', "1/model.onnx", "", "my_backend"),
    ],
)
def test_backend_and_platform_are_completed(
    config: str, file: str, platform: str, backend: str, tmp_path: Path
) -> None:
    model = Repository(write(f"--- m/config.pbtxt\n{config}\n--- m/{file}\nx\n", tmp_path)).model("m")
    assert model is not None
    assert resolve(model)[:2] == (platform, backend)


def test_only_the_first_directory_tells(tmp_path: Path) -> None:
    model = Repository(write("--- m/config.pbtxt\n--- m/.cache/x\n1\n--- m/1/model.onnx\nx\n", tmp_path)).model("m")
    assert model is not None
    assert resolve(model).backend == ""


@pytest.mark.parametrize(
    ("name", "backend"), [("a.b.c", "b.c"), ("a", ""), (".git", "git"), ("a.", ""), ("x.identity", "identity")]
)
def test_a_name_gives_what_follows_its_first_dot(name: str, backend: str) -> None:
    assert backend_of_name(name) == backend
