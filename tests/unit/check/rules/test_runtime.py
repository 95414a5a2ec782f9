"""Where Triton finds a backend's library; cases judged by tritonserver 2.51.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.rules.runtime import RULES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("config", "rules"),
    [
        ('backend: "onnxruntime" runtime: "libtriton_onnxruntime.so"', []),
        ('backend: "onnxruntime" runtime: ""', []),
        ('backend: "onnxruntime" runtime: "onnxruntime"', ["TW209"]),
        ('backend: "onnxruntime" runtime: "libtriton_nothing.so"', ["TW209"]),
        ('backend: "onnxruntime" runtime: "model.py"', ["TW209"]),
        ('backend: "pytorch" runtime: "model.py"', []),
        ('backend: "onnxruntime" runtime: "../onnxruntime/libtriton_onnxruntime.so"', []),
        ('backend: "nothing" runtime: "libtriton_onnxruntime.so"', ["TW209"]),
        ('backend: "ranking" runtime: "libranking.so"', []),
        ('backend: "../onnxruntime"', ["TW208"]),
        ('backend: "/onnxruntime"', ["TW208"]),
        ('backend: "onnxruntime/x"', ["TW208"]),
    ],
)
def test_runtime_and_backend_name_a_library_that_is_there(config: str, rules: list[str], tmp_path: Path) -> None:
    assert [one.rule for one in found(RULES, config, tmp_path)] == rules


@pytest.mark.parametrize(("size", "rules"), [(0, ["TW211"]), (199, ["TW211"]), (200, [])])
@pytest.mark.parametrize("where", ["", "1/"])
def test_a_library_in_the_models_directory_must_be_one(size: int, rules: list[str], where: str, tmp_path: Path) -> None:
    files = f'--- m/config.pbtxt\nbackend: "mine"\n--- m/1/\n--- m/{where}libtriton_mine.so\nsize: {size}\n'
    assert [one.rule for one in found(RULES, files, tmp_path)] == rules
