"""Every rule's examples are true: the bad one makes it fire, the good one does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.check_subjects import manifest_findings
from support.rule_examples import found, write
from triton_watch.check import suppress
from triton_watch.check.engine import run_rules
from triton_watch.check.options import Options
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope
from triton_watch.check.rules import RULES, engine_rules
from triton_watch.check.rules_docs import is_prose

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.check.rule import Rule
    from triton_watch.records import Finding

OPTIONS = {
    "TW411": Options(latency_objective=0.1),
    "TW650": Options(gpus=1, gpu_memory=20_000),
    "TW661": Options(gpus=1, gpu_memory=10),
}
"""Rules that need to be told of the server: the options under which their examples are judged."""
IN_WORDS = {
    "TW108": "a directory that may not be read, or of 20,000 entries",
    "TW140": "two repositories",
    "TW237": "a file that may not be read",
    "TW334": "the archive that TorchScript writes",
}
"""Rules about models whose bad example is no set of files, and what it would take; they have tests of their own."""
ALL = tuple({rule.id: rule for rule in (*engine_rules.RULES, *RULES)}.values())


def fires(rule: Rule, example: str, folder: Path) -> bool:
    """Whether a rule finds something in an example."""
    options = OPTIONS.get(rule.id, Options())
    if rule.scope is Scope.MANIFEST:
        hits = manifest_findings([rule], example, folder, options)
    elif rule.scope is Scope.ENGINE:
        hits = _about_suppressions(example, folder)
    else:
        assert rule.scope is not Scope.LIVE, "a live server cannot be written down: give examples in words"
        hits = found([rule], example, folder, options)
    return rule.id in {hit.rule for hit in hits}


def _about_suppressions(example: str, folder: Path) -> list[Finding]:
    model = Repository(write(example, folder)).model("model")
    assert model is not None
    kept, _ = suppress.apply(run_rules(RULES, Scope.MODEL, model, Options()), model, RULES)
    return kept


@pytest.mark.parametrize(
    "rule", [rule for rule in ALL if not is_prose(rule, rule.bad)], ids=lambda rule: f"{rule.id}-{rule.slug}"
)
def test_the_bad_example_sets_the_rule_off(rule: Rule, tmp_path: Path) -> None:
    assert fires(rule, rule.bad, tmp_path)


@pytest.mark.parametrize(
    "rule", [rule for rule in ALL if not is_prose(rule, rule.good)], ids=lambda rule: f"{rule.id}-{rule.slug}"
)
def test_the_good_example_does_not(rule: Rule, tmp_path: Path) -> None:
    assert not fires(rule, rule.good, tmp_path)


def test_only_what_files_cannot_show_is_said_in_words() -> None:
    elsewhere = {Scope.LIVE, Scope.ENGINE}
    assert {rule.id for rule in ALL if rule.scope not in elsewhere and is_prose(rule, rule.bad)} <= set(IN_WORDS)
