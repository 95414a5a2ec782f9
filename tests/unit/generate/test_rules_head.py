"""The comment above rules: what it says of a server and of the configuration, and that no text breaks it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from support.objectives import availability, batch_efficiency, queue_time, ttft
from support.triton_rules import DEFAULTS, LIVE, settings_with
from triton_watch.generate.rules.agent import agent_yaml
from triton_watch.generate.rules.left_out import left_out
from triton_watch.generate.rules.options import BurnBy, RuleOptions, Source
from triton_watch.generate.rules.triton import triton_groups, triton_yaml
from triton_watch.generate.write import as_yaml, wrapped
from triton_watch.records import AlertOverride

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.records import Settings

EMPTY = RuleOptions(models=())
"""A server was asked, and no model was ready on it."""
TARGETS = AlertOverride(("TritonErrorBudgetBurn",), targets=("gpu-*",), hold=9.0)
BOTH = AlertOverride(("TritonModelWedged",), targets=("a",), models=("b",), hold=9.0)


def head(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("#")]


# A server that was asked, or not


def test_a_server_without_a_model_was_asked_all_the_same() -> None:
    settings = settings_with(queue_time(), batch_efficiency())
    nobody, empty = triton_yaml(settings, RuleOptions()), triton_yaml(settings, EMPTY)
    assert ("No server was asked" in nobody, "No model was ready" in nobody) == (True, False)
    assert ("No server was asked" in empty, "No model was ready" in empty) == (False, True)
    assert "nobody asked" in nobody
    assert "nobody asked" not in empty
    assert "No model was ready" not in triton_yaml(settings, LIVE)


def test_an_alert_that_takes_a_live_server_is_told_of_one_without_a_model() -> None:
    told = {rule["alert"] for group in triton_groups(DEFAULTS, EMPTY) for rule in group["rules"] if "alert" in rule}
    assert "TritonNotBatching" in told
    assert "#   TritonNotBatching" not in triton_yaml(DEFAULTS, EMPTY).splitlines()


# What is left out


def test_what_the_rules_leave_out_is_told_for_each_source() -> None:
    settings = settings_with(ttft(0.1), availability(targets=("gpu-*",)), overrides=(TARGETS, BOTH))
    triton = left_out(Source.TRITON, settings, RuleOptions())
    assert [one.split(" is not in")[0] for one in triton] == [
        "Objective ttft",
        "Objective availability",
        "The override of TritonErrorBudgetBurn for targets gpu-*",
        "The override of TritonModelWedged for targets a",
    ]
    agent = left_out(Source.AGENT, settings, RuleOptions())
    assert [one.split(":")[0] for one in agent] == ["TritonModelWedged"]
    fleet = left_out(Source.AGENT, settings, RuleOptions(burn_by=BurnBy.MODEL))
    assert [one.split(":")[0] for one in fleet] == ["TritonModelWedged", "TritonErrorBudgetBurn"]


def test_nothing_is_left_out_of_what_the_rules_can_say() -> None:
    settings = settings_with(availability(models=("[ab]*",)), overrides=(AlertOverride(models=("[!x]",), hold=9.0),))
    alone = AlertOverride(("TritonErrorBudgetBurn",), models=("[!x]",), hold=9.0)
    assert left_out(Source.TRITON, settings_with(*settings.slo.objectives, overrides=(alone,)), RuleOptions()) == ()
    assert left_out(Source.AGENT, settings_with(overrides=(alone,)), RuleOptions()) == ()


def test_all_that_is_left_out_stands_in_the_comment() -> None:
    settings = settings_with(ttft(0.1), overrides=(TARGETS, BOTH))
    for source, make in ((Source.AGENT, agent_yaml), (Source.TRITON, triton_yaml)):
        text = " ".join(line.removeprefix("#").strip() for line in head(make(settings, RuleOptions())))
        assert all(sentence in text for sentence in left_out(source, settings, RuleOptions()))


# Lines


@pytest.mark.parametrize("make", [agent_yaml, triton_yaml])
def test_a_comment_on_many_overrides_has_no_long_line(make: Callable[[Settings, RuleOptions], str]) -> None:
    many = tuple(replace(BOTH, models=(f"model-{one}", "another-model"), targets=("gpu-*",) * 9) for one in range(9))
    lines = head(make(settings_with(overrides=many), RuleOptions()))
    assert len(lines) > 18
    assert max(map(len, lines)) <= 120


def test_a_name_is_not_broken_however_long_it_is() -> None:
    name = "m-" * 100
    assert any(name in line for line in wrapped([f"Of {name} nothing is known."]))


@pytest.mark.parametrize("job", ["x\ny", "x\r\ny", "a\x1b[0m", "a\x85b", "a\u2028b", "a\x00b", "a\tb", "\ud800"])
def test_no_job_breaks_the_comment(job: str) -> None:
    options = RuleOptions(triton_job=job, agent_job=job)
    for text in (triton_yaml(DEFAULTS, options), agent_yaml(DEFAULTS, options)):
        assert set(yaml.safe_load(text)) == {"groups"}
    assert "\n# Scrape Triton in the job x\\ny every 15 s" in triton_yaml(DEFAULTS, RuleOptions(triton_job="x\ny"))


@given(st.lists(st.text(), max_size=3))
def test_no_text_breaks_a_comment(lines: list[str]) -> None:
    for made in (as_yaml({"a": 1}, *lines), as_yaml({"a": 1}, *wrapped(lines))):
        assert yaml.safe_load(made) == {"a": 1}
        assert all(line.startswith("#") for line in made.splitlines()[:-1])
