"""What TritonConfigErrors and TritonConfigDrift say of the last check of the live server."""

from __future__ import annotations

from support.alert_facts import facts
from support.alert_moments import finding
from triton_watch.alerting.definitions.configuration import CONFIG_DRIFT, CONFIG_ERRORS, DRIFT_RULES
from triton_watch.check.rules import RULES
from triton_watch.check.rules.live_disk import RULES as ABOUT_DISK
from triton_watch.records import Severity
from unit.alerting.test_definitions import cases


def test_findings_of_a_model_are_one_case_that_quotes_the_first_two() -> None:
    four = [finding(rule) for rule in ("TW101", "TW102", "TW103", "TW104")]
    found = cases(CONFIG_ERRORS, facts(findings=four))
    assert found is not None
    (one,) = found
    assert dict(one.labels) == {"model": "encoder"}
    assert one.detail == "4 findings: TW101 TW101 says so; TW102 TW102 says so; and 2 more."
    assert one.value == 4.0


def test_findings_about_the_server_are_a_case_without_a_model() -> None:
    found = cases(CONFIG_ERRORS, facts(findings=[finding(), finding(model=None), finding(model="ranker")]))
    assert found is not None
    assert [dict(one.labels) for one in found] == [{}, {"model": "encoder"}, {"model": "ranker"}]
    assert found[0].detail == "1 finding: TW101 TW101 says so."


def test_errors_and_red_lines_count_and_warnings_do_not() -> None:
    warning = finding(severity=Severity.WARNING)
    assert cases(CONFIG_ERRORS, facts(findings=[warning])) == ()
    assert len(cases(CONFIG_ERRORS, facts(findings=[finding(severity=Severity.INFO, red=True)])) or ()) == 1


def test_a_drift_is_no_error_and_an_error_no_drift() -> None:
    both = facts(findings=[finding("TW833"), finding("TW101", model="ranker")])
    drifts, errors = cases(CONFIG_DRIFT, both), cases(CONFIG_ERRORS, both)
    assert drifts is not None
    assert errors is not None
    assert [dict(one.labels)["model"] for one in (*drifts, *errors)] == ["encoder", "ranker"]


def test_a_server_that_was_not_checked_is_not_known() -> None:
    assert cases(CONFIG_ERRORS, facts(findings=None)) is cases(CONFIG_DRIFT, facts(findings=None)) is None


def test_the_rules_of_drift_are_those_about_the_disk_but_for_advice() -> None:
    assert set(DRIFT_RULES) == {rule.id for rule in ABOUT_DISK if rule.severity is not Severity.INFO}
    assert set(DRIFT_RULES) <= {rule.id for rule in RULES}
