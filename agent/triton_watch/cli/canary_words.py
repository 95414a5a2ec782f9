"""Goldens in words, for tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triton_watch.probes.canary.golden.model import Golden
    from triton_watch.probes.canary.golden.rules import Rule


def compared(golden: Golden) -> str:
    """How each output is compared, and what there is to know of it."""
    from triton_watch.probes.canary.record import same_answers

    rules = [f"{name} {in_words(rule)}" for name, rule in golden.compare.items()]
    rules += [f"{name} ignored" for name in golden.ignore]
    notes = list(golden.notes)
    if same_answers(golden):
        notes.append("its inputs get the same answer, so a swapped one would not show: give inputs that differ")
    return "; ".join([", ".join(rules), *notes])


def in_words(rule: Rule) -> str:
    """A rule in a few words."""
    from triton_watch.probes.canary.golden.rules import Method

    if rule.method is Method.CLOSE:
        return f"close (rtol {rule.rtol:g}, atol {rule.atol:g})"
    if rule.method is Method.COSINE:
        return f"cosine ({rule.least:g})"
    return str(rule.method.value)
