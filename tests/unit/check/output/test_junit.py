"""JUnit: a suite a repository, a case a model, good ones too; XML that every parser takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from support.check_reports import BATCHING, DIM, HOSTILE, NO_WARM_UP, finding, report, written

if TYPE_CHECKING:
    from triton_watch.check.report import Report
    from triton_watch.records import Finding


def root(of: Report | None = None) -> ET.Element:
    text = written("junit", of)
    assert text.isascii()
    return ET.fromstring(text)  # noqa: S314  # what we wrote ourselves


def cases(of: Report | None = None) -> dict[tuple[str, str], list[str]]:
    return {
        (case.attrib["classname"], case.attrib["name"]): [child.tag for child in case]
        for case in root(of).iter("testcase")
    }


def test_every_model_is_a_case_and_fails_by_errors_and_red_lines() -> None:
    assert cases() == {
        ("models", "classifier"): ["failure"],
        ("models", "encoder"): [],
        ("models", "ranker"): ["failure"],
        ("deploy.yaml", "deploy.yaml"): ["system-out"],
    }


def test_the_numbers_are_those_of_the_cases() -> None:
    top = root()
    assert (top.attrib["tests"], top.attrib["failures"]) == ("4", "2")
    assert [(suite.attrib["name"], suite.attrib["tests"], suite.attrib["failures"]) for suite in top] == [
        ("models", "3", "2"),
        ("deploy.yaml", "1", "0"),
    ]


def test_a_case_has_one_failure_with_all_its_reasons_and_advice_beside_it() -> None:
    advice = finding(NO_WARM_UP, message="slow first calls")
    case = next(one for one in root(report([advice, BATCHING, DIM])).iter("testcase") if one.get("name") == "ranker")
    failure, output = case
    assert failure.get("type") == "red line"
    assert failure.attrib["message"].startswith("TW402 no-dynamic-batching: max_batch_size is 64")
    assert failure.attrib["message"].endswith("(and 1 more)")
    assert failure.text is not None
    assert "models/ranker/config.pbtxt:12:11: error TW304 bad-dimension" in failure.text
    assert output.text == "models/ranker/config.pbtxt: info TW450 no-warm-up: slow first calls"


def test_the_checklist_is_in_the_properties() -> None:
    properties = {one.get("name"): one.get("value") for one in next(iter(root()))[0]}
    assert properties["summary"] == "1 error, 3 warnings, 2 red lines in 3 models, 1 manifest"
    assert properties["Dynamic batching configured"] == "failed TW402 in 1 model"
    assert properties["Instance groups allocate GPUs"] == "ok"


def test_a_finding_outside_of_every_root_has_a_suite_too() -> None:
    assert ("triton-watch check", "ranker") in cases(report([replace(DIM, file="/elsewhere/ranker")]))


@given(st.lists(HOSTILE, max_size=5))
def test_it_is_xml_whatever_is_in_a_finding(found: list[Finding]) -> None:
    top = root(report(found))
    assert int(top.attrib["tests"]) == len(list(top.iter("testcase")))
    assert int(top.attrib["failures"]) == len(list(top.iter("failure")))


def test_the_message_survives_the_way_through_xml() -> None:
    case = next(iter(root(report([replace(DIM, message='<a> & "b"\n\tü \x1b')])).iter("failure")))
    assert case.attrib["message"] == 'TW304 bad-dimension: <a> & "b"\n\tü \N{REPLACEMENT CHARACTER}'
