"""Runbooks: each alert has one, in one shape, and what it tells people to type and to look at exists."""

from __future__ import annotations

import re
import shlex
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.alerting.definitions import ALERTS
from triton_watch.alerting.runbooks import runbook
from triton_watch.check.rules import by_name
from triton_watch.config import from_flags
from triton_watch.conventions import METRICS
from triton_watch.conventions.alerts import ALERT_NAMES
from triton_watch.conventions.slo import SLO_METRICS
from triton_watch.generate import pages
from unit.test_docs import command_lines, parse

if TYPE_CHECKING:
    from triton_watch.records import Objective

ROOT = Path(__file__).resolve().parents[3]
FOLDER = Path(str(resources.files("triton_watch.alerting.runbooks")))
HEADINGS = ["Meaning", "Impact", "How to confirm", "Likely causes", "How to silence", "See also"]
COMMON_ERRORS = {
    "Model not ready": {"TritonNotReady", "TritonModelUnavailable", "TritonConfigErrors"},
    "Backend not found": {"TritonModelUnavailable", "TritonConfigErrors"},
    "Shape mismatch": {
        "TritonModelUnavailable",
        "TritonCanaryFailing",
        "TritonCanaryWrongOutput",
        "TritonSilentFailure",
    },
    "Out of memory": {"TritonModelUnavailable", "TritonCanaryFailing", "TritonGpuMemoryHigh"},
}
every_alert = pytest.mark.parametrize("name", ALERT_NAMES)


def objectives() -> tuple[Objective, ...]:
    return from_flags(["http://localhost:8000"]).slo.objectives


def calls(name: str, program: str) -> list[list[str]]:
    """The words of each line of the page's shell blocks that calls a program; pipes and comments taken off."""
    bodies = re.findall(r"^```sh\n(.*?)^```$", runbook(name), re.MULTILINE | re.DOTALL)
    lines = (line for body in bodies for line in body.replace("\\\n", " ").splitlines())
    found = (shlex.split(line.partition(" | ")[0], comments=True) for line in lines)
    return [words for words in found if words and words[0] == program]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(ALERT_NAMES) == {one.name for one in ALERTS}


@every_alert
def test_a_runbook_has_its_title_its_headings_and_a_length_that_is_read_at_night(name: str) -> None:
    text = runbook(name)
    assert text.startswith(f"# {name}\n\n## Meaning\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert 40 <= len(text.splitlines()) <= 90
    assert all(part.strip() != "" for part in re.split(r"^## .+$", text, flags=re.MULTILINE))


@given(st.text())
def test_what_is_no_alert_has_no_runbook(name: str) -> None:
    if name not in ALERT_NAMES:
        with pytest.raises(KeyError):
            runbook(name)


@every_alert
def test_commands_name_only_subcommands_and_flags_that_exist(name: str) -> None:
    for line in command_lines(FOLDER / f"{name}.md"):
        parse(line)


@every_alert
def test_servers_are_asked_on_their_usual_ports(name: str) -> None:
    lines = calls(name, "curl")
    ports = set(re.findall(r"localhost:(\d+)", runbook(name)))
    assert all(any("localhost:" in word for word in words) for words in lines)
    assert ports <= {"8000", "8002", "8003", "9093"}
    assert lines or name == "TritonWatchDown"


@every_alert
def test_a_silence_is_of_this_alert_has_an_end_and_says_why(name: str) -> None:
    silences = [words for words in calls(name, "amtool") if words[1] == "silence"]
    if name == "TritonWatchdog":  # a silence of it would be the fault that it is there to show
        assert not silences
        return
    labels = {"severity", "instance", "target"}.union(*(one.labels for one in ALERTS if one.name == name))
    assert silences
    for words in silences:
        matchers = dict(word.split("=", 1) for word in words if not word.startswith("-") and "=" in word)
        assert matchers.pop("alertname") == name
        assert matchers.keys() <= labels
        assert any(word.startswith("--duration=") for word in words)
        assert any(word.startswith("--comment=") for word in words)


@every_alert
def test_metrics_and_rules_that_are_named_exist(name: str) -> None:
    text = runbook(name)
    known = {metric.name for metric in (*METRICS, *SLO_METRICS)}
    # A name that goes on in a pattern or with an ellipsis is the beginning of one.
    named = set(re.findall(r"\btriton_watch_[a-z_]+[a-z]", text))
    assert [one for one in sorted(named) if not any(metric.startswith(one) for metric in known)] == []
    assert [rule for rule in re.findall(r"\bTW\d{3}\b", text) if by_name(rule) is None] == []


@every_alert
def test_links_lead_to_runbooks_and_pages_that_are_there(name: str) -> None:
    text = runbook(name)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert target.removesuffix(".md") in ALERT_NAMES
    for page in re.findall(r"`(docs/[\w.-]+)`", text):
        assert (ROOT / page).is_file()


@pytest.mark.parametrize("error", COMMON_ERRORS)
def test_the_common_errors_stand_where_they_show(error: str) -> None:
    said = {name for name in ALERT_NAMES if f"**{error.lower()}**" in runbook(name).lower()}
    assert COMMON_ERRORS[error] <= said


@every_alert
def test_the_page_of_the_repository_has_the_facts_and_then_the_runbook(name: str) -> None:
    page = pages.page(name, objectives())
    assert page.startswith(f"# {name}\n\n{pages.MADE}\n\n| severity |")
    facts, _, rest = page.partition("\n## Meaning\n")
    for definition in (one for one in ALERTS if one.name == name):
        assert f"\n| {definition.severity.value} |" in facts
    assert re.findall(r"^## (.+)$", rest, re.MULTILINE) == [*HEADINGS[1:], "In PromQL"]
    assert "`docs/" not in page


def test_an_alert_that_does_not_exist_has_no_page() -> None:
    with pytest.raises(KeyError):
        pages.page("TritonNothing", objectives())


def test_the_table_has_a_row_for_each_definition() -> None:
    rows = pages.table(objectives()).splitlines()[2:]
    assert len(rows) == len(ALERTS)
    for one, row in zip(ALERTS, rows, strict=True):
        assert f"[{one.name}](../alerts/runbooks/{one.name}.md) | {one.severity.value} |" in row


def test_the_table_goes_between_its_marks_and_nothing_else_changes() -> None:
    text = f"before\n{pages.BEGIN}\nold\n{pages.END}\nafter\n"
    made = pages.with_table(text, objectives())
    assert made == f"before\n{pages.BEGIN}\n\n{pages.table(objectives())}\n\n{pages.END}\nafter\n"
    assert pages.with_table(made, objectives()) == made


@pytest.mark.parametrize("text", ["", pages.BEGIN, pages.END, f"{pages.END}{pages.BEGIN}"])
def test_a_page_without_marks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="table of alerts"):
        pages.with_table(text, ())
