"""SARIF validates against the schema of the standard, points where the finding is, and knows a finding again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from support.check_reports import BATCHING, CONFIG, DIM, HOSTILE, NO_BATCHING, RULES, finding, report, written
from triton_watch.check.output.sarif import artifact, rule_descriptor

if TYPE_CHECKING:
    from triton_watch.check.report import Report
    from triton_watch.records import Finding

SCHEMA = json.loads((Path(__file__).parents[3] / "fixtures" / "sarif-2.1.0.schema.json").read_text())
VALIDATOR = Draft4Validator(SCHEMA)


def log(of: Report) -> Any:
    parsed = json.loads(written("sarif", of))
    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in VALIDATOR.iter_errors(parsed)
    ]
    assert not problems
    return parsed["runs"][0]


def test_the_schema_refuses_what_is_not_sarif() -> None:
    parsed = json.loads(written("sarif"))
    parsed["runs"][0]["results"][0]["level"] = "fatal"
    assert not VALIDATOR.is_valid(parsed)


@pytest.mark.parametrize("of", [report(), report([]), report([], rules=())], ids=["some", "none", "no rules"])
def test_a_report_is_valid(of: Report) -> None:
    run = log(of)
    assert len(run["results"]) == len(of.findings)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.id for rule in of.rules]


@settings(max_examples=50, deadline=None)
@given(st.lists(HOSTILE, max_size=4))
def test_it_is_valid_and_ascii_whatever_is_in_a_finding(found: list[Finding]) -> None:
    log(report(found))
    assert written("sarif", report(found)).isascii()


def test_a_result_has_its_rule_place_and_fix() -> None:
    (result,) = log(report([BATCHING]))["results"]
    assert RULES[result["ruleIndex"]].id == result["ruleId"] == "TW402"
    assert result["level"] == "warning"
    assert result["message"]["text"].endswith("\nFix: add `dynamic_batching { }`")
    assert result["properties"] == {"redLine": True, "confidence": "high"}
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "models/ranker/config.pbtxt", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 3, "startColumn": 1, "endColumn": 15},
            },
            "logicalLocations": [{"name": "ranker", "kind": "module"}],
        }
    ]


def test_a_finding_without_a_line_has_no_region() -> None:
    (result,) = log(report([CONFIG]))["results"]
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "models/classifier", "uriBaseId": "%SRCROOT%"}
    }


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("models/a b/config.pbtxt", {"uri": "models/a%20b/config.pbtxt", "uriBaseId": "%SRCROOT%"}),
        ("./models/a", {"uri": "models/a", "uriBaseId": "%SRCROOT%"}),
        ("a:b/c#d?e", {"uri": "a%3Ab/c%23d%3Fe", "uriBaseId": "%SRCROOT%"}),
        ("100%/ü", {"uri": "100%25/%C3%BC", "uriBaseId": "%SRCROOT%"}),
        ("bytes\udcff", {"uri": "bytes%FF", "uriBaseId": "%SRCROOT%"}),
        ("/srv/models/a b", {"uri": "file:///srv/models/a%20b"}),
        ("..hidden/x", {"uri": "..hidden/x", "uriBaseId": "%SRCROOT%"}),
        ("http://host:8000/v2/models/x y", {"uri": "http://host:8000/v2/models/x%20y"}),
    ],
)
def test_paths_become_uris(file: str, expected: dict[str, str]) -> None:
    assert artifact(file) == expected


def test_a_path_above_the_working_directory_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert artifact("../models/x") == {"uri": f"file://{tmp_path}/models/x"}


def prints(*found: Finding, roots: tuple[str, ...] = ("models",)) -> list[str]:
    return [result["partialFingerprints"]["tritonWatch/v1"] for result in log(report(found, roots=roots))["results"]]


def test_a_finding_keeps_its_fingerprint_when_its_line_moves() -> None:
    assert prints(DIM) == prints(replace(DIM, line=40, column=2))
    assert prints(DIM) != prints(replace(DIM, message="another"))
    assert prints(DIM) != prints(replace(DIM, model="other"))


def test_equal_findings_on_two_lines_have_two_fingerprints() -> None:
    assert len(set(prints(DIM, replace(DIM, line=40)))) == 2


def test_a_rule_is_described_whole() -> None:
    described = rule_descriptor(NO_BATCHING)
    assert described["name"] == "no-dynamic-batching"
    assert described["defaultConfiguration"] == {"level": "warning"}
    assert described["properties"] == {"tags": ["model", "red-line", "triton"], "precision": "high"}
    assert "dynamic_batching { }" in described["help"]["markdown"]
    assert "helpUri" not in described
    published = rule_descriptor(NO_BATCHING, "https://example.org/docs/rules.md")
    assert published["helpUri"] == "https://example.org/docs/rules.md#tw402-no-dynamic-batching"


def test_a_finding_of_a_rule_that_is_not_listed_has_no_index() -> None:
    (result,) = log(report([finding(NO_BATCHING)], rules=()))["results"]
    assert "ruleIndex" not in result
