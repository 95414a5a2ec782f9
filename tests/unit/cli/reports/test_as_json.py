"""JSON: everything of a report, as numbers; no data is null."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from triton_watch.cli.reports import render
from triton_watch.records import Course, Report, Verdict
from unit.cli.reports.samples import AVAILABLE, bad_day, hostile, row


def read(report: Report) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(render(report, "json"))
    return loaded


def test_a_small_report_is_this() -> None:
    silent, fine = (one for one in bad_day().rows if one.model in ("night_batch", "text_detector") and not one.course)
    small = replace(bad_day(), objectives=(AVAILABLE,), rows=(silent, fine), warnings=("one is missing.",))
    assert render(small, "json") == Path(__file__).with_name("golden").joinpath("small.json").read_text()


def test_the_names_of_the_fields_are_a_contract() -> None:
    report = read(bad_day())
    assert list(report) == ["version", "at", "source", "summary", "warnings", "objectives", "rows"]
    assert report["version"] == 1
    assert report["summary"] == {"rows": 9, "ok": 2, "burning": 2, "exhausted": 2, "no_data": 3}
    assert list(report["rows"][0]) == [
        "slo", "sli", "model", "model_version", "namespace", "targets", "objective", "low", "high", "quantile",
        "min_events", "period", "verdict", "fires", "good", "bad", "covered", "remaining", "exhaustion", "silence",
        "windows", "course",
    ]  # fmt: skip
    assert list(report["objectives"][0]) == [
        "slo", "sli", "objective", "low", "high", "quantile", "min_events", "period", "models", "exclude_models",
        "targets", "overrides", "windows", "description",
    ]  # fmt: skip
    assert report["rows"][0]["fires"] == {
        "severity": "page", "factor": 14.4, "long": 3600.0, "short": 300.0, "hold": 120.0,
    }  # fmt: skip


def test_numbers_come_back_as_they_were() -> None:
    for given, told in zip(bad_day().rows, read(bad_day())["rows"], strict=True):
        same = ("good", "bad", "covered", "remaining", "exhaustion", "silence")
        assert {name: told[name] for name in same} == {name: getattr(given, name) for name in same}
        assert told["windows"] == [asdict(window) for window in given.windows]
        if given.course is None:
            assert told["course"] is None
        else:
            assert told["course"]["bad"] == given.course.bad.tolist()


def test_no_data_is_null_and_so_is_what_json_cannot_say() -> None:
    odd = Course(np.array([0.0, 1.0]), np.array([0.0, np.nan]), np.array([0.0, np.inf]))
    told = read(replace(bad_day(), rows=(row(AVAILABLE, "m", 0.0, 0.0, Verdict.NO_DATA, silence=None, course=odd),)))
    silent = told["rows"][0]
    assert silent["remaining"] is silent["silence"] is silent["windows"][0]["burn"] is None
    assert silent["course"] == {"times": [0.0, 1.0], "good": [0.0, None], "bad": [0.0, None]}


def test_the_same_report_gives_the_same_bytes_in_ascii_one_line_a_row() -> None:
    text = render(hostile(), "json")
    assert text == render(hostile(), "json")
    assert text.isascii()
    assert sum(line.startswith('    {"slo"') for line in text.splitlines()) == 2 * len(hostile().rows)
    assert read(hostile())["rows"][0]["model"] == "<script>alert('x')</script>"


def test_an_empty_report_is_json_too() -> None:
    told = read(Report(0.0, "/state", (), ()))
    assert (told["objectives"], told["rows"], told["warnings"]) == ([], [], [])
