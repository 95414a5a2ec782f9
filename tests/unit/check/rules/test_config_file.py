"""Problems of the parser become findings, a rule a kind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.options import Options, Release
from triton_watch.check.pbtxt import ProblemKind
from triton_watch.check.rules import config_file

if TYPE_CHECKING:
    from triton_watch.check.rule import Rule

RULES = config_file.RULES
ONNX = 'backend: "onnxruntime"\n'


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.slug)
def test_the_bad_example_of_a_rule_is_found_and_the_good_one_is_not(rule: Rule, tmp_path: Path) -> None:
    assert ids(found(RULES, rule.bad, tmp_path / "bad")) == [rule.id]
    assert not found(RULES, rule.good, tmp_path / "good")


@pytest.mark.parametrize(
    ("text", "rule", "severity", "place"),
    [
        ("max_batch_size 8\n", "TW110", "error", (2, 16)),
        ("input { name: 'x'\n", "TW110", "error", (3, 1)),
        ("// a comment\n", "TW110", "error", (2, 1)),
        ("max_batch_size: 8 }\n", "TW110", "error", (2, 19)),
        ("dynamic_batching { preferred_batch_sizes: [ 4 ] }\n", "TW111", "error", (2, 20)),
        ("dims: [ 1 ]\n", "TW111", "error", (2, 1)),
        ("input { data_type: TYPE_FLOAT32 }\n", "TW112", "error", (2, 20)),
        ("optimization { }\noptimization { }\n", "TW113", "error", (3, 1)),
        ("max_batch_size: 0\nmax_batch_size: 4\n", "TW113", "warning", (3, 1)),
        ("version_policy { all { } latest { } }\n", "TW114", "error", (2, 26)),
        ("input { dims: [ 9223372036854775808 ] }\n", "TW115", "error", (2, 17)),
        ("max_batch_size: 4.0\n", "TW116", "error", (2, 17)),
    ],
)
def test_a_problem_is_told_where_it_is(
    text: str, rule: str, severity: str, place: tuple[int, int], tmp_path: Path
) -> None:
    (finding,) = found(RULES, ONNX + text, tmp_path)

    assert (finding.rule, finding.severity.value) == (rule, severity)
    assert (finding.line, finding.column) == place


def test_every_kind_of_problem_has_a_rule() -> None:
    source = Path(config_file.__file__).read_text()

    assert [kind.name for kind in ProblemKind if f"ProblemKind.{kind.name}" not in source] == []


def test_a_misspelt_field_has_a_suggestion(tmp_path: Path) -> None:
    (finding,) = found(RULES, ONNX + "max_batchsize: 8\n", tmp_path)

    assert finding.fix == "did you mean `max_batch_size`?"


@pytest.mark.parametrize(
    ("field", "triton", "severity"),
    [
        ("model_metrics { }", None, ["info"]),
        ("model_metrics { }", Release(24, 10), ["error"]),
        ("model_metrics { }", Release(24, 11), []),
        ('runtime: "x"', None, []),
        ('runtime: "x"', Release(23, 12), ["error"]),
        ('runtime: "x"', Release(24, 1), []),
    ],
)
def test_a_newer_field_is_an_error_only_for_a_server_that_is_known_to_be_older(
    field: str, triton: Release | None, severity: list[str], tmp_path: Path
) -> None:
    findings = found(RULES, f"{ONNX}{field}\n", tmp_path, Options(triton=triton))

    assert [one.severity.value for one in findings] == severity


def test_messages_of_hostile_files_are_short(tmp_path: Path) -> None:
    findings = found(RULES, f"{ONNX}{'x' * 10_000}: 1\n", tmp_path)

    assert max(len(one.message) for one in findings) <= 500


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("max_batch_size: 1e1\n", "write 10"),
        ("input [ { }, ]\n", "remove the comma"),
        ("instance_group: KIND_GPU\n", "write instance_group [ { kind: KIND_GPU } ]"),
        ("max_batch_size: ${x}\n", "fill it in with NVIDIA's tools/fill_template.py or envsubst, say, and check what "
         "comes out"),
    ],
)  # fmt: skip
def test_a_finding_says_what_to_write(text: str, fix: str, tmp_path: Path) -> None:
    assert [one.fix for one in found(RULES, ONNX + text, tmp_path)] == [fix]
