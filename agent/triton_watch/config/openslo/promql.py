"""The little of PromQL that foreign documents need: which metrics a query names, of which models, in which unit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

_MATCHERS: Final = r"\{(?:[^\"'{}]|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')*\}"
_SELECTOR: Final = re.compile(rf"\b(nv_\w+)\s*({_MATCHERS})?")
_MATCHER: Final = re.compile(r"(\w+)\s*(=~|!=|!~|=)\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)')")
_NUMBER: Final = r"(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)"
_AFTER: Final = re.compile(rf"([*/])\s*\(?\s*{_NUMBER}\b\s*\)?")
_BEFORE: Final = re.compile(rf"{_NUMBER}\s*\*")
_LITERAL: Final = re.compile(r"[\w -]")


@dataclass(frozen=True, slots=True)
class Query:
    """A query, as far as it matters: `labels` are label, operator and value of its matchers; `factor` scales it.

    A value of the query times `factor` is in the unit of its metric; None = nobody can tell.
    """

    metrics: frozenset[str]
    labels: frozenset[tuple[str, str, str]]
    factor: float | None


def read(text: str) -> Query:
    """Read a query. Nothing is refused here: what is not understood shows in the result."""
    selectors = _SELECTOR.findall(text)
    matchers = {
        (name, operator, double or single)
        for _, braces in selectors
        for name, operator, double, single in _MATCHER.findall(braces)
    }
    return Query(frozenset(name for name, _ in selectors), frozenset(matchers), _factor(text))


def globs(operator: str, value: str) -> tuple[str, ...] | None:
    """Turn a matcher on model names into globs; None where globs cannot say it."""
    if operator == "=":
        return (_escaped(value),)
    if operator != "=~":
        return None
    found = [_glob(part) for part in re.sub(r"^\^?\(?(.*?)\)?\$?$", r"\1", value).split("|")]
    return None if None in found else tuple(one for one in found if one is not None)


def _glob(regex: str) -> str | None:
    parts = re.findall(r"\.\*|\.\+|\\+.|.", regex)
    known = {".*": "*", ".+": "?*", ".": "?"}
    result = [known.get(part) or _literal(part) for part in parts]
    return None if None in result or not result else "".join(part for part in result if part is not None)


def _literal(part: str) -> str | None:
    if part.startswith("\\"):
        return _escaped(part[-1]) if not part[-1].isalnum() else None
    return part if _LITERAL.fullmatch(part) else None


def _escaped(text: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", text)


def _factor(text: str) -> float | None:
    """Undo what the query is multiplied with or divided by; any other number makes it unknown."""
    bare = re.sub(rf"{_MATCHERS}|\[[^\]]*\]|\boffset\s+\S+", " ", text)
    bare = re.sub(r"(?<![\w.])[A-Za-z_:][\w:]*", "x", bare)
    after, rest = _AFTER.findall(bare), _AFTER.sub(" ", bare)
    before, rest = _BEFORE.findall(rest), _BEFORE.sub(" ", rest)
    divided = math.prod(float(number) for operator, number in after if operator == "/")
    multiplied = math.prod(
        float(number) for operator, number in [*after, *(("*", one) for one in before)] if operator == "*"
    )
    return None if re.search(r"\d", rest) or not divided or not multiplied else divided / multiplied
