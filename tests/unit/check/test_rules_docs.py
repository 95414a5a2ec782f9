"""Every rule is documented whole, and the page of rules says it in a form that links and Markdown readers take."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields, replace

import pytest

from support.check_reports import BAD_DIM, NO_BATCHING, NO_PROBE
from support.check_reports import RULES as SYNTHETIC
from triton_watch.check.rule import Rule, Scope, Stage
from triton_watch.check.rules import RULES, engine_rules
from triton_watch.check.rules_docs import FAMILIES, anchor, details, family_of, render
from triton_watch.records import Severity

ALL = tuple({rule.id: rule for rule in (*engine_rules.RULES, *RULES)}.values())
TEXTS = ("title", "problem", "bad", "good", "why", "source")

each_rule = pytest.mark.parametrize("rule", ALL, ids=lambda rule: f"{rule.id}-{rule.slug}")


def test_ids_and_slugs_are_unique_and_rules_stand_in_the_order_of_their_ids() -> None:
    for name in ("id", "slug"):
        twice = [value for value, count in Counter(getattr(rule, name) for rule in ALL).items() if count > 1]
        assert not twice, f"{name} of two rules: {twice}"
    assert [rule.id for rule in RULES] == sorted(rule.id for rule in RULES)


@each_rule
def test_a_rule_has_an_id_a_slug_and_a_family(rule: Rule) -> None:
    assert re.fullmatch(r"TW[0-8]\d\d", rule.id)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.slug)
    assert family_of(rule) in FAMILIES


@each_rule
def test_a_rule_has_all_its_texts(rule: Rule) -> None:
    assert not [name for name in TEXTS if not getattr(rule, name).strip()]
    assert "\n" not in rule.title
    assert not rule.title.endswith(".")
    assert rule.bad != rule.good
    assert len(rule.title) <= 90


@each_rule
def test_a_rule_is_an_error_where_somebody_refuses_and_only_there(rule: Rule) -> None:
    if rule.scope in {Scope.MODEL, Scope.REPOSITORY, Scope.COLLECTION} and rule.severity is Severity.ERROR:
        assert rule.stage is not Stage.NOBODY


def test_the_texts_of_a_rule_are_all_in_its_documentation() -> None:
    assert {field.name for field in fields(Rule)} >= set(TEXTS)
    text = details(replace(NO_BATCHING, fixable=True))
    assert text == (
        'Warning; confidence high; red line "No dynamic batching for production"; `--fix` mends it.\n'
        "\n"
        "**Problem:** `max_batch_size` is above 1, and nothing forms batches of \\<several> requests.\n"
        "\n"
        "**Bad:**\n"
        "\n"
        "```protobuf\n"
        "max_batch_size: 8\n"
        "```\n"
        "\n"
        "**Good:**\n"
        "\n"
        "```protobuf\n"
        "max_batch_size: 8\n"
        "dynamic_batching { }\n"
        "```\n"
        "\n"
        "**Why:** Each request runs alone, however many wait.\n"
        "\n"
        "**Source:** tritonserver 2.51.0 (measured)"
    )


def test_an_error_says_who_refuses() -> None:
    assert details(BAD_DIM).startswith("Error; confidence high; Triton refuses it.\n")


@pytest.mark.parametrize(
    ("example", "fence"),
    [
        ("name: 'x'\n", "```protobuf\nname: 'x'\n```"),
        ("--- a/config.pbtxt\nname: 'x'\n--- a/1/\n", "```text\n--- a/config.pbtxt\nname: 'x'\n--- a/1/\n```"),
        ("# ```\nname: 'x'\n", "````protobuf\n# ```\nname: 'x'\n````"),
        (f"# {'x' * 500}\nname: 'x'\n", f"```protobuf\n# {'x' * 158}…\nname: 'x'\n```"),
        ("Two repositories with one name.", "**Bad:** Two repositories with one name."),
    ],
)
def test_an_example_is_a_block_of_code_or_a_sentence(example: str, fence: str) -> None:
    assert fence in details(replace(NO_BATCHING, bad=example))


def test_a_manifest_is_yaml() -> None:
    assert "```yaml\n" in details(NO_PROBE)


def test_the_page_has_a_heading_and_a_link_for_each_rule() -> None:
    page = render(SYNTHETIC)
    assert page == render(SYNTHETIC)
    assert [line for line in page.splitlines() if line.startswith("### ")] == [
        f"### {rule.id} {rule.slug}" for rule in SYNTHETIC
    ]
    for rule in SYNTHETIC:
        assert f"| [{rule.id} {rule.slug}](#{anchor(rule)}) | {rule.severity.value} |" in page
    assert "## 4xx: Batching, queues, sequences and the cache\n" in page


@each_rule
def test_the_page_of_the_rules_has_no_line_that_ends_a_block_early(rule: Rule) -> None:
    text = details(rule)
    assert len(re.findall(r"^`{3,}", text, re.MULTILINE)) % 2 == 0
    assert not re.search(r"^#+ ", re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
