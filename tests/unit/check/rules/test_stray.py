"""Names, links and files that a repository is better without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.rules import stray

if TYPE_CHECKING:
    from pathlib import Path

RULES = stray.RULES
CONFIG = '--- ranker/config.pbtxt\nbackend: "{}"\n'.format
GOOD = CONFIG("onnxruntime") + "--- ranker/1/model.onnx\nx\n"
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("name", "backend", "severities"),
    [
        ("ranker-2.v1_B", "onnxruntime", []),
        ("a b", "onnxruntime", ["warning"]),
        ("a b", "python", ["error"]),
        ("a+b", "python", ["warning"]),
        ("é", "onnxruntime", ["warning"]),
        ("a\x01b", "onnxruntime", ["warning"]),
    ],
)
def test_odd_names_are_told_and_a_blank_is_fatal_for_python(
    name: str, backend: str, severities: list[str], tmp_path: Path
) -> None:
    example = f'--- {name}/config.pbtxt\nbackend: "{backend}"\n--- {name}/1/x\nx\n'

    findings = found(RULES, example, tmp_path)

    assert [one.severity.value for one in findings] == severities
    assert all(one.message.isprintable() for one in findings)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("--- ranker/2\nlink: 1\n", []),
        ("--- ranker/2\nlink: ../shared/1\n--- shared/1/x\nx\n", []),
        ("--- ranker/2\nlink: ../../elsewhere\n", []),  # broken: another rule tells
        ("--- ranker/2\nlink: ../..\n", ["TW131"]),
        ("--- ranker/1/data\nlink: /etc/hostname\n", ["TW131"]),
        ("--- other\nlink: /etc\n", ["TW131"]),
    ],
)
def test_links_that_leave_the_repository_are_told(link: str, expected: list[str], tmp_path: Path) -> None:
    assert ids(found(RULES, GOOD + link, tmp_path)) == expected


@pytest.mark.parametrize(
    ("files", "severities"),
    [
        ({"notebook.ipynb": 10 * MIB - 1}, []),
        ({"notebook.ipynb": 10 * MIB}, ["info"]),
        ({"a.ckpt": 6 * MIB, "1/b.zip": 6 * MIB}, ["info"]),
        ({"all.tar.gz": 1024 * MIB}, ["warning"]),
        ({"1/weights.bin": 1024 * MIB, "1/model.onnx_data": 1024 * MIB}, []),
    ],
)
def test_large_files_of_training_are_told(files: dict[str, int], severities: list[str], tmp_path: Path) -> None:
    example = GOOD + "".join(f"--- ranker/{name}\nsize: {size}\n" for name, size in files.items())

    assert [one.severity.value for one in found(RULES, example, tmp_path)] == severities


def test_an_archive_that_the_configuration_names_is_needed(tmp_path: Path) -> None:
    environment = (
        'parameters { key: "EXECUTION_ENV_PATH" value { string_value: "$$TRITON_MODEL_DIRECTORY/env.tar.gz" } }'
    )

    assert not found(RULES, f"{CONFIG('python')}{environment}\n--- ranker/env.tar.gz\nsize: {200 * MIB}\n", tmp_path)
