"""A report orders and counts; the checklist says what failed a box and what was not looked at; what fails a check."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.check_reports import (
    BATCHING,
    CONFIG,
    DIM,
    FINDINGS,
    NO_BATCHING,
    NO_GROUPS,
    NO_WARM_UP,
    PROBE,
    RULES,
    finding,
    report,
)
from triton_watch.check.options import Profile
from triton_watch.check.report import CheckItem, Report, failed
from triton_watch.check.roots import Roots
from triton_watch.check.rule import Box
from triton_watch.records import Finding, Severity

WARNING = finding(NO_GROUPS)
INFO = finding(NO_WARM_UP)
ERROR = DIM
RED_LINE = BATCHING


def box(of: Report, which: Box) -> CheckItem:
    return next(item for item in of.checklist if item.item == which.value)


def test_findings_are_ordered_by_model_and_place_and_said_once() -> None:
    assert report([DIM, BATCHING, PROBE, CONFIG, DIM]).findings == (PROBE, CONFIG, BATCHING, DIM)


def test_the_summary_counts() -> None:
    summary = report([*FINDINGS, INFO], suppressed=3, baselined=4, live=1).summary()
    assert summary == {
        "errors": 1,
        "warnings": 3,
        "infos": 1,
        "red_lines": 2,
        "models": 3,
        "repositories": 1,
        "manifests": 1,
        "live": 1,
        "suppressed": 3,
        "baselined": 4,
    }


def test_the_checklist_has_the_six_boxes_in_their_order() -> None:
    assert [item.item for item in report([]).checklist] == [one.value for one in Box]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], CheckItem(Box.BATCHING.value, "ok")),
        ([INFO], CheckItem(Box.BATCHING.value, "ok")),
        ([RED_LINE], CheckItem(Box.BATCHING.value, "failed", ("TW402",), "in 1 model")),
        (
            [RED_LINE, replace(RED_LINE, line=9), replace(RED_LINE, model="b"), replace(INFO, red_line=True)],
            CheckItem(Box.BATCHING.value, "failed", ("TW402", "TW450"), "in 2 models"),
        ),
        (
            [RED_LINE, finding(NO_BATCHING, None, file="x.yaml")],
            CheckItem(Box.BATCHING.value, "failed", ("TW402",), "in 1 model and 1 place"),
        ),
        ([ERROR, WARNING], CheckItem(Box.BATCHING.value, "ok")),
    ],
)
def test_a_box_is_failed_by_warnings_errors_and_red_lines_of_its_rules(
    found: list[Finding], expected: CheckItem
) -> None:
    assert box(report(found), Box.BATCHING) == expected


def test_a_box_about_models_is_not_checked_without_models() -> None:
    item = box(report([], models=0), Box.STRUCTURE)
    assert (item.state, item.note) == ("not checked", "no model was given")


def test_a_box_about_the_deployment_needs_a_manifest_or_a_server() -> None:
    assert box(report([], manifests=0), Box.HEALTH).note == "no manifest and no live server was given"
    assert box(report([], manifests=0, live=1), Box.HEALTH).state == "ok"


def test_a_box_whose_rules_did_not_run_is_not_checked() -> None:
    item = box(report([], rules=[rule for rule in RULES if rule.box is not Box.BATCHING]), Box.BATCHING)
    assert (item.state, item.note) == ("not checked", "none of its rules ran")


def test_what_a_baseline_knows_fails_its_box_all_the_same() -> None:
    of = report([], before_baseline=[RED_LINE], baselined=1)
    assert box(of, Box.BATCHING).state == "failed"
    assert of.summary()["red_lines"] == 0


def test_a_finding_fails_a_box_though_nothing_else_of_it_was_looked_at() -> None:
    assert box(report([PROBE], manifests=0), Box.HEALTH).state == "failed"


@pytest.mark.parametrize(
    ("fail_on", "profile", "failing"),
    [
        (None, Profile.PRODUCTION, {"error", "red line"}),
        (None, Profile.DEV, {"error"}),
        (Severity.ERROR, Profile.PRODUCTION, {"error"}),
        (Severity.WARNING, Profile.DEV, {"error", "red line", "warning"}),
        (Severity.INFO, Profile.DEV, {"error", "red line", "warning", "info"}),
    ],
)
def test_what_fails_a_check(fail_on: Severity | None, profile: Profile, failing: set[str]) -> None:
    kinds = {"error": ERROR, "red line": RED_LINE, "warning": WARNING, "info": INFO}
    found = {kind for kind, one in kinds.items() if failed(report([one]), fail_on=fail_on, profile=profile)}
    assert found == failing
    assert not failed(report([]), fail_on=fail_on, profile=profile)


@pytest.mark.parametrize(
    ("roots", "file", "expected"),
    [
        (["models"], "models/a/config.pbtxt", ("models", "a/config.pbtxt")),
        (["./models/"], "models/a/config.pbtxt", ("./models/", "a/config.pbtxt")),
        (["models"], "models", ("models", ".")),
        (["models"], "models2/a", (None, "models2/a")),
        (["/srv/m", "/srv/m/deep"], "/srv/m/deep/a", ("/srv/m/deep", "a")),
        (["/"], "/a/b", ("/", "a/b")),
        (["."], "a/b", (".", "a/b")),
        (["."], "../a", (None, "../a")),
        ([".."], "../a", ("..", "a")),
        (["../m"], "../m/a", ("../m", "a")),
        ([], "a/b", (None, "a/b")),
        (["m"], "", (None, "")),
        (["m"], "http://host/m/a", (None, "http://host/m/a")),
    ],
)
def test_a_file_belongs_to_the_deepest_root_above_it(
    roots: list[str], file: str, expected: tuple[str | None, str]
) -> None:
    assert Roots(roots).split(file) == expected
