"""Labels that tell the rules of one alert apart: where windows of several periods coincide, and of overrides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from support.objectives import DAY, HOUR, availability, queue_time
from support.triton_rules import DEFAULTS, settings_with
from triton_watch.config.windows import burn_windows
from triton_watch.generate.rules.agent import agent_groups
from triton_watch.generate.rules.options import BurnBy, RuleOptions
from triton_watch.generate.rules.triton import triton_groups
from triton_watch.records import AlertOverride, Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.records import Objective, Settings

BURN = "TritonErrorBudgetBurn"
AGENT, FLEET = RuleOptions(), RuleOptions(burn_by=BurnBy.MODEL)
Labels = dict[str, str]
Make: TypeAlias = "Callable[[Settings, RuleOptions], list[dict[str, Any]]]"


def over(period: float, name: str) -> Objective:
    return replace(availability(), name=name, period=period, windows=burn_windows(period, list(Page)))


def labels_of(alert: str, settings: Settings, options: RuleOptions = AGENT) -> list[Labels]:
    return [rule["labels"] for rule in alerts(settings, options) if rule["alert"] == alert]


def alerts(settings: Settings, options: RuleOptions) -> list[dict[str, Any]]:
    return [rule for group in agent_groups(settings, options) for rule in group["rules"] if "alert" in rule]


@pytest.mark.parametrize("options", [AGENT, FLEET])
def test_windows_that_coincide_have_the_period_of_their_objectives(options: RuleOptions) -> None:
    """Three days are a tenth of a month, and a thirtieth of three."""
    found = labels_of(BURN, settings_with(over(30 * DAY, "month"), over(90 * DAY, "quarter")), options)
    shared = [one for one in found if "period" in one]
    assert shared == [
        {"window": "3d", "severity": "ticket", "period": "30d"},
        {"window": "3d", "severity": "ticket", "period": "90d"},
    ]
    assert len(found) == 8


@pytest.mark.parametrize("options", [AGENT, FLEET])
def test_without_such_windows_no_rule_has_a_label_more(options: RuleOptions) -> None:
    for settings in (DEFAULTS, settings_with(availability(), over(7 * DAY, "week"))):
        for rule in alerts(settings, options):
            assert set(rule["labels"]) <= {"severity", "window"}


def test_windows_of_a_short_period_that_coincide_have_their_factor() -> None:
    """No window is below a minute: both of an hour's pages look at two."""
    found = labels_of(BURN, settings_with(over(HOUR, "hour")))
    assert [(one["window"], one.get("factor")) for one in found][:2] == [("2m", "14.4"), ("2m", "6")]
    made = [
        rule["labels"]
        for group in triton_groups(settings_with(over(HOUR, "hour")), AGENT)
        for rule in group["rules"]
        if rule.get("alert") == BURN
    ]
    assert [(one["window"], one.get("factor")) for one in made][:2] == [("2m", "14.4"), ("2m", "6")]


def test_rules_of_overrides_that_differ_in_no_label_say_which_override() -> None:
    overrides = (
        AlertOverride(alerts=("TritonTarget*",), hold=9.0),  # of another alert: it does not count
        AlertOverride(alerts=("TritonGpuMemoryHigh",), targets=("a",), hold=9.0),
        AlertOverride(alerts=("TritonGpuMemoryHigh",), targets=("b",), threshold=0.5),
    )
    found = labels_of("TritonGpuMemoryHigh", settings_with(overrides=overrides))
    assert [one.get("override") for one in found] == ["1", "2", None]
    assert {"override"} not in [set(one) for one in labels_of("TritonTargetDown", settings_with(overrides=overrides))]


def test_an_override_with_a_severity_or_a_label_of_its_own_needs_no_other() -> None:
    overrides = (
        AlertOverride(alerts=("TritonModelWedged",), models=("a",), labels=(("team", "nlp"),)),
        AlertOverride(alerts=("TritonModelWedged",), models=("b",), labels=(("override", "mine"),), hold=9.0),
    )
    assert labels_of("TritonModelWedged", settings_with(overrides=overrides)) == [
        {"team": "nlp", "severity": "page"},
        {"override": "mine", "severity": "page"},
        {"severity": "page"},
    ]


def test_periods_are_named_before_overrides() -> None:
    settings = settings_with(
        over(30 * DAY, "month"), over(90 * DAY, "quarter"), overrides=(AlertOverride(models=("a",), hold=9.0),)
    )
    found = [one for one in labels_of(BURN, settings) if one["window"] == "3d"]
    assert [(one["period"], one.get("override")) for one in found] == [
        ("30d", "1"), ("90d", "1"), ("30d", None), ("90d", None),
    ]  # fmt: skip


def test_windows_that_are_the_same_for_several_periods_are_one_rule() -> None:
    longer = replace(queue_time(), period=30 * DAY + HOUR)
    assert len(labels_of(BURN, settings_with(availability(), longer))) == 4


@pytest.mark.parametrize("burn_by", BurnBy)
@pytest.mark.parametrize("make", [agent_groups, triton_groups])
def test_no_two_rules_have_one_name_and_equal_labels(make: Make, burn_by: BurnBy) -> None:
    periods = (HOUR, 2 * HOUR, DAY, 7 * DAY, 28 * DAY, 30 * DAY, 90 * DAY)
    objectives = [over(period, f"slo-{place}") for place, period in enumerate(periods)]
    overrides = tuple(AlertOverride(models=(f"m{one}", f"[{one}-9]x"), hold=one + 1.0) for one in range(4))
    settings = settings_with(*objectives, overrides=(*overrides, AlertOverride(threshold=0.7)))
    rules = [rule for group in make(settings, RuleOptions(burn_by=burn_by)) for rule in group["rules"]]
    keys = [(one.get("alert", one.get("record")), tuple(sorted(one.get("labels", {}).items()))) for one in rules]
    assert len(keys) == len(set(keys))
