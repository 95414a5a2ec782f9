"""`triton-watch rules`: a list by family, everything as JSON, one rule explained, and a hand for a misspelt one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from support.check_reports import NO_BATCHING, RULES
from triton_watch.check import rules as package
from triton_watch.cli.rules import command, described, explanation, listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.testing import Result
    from rich.console import RenderableType


def call(*words: str) -> Result:
    return CliRunner().invoke(command, words, prog_name="triton-watch rules")


def printed(parts: Sequence[RenderableType], width: int) -> list[str]:
    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part, soft_wrap=False)
    return [line.rstrip() for line in capture.get().splitlines()]


@pytest.mark.parametrize("width", [80, 160])
def test_the_list_has_a_line_a_rule_below_its_family(width: int) -> None:
    lines = printed(listing(RULES, width), width)
    starts = [line.split()[:4] for line in lines if line.startswith("TW4")]
    assert "4xx  Batching, queues, sequences and the cache" in lines
    assert starts == [
        ["TW402", "no-dynamic-batching", "warning", "■"],
        ["TW450", "no-warm-up", "info", "Models"],
    ]
    assert lines[-1] == f"{len(RULES)} rules; ■ marks the 2 about a red line."
    assert all(len(line) <= width for line in lines)


def test_json_has_everything_of_every_rule() -> None:
    done = call("--json")
    assert done.exit_code == 0
    printed_rules = json.loads(done.output)
    assert printed_rules == {"version": 1, "rules": [described(rule) for rule in package.RULES]}


def test_everything_of_a_rule_but_its_function_is_described() -> None:
    assert described(NO_BATCHING) == {
        "id": "TW402",
        "slug": "no-dynamic-batching",
        "severity": "warning",
        "confidence": "high",
        "scope": "model",
        "stage": "nobody",
        "title": NO_BATCHING.title,
        "problem": NO_BATCHING.problem,
        "bad": NO_BATCHING.bad,
        "good": NO_BATCHING.good,
        "why": NO_BATCHING.why,
        "source": NO_BATCHING.source,
        "red_line": "No dynamic batching for production",
        "box": "Dynamic batching configured",
        "fixable": False,
    }


def test_the_list_and_every_explanation_are_printed() -> None:
    assert call().exit_code == 0
    for rule in package.RULES:
        for name in (rule.id, rule.slug.upper()):
            done = call("explain", name)
            assert done.exit_code == 0
            assert done.output.startswith(f"{rule.id} {rule.slug}  ")


def test_an_explanation_reads_well_on_80_columns() -> None:
    assert printed([explanation(NO_BATCHING, 80)], 80) == [
        'TW402 no-dynamic-batching  warning; confidence high; red line "No dynamic',
        'batching for production"',
        "",
        "Models that batch have a dynamic batcher.",
        "",
        "Problem",
        "  `max_batch_size` is above 1, and nothing forms batches of <several> requests.",
        "",
        "Bad",
        "  │ max_batch_size: 8",
        "",
        "Good",
        "  │ max_batch_size: 8",
        "  │ dynamic_batching { }",
        "",
        "Why",
        "  Each request runs alone, however many wait.",
        "",
        "Source",
        "  tritonserver 2.51.0 (measured)",
    ]


def test_a_rule_that_does_not_exist_is_a_usage_error() -> None:
    done = call("explain", "no-such-rule-anywhere")
    assert done.exit_code == 2
    assert 'there is no rule "no-such-rule-anywhere": `triton-watch rules` lists them all.' in done.output


def test_a_misspelt_rule_is_guessed() -> None:
    for rule in package.RULES[:20]:
        done = call("explain", f"{rule.slug}x")
        assert done.exit_code == 2
        assert f'did you mean "{rule.slug}"?' in done.output


def test_json_and_explain_together_are_a_usage_error() -> None:
    assert call("--json", "explain", "TW402").exit_code == 2


def test_the_command_is_a_group_with_help_on_a_screen() -> None:
    assert isinstance(command, click.Group)
    assert len(call("--help").output.splitlines()) < 40
