"""Missing, empty and damaged model files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.file_modes import nobody, public_folder
from support.rule_examples import found, write
from triton_watch.check.engine import run_rules
from triton_watch.check.options import Options
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope
from triton_watch.check.rules import layout, platform, python_model, special_files
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


@pytest.mark.parametrize(
    ("mode", "of", "expected"),
    [
        (0o000, "1/model.py", ["TW237"]),
        (0o444, "1", ["TW237"]),
        (0o000, "1", ["TW108"]),
    ],
    ids=["file", "folder that is listed only", "folder"],
)
@pytest.mark.parametrize("config", ['backend: "python"\n', "max_batch_size: 8\n"])
def test_what_may_not_be_read_is_neither_missing_nor_judged(
    config: str, mode: int, of: str, expected: list[str]
) -> None:
    rules = (*RULES, *layout.RULES, *python_model.RULES, *platform.RULES)
    with public_folder() as folder:
        repository = write(f"--- m/config.pbtxt\n{config}--- m/1/model.py\nnonsense nonsense\n", folder)
        model = repository / "m"
        for path in (repository, model, model / "1"):
            path.chmod(0o755)
        (model / "config.pbtxt").chmod(0o644)
        (model / of).chmod(mode)
        with nobody():
            hits = list(run_rules(rules, Scope.MODEL, Repository(repository).model("m"), Options()))
        (model / of).chmod(0o755)

    assert [(one.rule, one.severity.value) for one in hits] == [(rule, "warning") for rule in expected]


def test_nothing_is_missing_in_a_version_that_was_not_listed_whole(tmp_path: Path) -> None:
    repository = write(CONFIG + "--- m/1/\n", tmp_path)
    for number in range(20_001):
        (repository / "m" / "1" / f"{number:05}").touch()

    hits = run_rules((*RULES, *layout.RULES), Scope.MODEL, Repository(repository).model("m"), Options())

    assert [one.rule for one in hits] == ["TW108"]


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("xgboost.json", 'write parameters { key: "model_type" value { string_value: "xgboost_json" } }'),
        (
            "trees.json",
            'write parameters { key: "model_type" value { string_value: "xgboost_json" } } '
            'and default_model_filename: "trees.json"',
        ),
    ],
)
def test_a_tree_model_of_another_type_is_mended_in_one_step(name: str, fix: str, tmp_path: Path) -> None:
    xgboost = '{"learner": {"attributes": {}}, "version": [2, 0, 0]}'
    text = f'--- m/config.pbtxt\nbackend: "fil"\n--- m/1/{name}\n{xgboost}\n'

    (one,) = found(RULES, text, tmp_path)

    assert (one.rule, one.fix) == ("TW230", fix)
    assert "for model_type xgboost" in one.message


def test_broken_json_of_vllm_is_told_by_the_rule_of_its_arguments_alone(tmp_path: Path) -> None:
    text = '--- m/config.pbtxt\nbackend: "vllm"\n--- m/1/model.json\n{"model": "x",}\n'
    assert [one.rule for one in found((*RULES, *special_files.RULES), text, tmp_path)] == ["TW250"]
