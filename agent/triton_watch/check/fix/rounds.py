"""Mending in rounds: one mend, the rules again on the new text, until nothing more can be mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from triton_watch.check import suppress
from triton_watch.check.engine import run_rules
from triton_watch.check.fix import edits
from triton_watch.check.fix.mends import MENDS, REVEALING
from triton_watch.check.rule import Scope
from triton_watch.check.rules import RULES
from triton_watch.records import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from triton_watch.check.model import Model
    from triton_watch.check.options import Options
    from triton_watch.records import Finding

_MOST_ROUNDS = 100
"""A file that still is not done then is left as it was."""
_OF_MODELS = tuple(rule for rule in RULES if rule.scope is Scope.MODEL)


class Mended(NamedTuple):
    """The text of a mended file, what is still found in it, and the rules whose findings were mended."""

    text: str
    found: list[Finding]
    rules: tuple[str, ...]


def mend(model: Model, wanted: frozenset[str], options: Options) -> Mended | None:
    """Mend what some rules (by id) find; None when nothing can be mended.

    What a wrong backend hid may come to light when it is mended. Where that leaves more errors than there were,
    such mends are not made.
    """
    found = _found(model, options)
    mended = _mended(model, wanted, found, options, REVEALING)
    if mended is not None and not _refused(model) and _errors(mended.found) > _errors(found):
        mended = _mended(model, wanted, found, options, frozenset())
    return mended


def _mended(
    model: Model, wanted: frozenset[str], found: list[Finding], options: Options, revealing: frozenset[str]
) -> Mended | None:
    """Mend until nothing is left to mend; None where there was nothing, or no end."""
    mended: tuple[str, ...] = ()
    for _ in range(_MOST_ROUNDS):
        step = _step(model, wanted, found, options, revealing)
        if step is None:
            return Mended(model.config.text, found, mended) if mended and model.config is not None else None
        model, found, rule = step
        mended += (rule,)
    return None


def _found(model: Model, options: Options) -> list[Finding]:
    """Return what all rules find in a model and no comment silences."""
    return suppress.apply(run_rules(_OF_MODELS, Scope.MODEL, model, options), model, _OF_MODELS)[0]


def _step(
    model: Model, wanted: frozenset[str], found: list[Finding], options: Options, revealing: frozenset[str]
) -> tuple[Model, list[Finding], str] | None:
    """Make the first mend that helps; return the model with the new text, what is found then, and the rule."""
    config = model.config
    for finding in found if config is not None else ():
        if finding.rule not in wanted or config is None:
            continue
        text = edits.apply(config.text, MENDS[finding.slug](model, options, finding))
        if text == config.text:
            continue
        new = model.with_config(text.encode())
        left = _found(new, options)
        if _helps(model, new, finding, found, left, revealing):
            return new, left, finding.rule
    return None


def _helps(
    old: Model,
    new: Model,
    finding: Finding,
    found: Sequence[Finding],
    left: Sequence[Finding],
    revealing: frozenset[str],
) -> bool:
    """Whether a mend took a finding away and made nothing worse.

    What a broken file hid may come to light when it is mended, so there only the parser is asked.
    """
    refused, before = _refused(new), _refused(old)
    if before:
        return refused < before
    gone = sum(one.rule == finding.rule for one in left) < sum(one.rule == finding.rule for one in found)
    mended = finding.severity is Severity.ERROR and finding.slug not in REVEALING
    better = finding.slug in revealing or _errors(left) <= _errors(found) - mended
    return gone and not refused and better


def _refused(model: Model) -> int:
    return sum(problem.refused for problem in model.config.problems) if model.config is not None else 0


def _errors(findings: Iterable[Finding]) -> int:
    return sum(one.severity is Severity.ERROR for one in findings)
