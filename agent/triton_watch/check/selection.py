"""Which rules run: `--select` and `--ignore` name rules by id, slug or the beginning of an id (`TW4`, `TW40`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from triton_watch.wording.text import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from triton_watch.check.rule import Rule

_PREFIX = re.compile(r"TW\d{0,3}", re.IGNORECASE | re.ASCII)
_ENGINE = "TW0"
"""What the engine itself reports (crashes, suppressions) is always on unless it is named."""


class UnknownRuleError(ValueError):
    """A selection names no rule. Its text is a sentence for the user."""


def select(rules: Sequence[Rule], selected: Iterable[str], ignored: Iterable[str]) -> tuple[Rule, ...]:
    """Return the rules that run, in their order. Raises `UnknownRuleError`."""
    wanted = [matching(rules, name) for name in selected]
    unwanted = {rule.id for name in ignored for rule in matching(rules, name)}
    chosen = {rule.id for group in wanted for rule in group} if wanted else {rule.id for rule in rules}
    return tuple(
        rule
        for rule in rules
        if rule.id not in unwanted and (rule.id in chosen or (rule.id.startswith(_ENGINE) and bool(wanted)))
    )


def matching(rules: Sequence[Rule], name: str) -> list[Rule]:
    """Return the rules that a name means, at least one. Raises `UnknownRuleError`."""
    word = name.strip()
    if _PREFIX.fullmatch(word):
        found = [rule for rule in rules if rule.id.startswith(word.upper())]
    else:
        found = [rule for rule in rules if rule.slug == word.lower()]
    if found:
        return found
    close = nearest(word, [rule.id for rule in rules] if _PREFIX.match(word) else [rule.slug for rule in rules])
    hint = f"did you mean {close}? " if close else ""
    raise UnknownRuleError(f'"{word}" is no rule: {hint}`triton-watch rules` lists them all.')
