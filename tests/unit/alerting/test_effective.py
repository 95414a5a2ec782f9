"""Overrides of the configuration: the first that matches an alert, a target and a model changes the definition."""

from __future__ import annotations

import pytest

from triton_watch.alerting.definitions import ALERTS, by_name
from triton_watch.alerting.effective import added_labels, effective, hold_of, override_of
from triton_watch.alerting.links import dashboard_url, runbook_url, shown_at
from triton_watch.conventions.alerts import ALERT_NAMES, MODEL_ALERTS, OTHER_THRESHOLD_ALERTS, RATIO_ALERTS
from triton_watch.records import AlertCase, AlertOverride, AlertSettings, AlertSeverity

(DEEP,) = by_name("TritonQueueGrowing")
(DOWN,) = by_name("TritonTargetDown")
PLAIN = AlertSettings()


def with_overrides(*overrides: AlertOverride) -> AlertSettings:
    return AlertSettings(overrides=overrides)


def test_without_overrides_a_definition_is_as_it_is() -> None:
    assert effective(DEEP, PLAIN, "gpu-7", "encoder") is DEEP
    assert added_labels(DEEP, PLAIN, "gpu-7", "encoder") == ()


def test_what_an_override_says_replaces_what_was_defined_and_the_rest_stays() -> None:
    override = AlertOverride(
        severity=AlertSeverity.PAGE, hold=1.0, keep=2.0, failures=3, window=4, threshold=5.0, labels=(("team", "a"),)
    )
    found = effective(DEEP, with_overrides(override), "gpu-7", "encoder")
    assert found is not None
    assert (found.severity, found.hold, found.keep, found.failures, found.window, found.threshold) == (
        AlertSeverity.PAGE,
        1.0,
        2.0,
        3,
        4,
        5.0,
    )
    assert (found.name, found.expr, found.summary) == (DEEP.name, DEEP.expr, DEEP.summary)
    assert added_labels(DEEP, with_overrides(override), "gpu-7", "encoder") == (("team", "a"),)
    assert effective(DEEP, with_overrides(AlertOverride(keep=0.0)), "gpu-7") != DEEP


def test_an_alert_that_is_switched_off_is_none() -> None:
    assert effective(DOWN, with_overrides(AlertOverride(enabled=False)), "gpu-7") is None


def test_the_first_override_that_matches_wins() -> None:
    settings = with_overrides(
        AlertOverride(alerts=("TritonNot*",), hold=1.0),
        AlertOverride(targets=("cpu-*",), hold=2.0),
        AlertOverride(alerts=("*Down",), targets=("gpu-?",), hold=3.0),
        AlertOverride(hold=4.0),
    )
    holds = [effective(DOWN, settings, target) for target in ("cpu-1", "gpu-7", "gpu-10")]
    assert [one.hold for one in holds if one is not None] == [2.0, 3.0, 4.0]


def test_an_override_of_some_models_is_only_about_alerts_of_a_model() -> None:
    settings = with_overrides(AlertOverride(models=("enc*",), hold=1.0))
    assert effective(DEEP, settings, "gpu-7", "encoder") != DEEP
    assert effective(DEEP, settings, "gpu-7", "ranker") is DEEP
    assert effective(DOWN, settings, "gpu-7") is DOWN
    assert override_of("TritonTargetDown", with_overrides(AlertOverride(models=("*", "x"))), "gpu-7") is None


def test_a_threshold_is_for_alerts_that_have_one() -> None:
    found = effective(DOWN, with_overrides(AlertOverride(threshold=5.0)), "gpu-7")
    assert found is not None
    assert found.threshold is None


def test_the_tables_of_the_configuration_say_what_the_definitions_say() -> None:
    limits = {one.name: one.unit for one in ALERTS if one.threshold is not None}
    assert {*RATIO_ALERTS, *OTHER_THRESHOLD_ALERTS} == limits.keys()
    assert {limits[name] for name in RATIO_ALERTS} == {"ratio"}
    assert all((one.threshold or 0) <= 1 for one in ALERTS if one.name in RATIO_ALERTS)
    about = {one.name for one in ALERTS if "model" in one.labels}
    assert tuple(name for name in ALERT_NAMES if name in about) == MODEL_ALERTS


def test_a_window_holds_at_least_the_failures() -> None:
    found = effective(DOWN, with_overrides(AlertOverride(failures=7)), "gpu-7")
    assert found is not None
    assert (found.failures, found.window) == (7, 7)


@pytest.mark.parametrize(
    ("of_case", "of_override", "hold"), [(None, None, 0.0), (9.0, None, 9.0), (9.0, 0.0, 0.0), (None, 5.0, 5.0)]
)
def test_the_configuration_decides_how_long_then_the_case_then_the_definition(
    of_case: float | None, of_override: float | None, hold: float
) -> None:
    settings = with_overrides(AlertOverride(hold=of_override))
    definition = effective(DOWN, settings, "gpu-7")
    assert definition is not None
    assert hold_of(AlertCase((), holds=True, hold=of_case), definition, settings, "gpu-7") == hold


def test_links_lead_to_pages_of_the_agent_or_to_where_the_configuration_says() -> None:
    assert runbook_url(PLAIN, "http://a:8003", "TritonNotReady") == "http://a:8003/runbooks/TritonNotReady"
    assert dashboard_url(PLAIN, "http://a:8003/", "model", {}) == "http://a:8003/"
    about = {"target": "a/b", "model": "r k", "version": "2"}
    assert shown_at(PLAIN, "http://a:8003/", "model", about) == "http://a:8003/models/a%2Fb/r%20k?version=2"
    assert shown_at(PLAIN, "http://a:8003", "model", {"target": "a/b"}) == "http://a:8003/targets/a%2Fb"
    assert shown_at(PLAIN, "http://a:8003", "model", {}) == "http://a:8003/"
    settings = AlertSettings(runbook_url="https://wiki/{alert}.md", dashboard_url="https://grafana/d/{dashboard}?{x}")
    assert runbook_url(settings, "http://a:8003", "TritonNotReady") == "https://wiki/TritonNotReady.md"
    assert dashboard_url(settings, "http://a:8003", "model", {}) == "https://grafana/d/model?{x}"
    assert shown_at(settings, "http://a:8003", "model", about) == "https://grafana/d/model?{x}"
