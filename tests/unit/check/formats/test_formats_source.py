"""model.py and model.json, and the tables of backends."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triton_watch.check.formats import (
    MODEL_TYPES,
    Format,
    PythonModel,
    backends_for,
    default_filenames,
    expected_formats,
    read_model_file,
    read_python_model,
    read_vllm,
)

GOOD = '''
from __future__ import annotations
import json, numpy as np
import triton_python_backend_utils as pb_utils
from transformers.models import auto
from . import helper
try:
    import torch
except ImportError:
    torch = None

class TritonPythonModel:
    """A model."""
    @staticmethod
    def auto_complete_config(config):
        config.set_model_transaction_policy(dict(decoupled=True))
        return config

    def initialize(self, args):
        import scipy.stats
        self.pattern = "\\d"

    async def execute(self, requests):
        for request in requests:
            request.get_response_sender()

    def finalize(self): ...
'''


def python(folder: Path, source: str | bytes) -> PythonModel:
    path = folder / "model.py"
    path.write_bytes(source.encode() if isinstance(source, str) else source)
    return read_python_model(path)


def test_a_python_model_tells_what_it_defines_and_imports(tmp_path: Path) -> None:
    assert python(tmp_path, GOOD) == PythonModel(
        tmp_path / "model.py",
        has_class=True,
        has_execute=True,
        has_auto_complete=True,
        has_initialize=True,
        has_finalize=True,
        uses_response_sender=True,
        sets_decoupled=True,
        async_execute=True,
        imports=(".", "json", "numpy", "transformers", "triton_python_backend_utils"),
        guarded_imports=("scipy", "torch"),
    )


@pytest.mark.parametrize(
    ("source", "has_class", "has_execute"),
    [
        ("class TritonPythonModel:\n def execute(self, r): ...", True, True),
        ("class TritonPythonModel:\n def initialize(self, a): ...", True, False),
        ("class TritonPythonModel(object):\n x = 1", True, False),
        ("from base import B\nclass TritonPythonModel(B): ...", True, None),
        ("import base\nclass TritonPythonModel(base.B): ...", True, None),
        ("class B:\n def execute(self, r): ...\nclass TritonPythonModel(B): ...", True, True),
        ("class B: ...\nclass TritonPythonModel(B): ...", True, False),
        ("class B(B): ...\nclass TritonPythonModel(B): ...", True, False),
        ("@register\nclass TritonPythonModel: ...", True, None),
        ("class TritonPythonModel(metaclass=M): ...", True, None),
        ("class TritonPythonModel:\n execute = run", True, True),
        ("class TritonPythonModel:\n if x:\n  def execute(self, r): ...", True, True),
        ("class TritonPythonModel: ...\nclass TritonPythonModel:\n def execute(self, r): ...", True, True),
        ("if True:\n class TritonPythonModel:\n  def execute(self, r): ...", True, True),
        ("TritonPythonModel = Other", True, None),
        ("TritonPythonModel: type = Other", True, None),
        ("from impl import TritonPythonModel", True, None),
        ("from impl import Model as TritonPythonModel", True, None),
        ("from impl import *", True, None),
        ("class Model:\n def execute(self, r): ...", False, None),
        ("def f():\n class TritonPythonModel: ...", False, None),
        ("x = 1", False, None),
    ],
)
def test_the_class_and_its_execute_are_found_or_unknown_but_never_guessed(
    source: str, has_class: bool, has_execute: bool | None, tmp_path: Path
) -> None:
    found = python(tmp_path, source)
    assert (found.has_class, found.has_execute, found.problem, found.syntax_error) == (
        has_class,
        has_execute,
        None,
        None,
    )


def test_a_syntax_error_names_line_and_column(tmp_path: Path) -> None:
    found = python(tmp_path, "import json\nclass TritonPythonModel\n    pass\n")
    assert found.syntax_error is not None
    line, column, text = found.syntax_error
    assert (line, column) == (2, 24)
    assert text == "expected ':'"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (b"", "is empty"),
        (b"x = 1\0", "holds a zero byte, so it is no Python source"),
        (b"#" * (1 << 20) + b"\n", "is too large to be looked at: 1,048,577 bytes"),
        (b"x" + b".a" * 60_000, "is too complex to be looked at"),
        (b"a in " * 150_000 + b"a", "is too complex to be looked at"),
        (b"x" + b".a" * 49_000, "is nested too deeply to be looked at"),
        (b"not " * 90_000 + b"1", "is nested too deeply to be looked at"),
    ],
)
def test_source_that_is_not_looked_at_says_why(source: bytes, problem: str, tmp_path: Path) -> None:
    found = python(tmp_path, source)
    # Python 3.10 knows no depth in the conversion of a chain that its parser takes as a loop.
    assert found.problem == problem or (b".a" in source and found == PythonModel(tmp_path / "model.py"))


def test_an_encoding_that_does_not_fit_is_an_error_at_a_place(tmp_path: Path) -> None:
    for source in (b"x = '\xe4'\n", b"# coding: nonsense\nx = 1\n"):
        found = python(tmp_path, source)
        assert found.syntax_error is not None or found.problem is not None


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_source_raises(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)))))
    noise = data.draw(
        st.one_of(st.binary(max_size=20), st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")))
    )
    found = python(tmp_path_factory.getbasetemp(), GOOD[:start].encode() + noise + GOOD[end:].encode())
    assert found.problem is None or "\n" not in found.problem


def test_arguments_of_vllm_are_given_as_json_has_them(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text('\ufeff{"model": "facebook/opt-125m", "gpu_memory_utilization": 0.5, "dtype": "auto"}')
    found = read_vllm(path)
    assert (found.model, found.problem) == ("facebook/opt-125m", None)
    assert dict(found.args) == {"model": "facebook/opt-125m", "gpu_memory_utilization": 0.5, "dtype": "auto"}
    assert read_model_file(path).detail == {"model": "facebook/opt-125m"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "is empty: it must be a JSON object of vLLM's engine arguments"),
        (b'{\n "model": "m",\n}', "is not valid JSON: line 3, column 1: "),
        (b"[1]", "is not a JSON object of vLLM's engine arguments"),
        (b'{"dtype": "auto"}', "has no `model`: name a folder or a model of the Hugging Face hub"),
        (b'{"model": 3}', "has a `model` that is no text: name a folder or a model of the Hugging Face hub"),
        (b'{"model": "\xff"}', "is not valid JSON: byte 11 is no UTF-8"),
        (b'{"a":' * 50_000, "is not usable JSON: it is nested too deeply, or a number in it is too long"),
        (b"[" * 600_000, "holds more than 500,000 JSON values"),
        (b" " * (2 << 20), "is too large for vLLM's arguments: 2,097,152 bytes"),
    ],
)
def test_wrong_arguments_of_vllm_are_a_problem_with_its_place(text: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(text)
    found = read_vllm(path)
    assert (found.problem or "").startswith(problem)
    assert found.model is None


def test_a_missing_source_is_a_problem_and_no_error(tmp_path: Path) -> None:
    assert read_python_model(tmp_path / "model.py").problem == "does not exist"
    assert read_vllm(tmp_path / "model.json").problem == "does not exist"
    assert read_python_model(tmp_path).problem == "is a folder and not a file"
    assert read_vllm(Path("/dev/zero")).problem == "is a device and not a file"


@pytest.mark.parametrize(
    "backend", ["tensorrt", "onnxruntime", "pytorch", "openvino", "tensorflow", "python", "fil", "dali", "vllm"]
)
def test_every_backend_has_files_and_each_of_its_formats_leads_back_to_it(backend: str) -> None:
    assert default_filenames(backend)
    assert expected_formats(backend)
    assert all(backend in backends_for(known) for known in expected_formats(backend))


def test_the_usual_backend_comes_first_and_what_nobody_serves_has_none() -> None:
    assert backends_for(Format.ONNX) == ("onnxruntime", "openvino")
    assert backends_for(Format.SAVED_MODEL)[0] == "tensorflow"
    assert backends_for(Format.PYTHON_SOURCE) == ("python", "dali")
    assert backends_for(Format.TORCH_PICKLE) == ()
    assert default_filenames("my_own") == ()
    assert expected_formats("my_own") == frozenset()


def test_each_model_type_of_fil_has_a_default_file_and_a_format_of_fil() -> None:
    assert {name for name, _ in MODEL_TYPES.values()} == set(default_filenames("fil"))
    assert {known for _, known in MODEL_TYPES.values()} == expected_formats("fil")
