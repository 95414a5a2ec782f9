"""Which directories are versions, and which of them the version policy leaves."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.rule_examples import found, ids
from triton_watch.check.model import version_number
from triton_watch.check.rules import version_policy, versions

if TYPE_CHECKING:
    from pathlib import Path

RULES = versions.RULES + version_policy.RULES
CONFIG = '--- ranker/config.pbtxt\nbackend: "onnxruntime"\n'
PYTHON = '--- ranker/config.pbtxt\nbackend: "python"\n'
ENSEMBLE = '--- ranker/config.pbtxt\nplatform: "ensemble"\n'


def there(*names: str) -> str:
    return "".join(f"--- ranker/{name}/model.onnx\nx\n" for name in names)


@pytest.mark.parametrize(
    ("example", "errors", "all_ids"),
    [
        (CONFIG + there("1"), [], []),
        (CONFIG, ["TW120"], ["TW120"]),
        (CONFIG + "--- ranker/assets/x\nx\n", ["TW120"], ["TW120"]),
        (CONFIG + there("latest"), ["TW120"], ["TW120"]),
        (CONFIG + there("-"), ["TW120"], ["TW120"]),
        (CONFIG + there("\N{ARABIC-INDIC DIGIT ONE}"), ["TW120"], ["TW120"]),
        (CONFIG + there("01"), ["TW121"], ["TW121"]),
        (CONFIG + there("00"), ["TW121"], ["TW121"]),
        (CONFIG + there("v1"), ["TW121"], ["TW121"]),
        (CONFIG + there("version_2"), ["TW121"], ["TW121"]),
        (CONFIG + there("1", "01"), [], ["TW121"]),
        (CONFIG + "--- ranker/1\nx\n", ["TW122"], ["TW122"]),
        (CONFIG + there("1") + "--- ranker/2\nx\n", [], ["TW122"]),
        (CONFIG + "--- ranker/model.onnx\nx\n", ["TW123"], ["TW123"]),
        (CONFIG + "--- ranker/model.onnx\nx\n--- ranker/1/\n", [], ["TW123"]),
        (CONFIG + "--- ranker/model.onnx\nx\n" + there("1"), [], []),
        (CONFIG + there("0"), [], ["TW126"]),
        (CONFIG + there("-1"), [], ["TW126"]),
        (CONFIG + there("+1"), [], ["TW126"]),
        (CONFIG + there("2024-01-31"), [], ["TW126"]),
        (CONFIG + there("1", "1abc"), [], ["TW126"]),
        (CONFIG + there("9223372036854775807"), [], []),
        (CONFIG + there("1", "9223372036854775808"), ["TW127"], ["TW127"]),
        (CONFIG + there("-9223372036854775809"), ["TW127"], ["TW127"]),
        (CONFIG + there("1", "12345678901234567890abc"), ["TW127"], ["TW127"]),
        (CONFIG + there("1") + "--- ranker/99999999999999999999\na file\n", [], []),
        # A Python model without model.py hangs the server.
        (PYTHON + "--- ranker/1abc/model.py\nx\n", ["TW126"], ["TW126"]),
        (PYTHON + "--- ranker/1abc/model.py\nx\n--- ranker/2/model.py\nx\n", [], ["TW126"]),
        (ENSEMBLE, ["TW120"], ["TW120"]),
        (ENSEMBLE + "--- ranker/1/.gitkeep\n", [], []),
        (ENSEMBLE + "--- ranker/1/\n", [], ["TW128"]),
    ],
)
def test_versions_are_judged_as_the_server_judges_them(
    example: str, errors: list[str], all_ids: list[str], tmp_path: Path
) -> None:
    findings = found(RULES, example, tmp_path)

    assert ids(findings, "error") == errors
    assert ids(findings) == all_ids


@pytest.mark.parametrize(
    ("policy", "names", "expected"),
    [
        ("latest { }", ("1",), ["TW124"]),
        ("latest { num_versions: 0 }", ("1", "2"), ["TW124"]),
        ("latest { num_versions: 9 }", ("1", "2"), []),
        ("all { }", ("1",), []),
        ("", ("1", "2"), []),
        ("specific { }", ("1",), ["TW124"]),
        ("specific { versions: [ 2, 3 ] }", ("1",), ["TW124"]),
        ("specific { versions: [ 1, 3 ] }", ("1",), ["TW125"]),
        ("specific { versions: [ -1 ] }", ("1",), ["TW124"]),
        # Triton takes a missing version that is named twice for one that is there.
        ("specific { versions: [ 5, 5 ] }", ("1",), ["TW125"]),
        ("specific { versions: [ 1, 1 ] }", ("1",), []),
    ],
)
def test_the_policy_must_leave_a_version(
    policy: str, names: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    assert ids(found(RULES, f"{CONFIG}version_policy {{ {policy} }}\n{there(*names)}", tmp_path)) == expected


def test_a_policy_is_not_judged_where_nothing_is_there_to_select(tmp_path: Path) -> None:
    assert ids(found(RULES, f"{CONFIG}version_policy {{ latest {{ }} }}\n", tmp_path)) == ["TW120"]


def test_the_missing_version_is_pointed_at(tmp_path: Path) -> None:
    example = f"{CONFIG}version_policy {{\n  specific {{ versions: [ 1, 7 ] }}\n}}\n{there('1')}"

    (finding,) = found(RULES, example, tmp_path)

    assert (finding.line, finding.column, finding.width) == (3, 29, 1)


def test_in_a_work_tree_of_git_an_empty_version_is_a_warning(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)

    findings = found(RULES, ENSEMBLE + "--- ranker/1/\n", tmp_path / "somewhere")

    assert ids(findings, "warning") == ["TW128"]


def test_many_versions_asked_for_stay_cheap(tmp_path: Path) -> None:
    numbers = ", ".join(map(str, range(1, 50_001)))

    findings = found(
        RULES, f"{CONFIG}version_policy {{ specific {{ versions: [ {numbers} ] }} }}\n{there('1')}", tmp_path
    )

    assert ids(findings) == ["TW125"] * 200


@given(st.integers(-(2**70), 2**70), st.sampled_from(["", "x", " ", ".5", "-2"]))
def test_a_name_that_begins_with_a_number_is_that_version(number: int, rest: str) -> None:
    name = f"{number}{rest}"

    assert version_number(name) == (None if name.startswith("0") and len(name) > 1 else number)
