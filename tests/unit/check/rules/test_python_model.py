"""model.py, judged by its syntax tree; what the Python backend says was seen on tritonserver 2.51.0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.rules.python_model import RULES

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = '--- m/config.pbtxt\nbackend: "python"\n'
CLASS = "class TritonPythonModel:\n"
EXECUTE = "    def execute(self, requests):\n        return []\n"


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (f"--- m/1/model.py\n{CLASS}{EXECUTE}", []),
        ("--- m/1/\n", [("TW240", "error")]),
        (f"--- m/1/serve.py\n{CLASS}{EXECUTE}", [("TW240", "error")]),
        (f"--- m/model.py\n{CLASS}{EXECUTE}--- m/1/\n", [("TW240", "error")]),
        ("--- m/1/model.py\nclass TritonPythonModel\n", [("TW241", "error")]),
        ('--- m/1/model.py\nprint "hello"\n', [("TW241", "error")]),
        ("--- m/1/model.py\ntype X = = 3\n", [("TW241", "warning")]),
        ("--- m/1/model.py\nx = 1\n", [("TW242", "error")]),
        ("--- m/1/model.py\n", [("TW242", "error")]),
        ("--- m/1/model.py\nfrom models import TritonPythonModel\n", []),
        ("--- m/1/model.py\nfrom models import *\n", []),
        (f"--- m/1/model.py\n{CLASS}    pass\n", [("TW243", "warning")]),
        (f"--- m/1/model.py\nfrom a import B\nclass TritonPythonModel(B):\n{EXECUTE}", []),
        ("--- m/1/model.py\nfrom a import B\nclass TritonPythonModel(B):\n    pass\n", []),
    ],
)
def test_model_py_has_a_class_with_execute(rest: str, expected: list[tuple[str, str]], tmp_path: Path) -> None:
    hits = found(RULES, CONFIG + rest, tmp_path)
    assert [(one.rule, one.severity.value) for one in hits] == expected


def test_a_syntax_error_points_at_its_place(tmp_path: Path) -> None:
    (one,) = found(RULES, f"{CONFIG}--- m/1/model.py\nimport os\nclass TritonPythonModel\n    pass\n", tmp_path)
    assert (one.line, one.source) == (2, "class TritonPythonModel")
    assert (one.file or "").endswith("m/1/model.py")


def test_another_name_can_be_given(tmp_path: Path) -> None:
    config = '--- m/config.pbtxt\nbackend: "python"\ndefault_model_filename: "serve.py"\n'
    assert not found(RULES, f"{config}--- m/1/serve.py\n{CLASS}{EXECUTE}", tmp_path)


@pytest.mark.parametrize(
    ("value", "files", "count"),
    [
        ("$$TRITON_MODEL_DIRECTORY/env.tar.gz", "", 1),
        ("$$TRITON_MODEL_DIRECTORY/env.tar.gz", "--- m/env.tar.gz\nhex: 1f8b0800\n", 0),
        ("$$TRITON_MODEL_DIRECTORY/env.tar.gz", "--- m/env.tar.gz\nversion https://git-lfs.github.com/spec/v1\n", 1),
        ("$$TRITON_MODEL_DIRECTORY/env", "--- m/env/bin/activate\n", 0),
        ("/opt/env.tar.gz", "", 0),
        ("s3://bucket/env.tar.gz", "", 0),
        ("", "", 0),
    ],
)
def test_an_environment_below_the_model_is_looked_for(value: str, files: str, count: int, tmp_path: Path) -> None:
    parameter = f'parameters {{ key: "EXECUTION_ENV_PATH" value {{ string_value: "{value}" }} }}\n'
    example = f"{CONFIG}{parameter}--- m/1/model.py\n{CLASS}{EXECUTE}{files}"
    assert len(found(RULES, example, tmp_path)) == count


@pytest.mark.parametrize(("value", "count"), [("yes", 0), ("no", 0), ("maybe", 1), ("true", 1), ("", 1)])
def test_a_switch_is_yes_or_no(value: str, count: int, tmp_path: Path) -> None:
    parameter = f'parameters {{ key: "FORCE_CPU_ONLY_INPUT_TENSORS" value {{ string_value: "{value}" }} }}'
    assert len(found(RULES, f'backend: "python"\n{parameter}', tmp_path)) == count


@pytest.mark.parametrize("backend", ["onnxruntime", "dali", "my_backend"])
def test_other_backends_may_have_any_python_file(backend: str, tmp_path: Path) -> None:
    assert not found(RULES, f'--- m/config.pbtxt\nbackend: "{backend}"\n--- m/1/model.py\nx = (\n', tmp_path)
