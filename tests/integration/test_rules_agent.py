"""The rules over what agents export, judged by promtool: those that are committed, and some made with every option."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from triton_watch.config import from_flags
from triton_watch.generate.rules.adjusted import with_period, with_severities
from triton_watch.generate.rules.agent import agent_yaml
from triton_watch.generate.rules.options import BurnBy, RuleOptions
from triton_watch.records import AlertSeverity

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "alerts" / "rules.yaml"
FLEET_TESTS = ROOT / "tests" / "fixtures" / "rules" / "fleet_burn.yaml"
WEEK = 7 * 86_400.0


def run(promtool: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([promtool, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=300)


def assert_clean(promtool: Path, rules: Path) -> None:
    done = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", rules.name, cwd=rules.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def assert_pass(promtool: Path, tests: Path) -> None:
    done = run(promtool, "test", "rules", tests.name, cwd=tests.parent)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]


@pytest.fixture
def for_a_fleet(tmp_path: Path) -> Path:
    """Rules with every option but an address, which then is that of an agent that Prometheus scrapes."""
    defaults = from_flags(["http://localhost:8000"])
    settings = with_period(with_severities(defaults, {AlertSeverity.PAGE: "critical"}), WEEK)
    options = RuleOptions(selectors=(("cluster", "eu"),), labels=(("team", "ml"),), burn_by=BurnBy.MODEL)
    rules = tmp_path / "rules.yaml"
    rules.write_text(agent_yaml(settings, options))
    return rules


def test_promtool_has_nothing_to_say_about_the_committed_rules(promtool: Path) -> None:
    assert_clean(promtool, COMMITTED)


def test_the_committed_rules_do_what_their_tests_say(promtool: Path) -> None:
    assert_pass(promtool, COMMITTED.parent / "tests" / "rules.yaml")


def test_rules_for_a_fleet_do_what_their_tests_say(promtool: Path, for_a_fleet: Path) -> None:
    assert_clean(promtool, for_a_fleet)
    assert_pass(promtool, Path(shutil.copy(FLEET_TESTS, for_a_fleet.parent)))


def test_the_tests_for_a_fleet_can_fail(promtool: Path, for_a_fleet: Path) -> None:
    """Without a division by the agents that count, a pair's fourteen events are 28 and wake somebody."""
    text = for_a_fleet.read_text()
    counts_twice = text.replace("objective_ratio:count{", "objective_ratio:max{")
    assert counts_twice != text
    for_a_fleet.write_text(counts_twice)
    tests = Path(shutil.copy(FLEET_TESTS, for_a_fleet.parent))
    done = run(promtool, "test", "rules", tests.name, cwd=tests.parent)
    assert done.returncode == 1
    assert "One bad event a minute" in done.stdout + done.stderr


@pytest.mark.parametrize("value", ['a"b\\c', "a}b", "{{ up }}", "triton_watch_build_info", "ü|.*"])
def test_any_value_may_be_selected(promtool: Path, tmp_path: Path, value: str) -> None:
    rules = tmp_path / "rules.yaml"
    settings = from_flags(["http://localhost:8000"])
    rules.write_text(agent_yaml(settings, RuleOptions(selectors=(("cluster", value),), burn_by=BurnBy.MODEL)))
    assert_clean(promtool, rules)
