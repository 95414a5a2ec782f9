"""Every expression of the generated boards and rules on real data: a Triton under load, an agent, a Prometheus."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from expressions.proof import Proof, proven, trickled
from expressions.run import show

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """What a stage of about a minute says."""
    return proven(tmp_path_factory.mktemp("expressions") / "stage")


def test_every_expression_gives_series_or_is_listed_with_its_reason(proof: Proof) -> None:
    found = [f"{one.expression.place}: {one.problem}: {one.expression.expr}" for one in proof.answers if one.problem]
    assert not found, "\n".join(found)
    assert sum(one.series > 0 for one in proof.answers) > len(proof.answers) / 2


def test_no_rule_fails_and_both_tables_are_up_to_date(proof: Proof) -> None:
    assert not proof.others, "\n".join(proof.others)


def test_boards_and_rules_say_what_the_agent_says(proof: Proof) -> None:
    show(proof.compared, Console(width=180, file=sys.stdout))
    assert proof.compared
    assert not proof.apart, f"{len(proof.apart)} of {len(proof.compared)} differ"


def test_at_a_request_in_ten_seconds_the_queue_time_is_true_and_padded_variants_are_not(tmp_path: Path) -> None:
    ours, *others = trickled(tmp_path)
    assert ours.value == pytest.approx(0.005, rel=1e-6)
    assert [one.value for one in others] == pytest.approx([0.00045, 0.0005], rel=0.05)
