"""A baseline knows findings again after edits and from other directories, and counts them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.check_reports import BATCHING, CONFIG, DIM, FINDINGS, HOSTILE, NO_GROUPS, finding
from triton_watch.check.baseline import Baseline, BaselineError, load_baseline, write_baseline

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from triton_watch.records import Finding


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "baseline.json"


def baseline(file: Path, findings: Iterable[Finding], roots: tuple[str, ...] = ("models",)) -> Baseline:
    file.write_text(write_baseline(findings, roots))
    return load_baseline(file)


def test_it_is_readable_sorted_and_the_same_for_the_same_findings() -> None:
    text = write_baseline([DIM, CONFIG, DIM], ["models"])
    assert text == write_baseline([CONFIG, DIM, replace(DIM, line=99)], ["models"])
    assert text == (
        '{\n  "version": 1,\n  "findings": [\n'
        '    {"rule": "TW101", "model": "classifier", "file": "classifier", "message": "there is no config.pbtxt", '
        '"count": 1},\n'
        '    {"rule": "TW304", "model": "ranker", "file": "ranker/config.pbtxt", "message": "input \\"ids\\" has a '
        'dimension of 0. Triton: \\"dimension must be integer >= 1, or -1\\"", "count": 2}\n'
        "  ]\n}\n"
    )


def test_nothing_found_is_a_baseline_too(file: Path) -> None:
    assert baseline(file, []).filter(FINDINGS) == (list(FINDINGS), 0, 0)


@given(st.lists(HOSTILE, max_size=6))
def test_what_was_written_is_not_new(tmp_path_factory: pytest.TempPathFactory, found: list[Finding]) -> None:
    file = tmp_path_factory.mktemp("baseline") / "b.json"
    assert baseline(file, found).filter(found, ["models"]) == ([], len(found), 0)


def test_a_finding_is_known_on_another_line_and_below_another_path(file: Path) -> None:
    known = baseline(file, [replace(DIM, message="see models/ranker/1/model.onnx, line 12 and config.pbtxt:12:11")])
    moved = replace(
        DIM,
        file="/srv/models/ranker/config.pbtxt",
        line=40,
        message="see /srv/models/ranker/1/model.onnx, line 40 and config.pbtxt:40:2",
    )
    assert known.filter([moved], ["/srv/models"]) == ([], 1, 0)


@pytest.mark.parametrize(
    "other",
    [
        replace(DIM, message="another"),
        replace(DIM, model="other"),
        replace(DIM, file="models/ranker/1/model.onnx"),
        finding(NO_GROUPS, message=DIM.message),
        replace(DIM, message=DIM.message.replace("0", "3")),
    ],
)
def test_another_rule_model_file_or_message_is_new(file: Path, other: Finding) -> None:
    assert baseline(file, [DIM]).filter([DIM, other], ["models"]) == ([other], 1, 0)


def test_one_more_of_the_same_is_new(file: Path) -> None:
    again = replace(DIM, line=50)
    assert baseline(file, [DIM]).filter([DIM, again], ["models"]) == ([again], 1, 0)


def test_what_is_found_no_more_is_counted(file: Path) -> None:
    known = baseline(file, [DIM, DIM, BATCHING])
    assert known.filter([DIM], ["models"]) == ([], 1, 2)
    assert known.filter([DIM], ["models"]) == ([], 1, 2), "a baseline is not used up"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "FILE:1:1: not JSON: Expecting value."),
        ('{"version": 1,}', "FILE:1:15: not JSON: "),
        ("\xff", "FILE is not JSON."),
        ("[" * 100_000, "FILE is not JSON."),
        ("[]", "FILE is no baseline: write one with `triton-watch check --write-baseline`."),
        ('{"version": 1}', "FILE is no baseline: "),
        ('{"version": 2, "findings": []}', "FILE has version 2, this triton-watch reads 1: write it again."),
        ('{"findings": []}', "FILE has version null, "),
        ('{"version": 1, "findings": [3]}', "FILE: findings[0] is not an object."),
        ('{"version": 1, "findings": [{"rule": "TW1", "model": "a", "file": null}]}', "FILE: findings[0] has no text"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused_in_one_sentence(file: Path, content: str, sentence: str) -> None:
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(BaselineError) as caught:
        load_baseline(file)
    message = str(caught.value)
    assert message.startswith(sentence.replace("FILE", str(file)))
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("count", [0, -1, 1.5, "2", True, None])
def test_a_count_that_is_none_is_refused(file: Path, count: object) -> None:
    entry = {"rule": "TW101", "model": "", "file": "", "message": "", "count": count}
    file.write_text(json.dumps({"version": 1, "findings": [entry]}))
    with pytest.raises(BaselineError, match=r"findings\[0\] has a `count` that is no positive number\."):
        load_baseline(file)


def test_a_file_that_is_not_there_is_said_to_be_unreadable(file: Path) -> None:
    with pytest.raises(BaselineError, match=r"baseline\.json cannot be read: No such file or directory\."):
        load_baseline(file)
