"""Which versions and files of a model are served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import write
from triton_watch.check.repository import Repository
from triton_watch.check.served import missing_files, served_files, served_versions, wanted_names

if TYPE_CHECKING:
    from pathlib import Path

VERSIONS = "".join(f"--- m/{name}/model.onnx\nx\n" for name in ("1", "2", "10", "03", "1abc"))


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        ("", [10]),
        ("version_policy { }", [10, 2, 1]),
        ("version_policy { all { } }", [10, 2, 1]),
        ("version_policy { latest { num_versions: 2 } }", [10, 2]),
        ("version_policy { latest { } }", []),
        ("version_policy { specific { versions: [ 1, 7 ] } }", [1]),
    ],
)
def test_the_version_policy_chooses(policy: str, served: list[int], tmp_path: Path) -> None:
    repository = Repository(write(f'--- m/config.pbtxt\nbackend: "onnxruntime"\n{policy}\n{VERSIONS}', tmp_path))
    model = repository.model("m")
    assert model is not None
    assert [version.number for version in served_versions(model)] == served
    assert [one.version.number for one in served_files(model)] == served


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ('backend: "onnxruntime"', ["model.onnx"]),
        ('backend: "onnxruntime" default_model_filename: "b.onnx"', ["b.onnx"]),
        ('backend: "vllm" default_model_filename: "b.json"', ["model.json"]),
        ('platform: "tensorflow_graphdef"', ["model.graphdef"]),
        ('backend: "fil"', ["xgboost.model"]),
        ('backend: "fil" parameters { key: "model_type" value { string_value: "lightgbm" } }', ["model.txt"]),
        ('backend: "tensorrt" cc_model_filenames { key: "8.0" value: "a.plan" }', ["model.plan", "a.plan"]),
        ('backend: "identity"', []),
    ],
)
def test_the_names_that_a_backend_opens(config: str, names: list[str], tmp_path: Path) -> None:
    model = Repository(write(f"--- m/config.pbtxt\n{config}\n--- m/1/\n", tmp_path)).model("m")
    assert model is not None
    assert list(wanted_names(model)) == names


@pytest.mark.parametrize("names", ["../model.onnx", "a/../../model.onnx", ".."])
def test_nothing_outside_of_the_version_is_looked_at(names: list[str], tmp_path: Path) -> None:
    text = (
        f'--- m/config.pbtxt\nbackend: "onnxruntime" default_model_filename: "{names}"\n--- m/1/\n--- m/model.onnx\nx\n'
    )
    model = Repository(write(text, tmp_path)).model("m")
    assert model is not None
    assert served_files(model) == ()
    assert missing_files(model) == ()


def test_what_was_found_is_kept_with_the_model(tmp_path: Path) -> None:
    model = Repository(write(f'--- m/config.pbtxt\nbackend: "onnxruntime"\n{VERSIONS}', tmp_path)).model("m")
    assert model is not None
    assert served_files(model) is served_files(model)
