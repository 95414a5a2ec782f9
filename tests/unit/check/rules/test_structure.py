"""What lies in a repository, and what Triton makes of a directory without config.pbtxt."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids, write
from triton_watch.check.engine import run_rules
from triton_watch.check.options import Options
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope
from triton_watch.check.rules import layout, structure

if TYPE_CHECKING:
    from pathlib import Path

RULES = structure.RULES + layout.RULES
CONFIG = '--- ranker/config.pbtxt\nbackend: "onnxruntime"\n'
ONNX = "--- ranker/1/model.onnx\na model\n"


@pytest.mark.parametrize(
    ("example", "errors", "all_ids"),
    [
        (CONFIG + ONNX, [], []),
        # Only some backends complete a configuration by themselves.
        (ONNX, [], ["TW100"]),
        ("--- ranker/1/model.plan\nx\n", [], ["TW100"]),
        ("--- ranker/1/model.py\nx\n", [], ["TW100"]),
        ("--- ranker/1/model.pt\nx\n", ["TW100"], ["TW100"]),
        ("--- ranker/1/model.graphdef\nx\n", ["TW100"], ["TW100"]),
        ("--- ranker/1/model.savedmodel/saved_model.pb\nx\n", [], ["TW100"]),
        ("--- ranker/1/model.savedmodel\nx\n", ["TW100"], ["TW100"]),
        ("--- ranker/1/bert.onnx\nx\n", ["TW100"], ["TW100"]),
        # The first directory by its name counts, even when it is no version.
        ("--- ranker/.cache/x\nx\n--- ranker/1/model.onnx\nx\n", ["TW100"], ["TW100"]),
        ("--- ranker/1/\n--- ranker/2/model.onnx\nx\n", ["TW100"], ["TW100"]),
        ("--- ranker/v1/model.onnx\nx\n", ["TW100"], ["TW100"]),
        ("--- ranker/model.onnx\nx\n", ["TW100"], ["TW100"]),
        # What follows the first dot of a name is its backend.
        ("--- a.python/1/x\nx\n", [], ["TW100"]),
        ("--- a.vllm/1/model.json\n{}\n", [], ["TW100"]),
        ("--- a.onnxruntime/1/x\nx\n", ["TW100"], ["TW100"]),
        ("--- a.b.python/1/x\nx\n", ["TW100"], ["TW100"]),
        ("--- a./1/x\nx\n", ["TW100"], ["TW100"]),
        # Configurations of other names and places.
        (f"--- ranker/Config.pbtxt\nx\n{ONNX}", [], ["TW101"]),
        ("--- ranker/config.pbtxt.txt\nx\n--- ranker/1/model.pt\nx\n", ["TW101"], ["TW101"]),
        ("--- ranker/config.json\n{}\n--- ranker/1/model.pt\nx\n", ["TW101"], ["TW101"]),
        ("--- ranker/1/config.pbtxt\nx\n--- ranker/1/model.pt\nx\n", ["TW101"], ["TW101"]),
        (f"--- ranker/notes.txt\nx\n{ONNX}", [], ["TW100"]),
        (f"--- ranker/config.json\n{{}}\n{CONFIG}{ONNX}", [], []),
        # What is no model.
        ("--- docs/readme.md\nx\n", ["TW106"], ["TW106"]),
        ("--- empty/\n", ["TW106"], ["TW106"]),
        ("--- __pycache__/a.pyc\nx\n", ["TW106"], ["TW106"]),
        ("--- .git/HEAD\nx\n", ["TW105"], ["TW105"]),
        ('--- .hidden/config.pbtxt\nbackend: "onnxruntime"\n--- .hidden/1/model.onnx\nx\n', [], ["TW105"]),
        ("--- .cache/1/model.onnx\nx\n", [], ["TW105"]),
        ("--- models/a/config.pbtxt\nx\n--- models/b/config.pbtxt\nx\n", ["TW104"], ["TW104"]),
        ("--- models/a/1/model.onnx\nx\n", ["TW104"], ["TW104"]),
        # Names.
        (f'--- ranker/config.pbtxt\nname: ""\nbackend: "onnxruntime"\n{ONNX}', [], []),
        (f'--- ranker/config.pbtxt\nname: "ranker "\nbackend: "onnxruntime"\n{ONNX}', ["TW103"], ["TW103"]),
        # Links.
        (f"{CONFIG}{ONNX}--- ranker/latest\nlink: 1\n", [], []),
        (f"{CONFIG}{ONNX}--- ranker/latest\nlink: latest\n", ["TW107"], ["TW107"]),
        (f"{CONFIG}{ONNX}--- ranker/1/data\nlink: nowhere\n", [], []),
        (f"--- ranker/config.pbtxt\nlink: nowhere\n{ONNX}", ["TW102"], ["TW102"]),
        (f'--- ranker/config.pbtxt\nlink: real.pbtxt\n--- ranker/real.pbtxt\nbackend: "onnxruntime"\n{ONNX}', [], []),
    ],
)
def test_a_directory_is_judged_as_the_server_judges_it(
    example: str, errors: list[str], all_ids: list[str], tmp_path: Path
) -> None:
    findings = found(RULES, example, tmp_path)

    assert ids(findings, "error") == errors
    assert ids(findings) == all_ids


def test_without_completion_every_missing_configuration_is_an_error(tmp_path: Path) -> None:
    assert ids(found(RULES, ONNX, tmp_path, Options(auto_complete=False)), "error") == ["TW100"]


def test_a_missing_and_a_misnamed_configuration_cross_the_red_line(tmp_path: Path) -> None:
    assert [one.red_line for one in found(RULES, ONNX, tmp_path / "a")] == [True]
    assert [one.red_line for one in found(RULES, f"--- ranker/config.pbtx\nx\n{ONNX}", tmp_path / "b")] == [True]


def test_a_name_that_differs_is_pointed_at(tmp_path: Path) -> None:
    example = f'--- ranker/config.pbtxt\nbackend: "onnxruntime"\nname: "Ranker"\n{ONNX}'

    (finding,) = found(RULES, example, tmp_path)

    assert (finding.line, finding.column, finding.width) == (2, 7, 8)
    assert "unexpected directory name 'ranker' for model 'Ranker'" in finding.message


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    repository = write(ONNX, tmp_path)
    os.mkfifo(repository / "ranker" / "config.pbtxt")

    model = Repository(repository).model("ranker")

    assert [one.rule for one in run_rules(RULES, Scope.MODEL, model, Options())] == ["TW102"]


def test_a_configuration_on_another_file_system_wins_over_custom_ones_only_by_a_flag(tmp_path: Path) -> None:
    example = '--- ranker/configs/a10.pbtxt\nbackend: "onnxruntime"\n--- ranker/x1/model.onnx\nx\n'

    (finding,) = found(RULES, example, tmp_path)

    assert "configs/a10.pbtxt is only read with --model-config-name" in finding.message


def test_nothing_is_missing_in_a_directory_that_was_not_listed_whole(tmp_path: Path) -> None:
    folder = tmp_path / "repository" / "ranker"
    folder.mkdir(parents=True)
    for number in range(20_001):
        (folder / f"{number:05}x").touch()

    model = Repository(folder.parent).model("ranker")
    findings = list(run_rules(RULES, Scope.MODEL, model, Options()))

    assert [one.rule for one in findings] == ["TW108"]
    assert "more than 20,000 entries" in findings[0].message


def test_a_configuration_given_alone_is_not_asked_for_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "ranker.pbtxt"
    path.write_text('name: "another"\nbackend: "onnxruntime"\n')
    repository = Repository(tmp_path, loose=path)

    model = repository.model(repository.names[0])

    assert not list(run_rules(RULES, Scope.MODEL, model, Options()))
