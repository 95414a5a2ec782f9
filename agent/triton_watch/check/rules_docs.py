"""docs/rules.md, rendered from the rules: a table of links a family, a heading a rule."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from triton_watch.check.output.markdown import escape
from triton_watch.check.rule import Scope, Stage
from triton_watch.check.rules import RULES
from triton_watch.records import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.check.rule import Rule

FAMILIES = {
    "0": "The check itself",
    "1": "Repository structure and versions",
    "2": "Backends, platforms and model files",
    "3": "Inputs and outputs",
    "4": "Batching, queues, sequences and the cache",
    "5": "Ensembles",
    "6": "Instance groups, GPUs, memory and optimization",
    "7": "Production readiness, health, metrics and manifests",
    "8": "Live servers",
}
"""First digit of an id -> what these rules are about."""
STAGES = {
    Stage.CORE: "Triton refuses it",
    Stage.BACKEND: "the backend refuses it",
    Stage.NOBODY: "Triton accepts it",
}
_BEYOND_MODELS = {Scope.MANIFEST: "the deployment cannot work", Scope.LIVE: "the server says so itself"}
"""Scope -> what an error means that is no refusal of a model."""
_LONGEST = 160

_INTRO = """# Rules

<!-- Generated from agent/triton_watch/check/rules/ by `make generate`. -->

What `triton-watch check` looks for. `triton-watch rules` lists them, `triton-watch rules explain TW403` prints one.

- **error**: Triton refuses it, or the backend cannot serve it. **warning**: Triton accepts it, production should not.
  **info**: advice.
- A **red line** is one of six things that never go to production. With the default profile a crossed one fails the
  check, whatever its severity; with `--profile dev` only errors do.
- The confidence says how sure a rule is that what it found is wrong.
- A comment in config.pbtxt silences a rule by id or slug: `# triton-watch: ignore=TW403 the reason`. On a line of its
  own outside of any block it counts for the whole model; at the end of a line, for that line; on a line of its own
  inside a block, for the field below it, to that field's end.
- Examples are run by tests: the bad one makes the rule fire, the good one does not. In those of several files
  `--- path` begins a file, and a path that ends in `/` is a directory; a file of one line may say `hex:` for bytes,
  `link:` for a symbolic link, `size:` for its size.
"""


def render(rules: Iterable[Rule] = RULES) -> str:
    """Return the whole page, Markdown; the same text for the same rules."""
    lines = [_INTRO]
    for family, members in groupby(rules, key=family_of):
        known = list(members)
        lines += [f"## {family}xx: {FAMILIES[family]}", "", *_table(known), ""]
        for rule in known:
            lines += [f"### {rule.id} {rule.slug}", "", f"{escape(rule.title)}.", "", details(rule), ""]
    return "\n".join(lines).rstrip() + "\n"


def family_of(rule: Rule) -> str:
    """Return the first digit of a rule's number."""
    return rule.id[2]


def anchor(rule: Rule) -> str:
    """Return the name of a rule's heading in the page."""
    return f"{rule.id}-{rule.slug}".lower()


def facts(rule: Rule) -> str:
    """Return what a rule is in one line of plain text."""
    parts = [rule.severity.value, f"confidence {rule.confidence.value}"]
    if rule.stage is not Stage.NOBODY:
        parts.append(STAGES[rule.stage])
    elif rule.severity is Severity.ERROR:
        parts.append(_BEYOND_MODELS.get(rule.scope, STAGES[rule.stage]))
    if rule.red_line:
        parts.append(f'red line "{rule.red_line.value}"')
    if rule.fixable:
        parts.append("`--fix` mends it")
    return "; ".join(parts)


def is_prose(rule: Rule, example: str) -> bool:
    """Whether an example is a sentence: not everything can be shown as files, such as what a live server does."""
    one_line = "\n" not in example.strip()
    return one_line and (rule.scope in {Scope.LIVE, Scope.ENGINE} or not set(":{") & set(example))


def example_lines(example: str) -> Iterator[str]:
    """Yield the lines of an example that is files, overlong ones cut."""
    return (line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…" for line in example.strip("\n").splitlines())


def details(rule: Rule) -> str:
    """Return a rule's documentation below its heading, Markdown."""
    return "\n".join(_details(rule)).rstrip()


def _table(rules: Iterable[Rule]) -> Iterator[str]:
    yield "| Rule | Severity | | What is demanded |"
    yield "| --- | --- | --- | --- |"
    for rule in rules:
        mark = "red line" if rule.red_line else ""
        yield f"| [{rule.id} {rule.slug}](#{anchor(rule)}) | {rule.severity.value} | {mark} | {escape(rule.title)} |"


def _details(rule: Rule) -> Iterator[str]:
    yield f"{facts(rule)[0].upper()}{facts(rule)[1:]}."
    yield ""
    yield f"**Problem:** {_prose(rule.problem)}"
    yield ""
    yield from _example("Bad", rule, rule.bad)
    yield from _example("Good", rule, rule.good)
    yield f"**Why:** {_prose(rule.why)}"
    yield ""
    yield f"**Source:** {_prose(rule.source)}"


def _prose(text: str) -> str:
    return escape(" ".join(text.split()))


def _example(label: str, rule: Rule, example: str) -> Iterator[str]:
    if is_prose(rule, example):
        yield f"**{label}:** {_prose(example.removeprefix('# '))}"
        yield ""
        return
    fence = "`" * max([3, *(len(ticks) + 1 for ticks in re.findall("`+", example))])
    several = example.lstrip().startswith("--- ")
    language = "yaml" if rule.scope is Scope.MANIFEST else "text" if several else "protobuf"
    yield f"**{label}:**"
    yield ""
    yield f"{fence}{language}"
    yield from example_lines(example)
    yield fence
    yield ""
