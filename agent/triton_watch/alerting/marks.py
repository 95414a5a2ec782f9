"""Labels that tell the rules of one alert apart: Prometheus takes two with equal labels for a mistake."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARKS: Final = ("period", "factor", "override")


class MarkedRule(NamedTuple):
    """A rule, and what may tell it from others; "" = nothing.

    `period` is that of its objectives, `factor` the burn rate that it allows: of objectives with several periods, or
    with a short one, burn windows coincide. `override` is its override's place among those of the alert, from 1.
    """

    rule: dict[str, Any]
    period: str = ""
    factor: str = ""
    override: str = ""


def told_apart(rules: Iterable[MarkedRule]) -> list[dict[str, Any]]:
    """Return the rules, in their order; those that have equal labels with the marks in which they differ.

    A label that a rule has already keeps its value.
    """
    marked = list(rules)
    for mark in _MARKS:
        marked = _with(mark, marked)
    return [one.rule for one in marked]


def _with(mark: str, rules: list[MarkedRule]) -> list[MarkedRule]:
    values: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for one in rules:
        values[_identity(one)].add(getattr(one, mark))
    return [_labelled(one, mark) if len(values[_identity(one)]) > 1 else one for one in rules]


def _identity(one: MarkedRule) -> tuple[object, ...]:
    return one.rule["alert"], frozenset(one.rule["labels"].items())


def _labelled(one: MarkedRule, mark: str) -> MarkedRule:
    value = getattr(one, mark)
    if not value:
        return one
    return one._replace(rule={**one.rule, "labels": {mark: value, **one.rule["labels"]}})
