"""What stands in a PromQL expression, as far as tests of dashboards ask: its selectors, and what it divides by.

It reads well-formed expressions (promtool judges that), with Grafana's variables in them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABEL_LIST = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\b\s*(?:\([\w,\s]*\))?\s*")
_SELECTOR = re.compile(r"(?<![\w.$])([a-zA-Z_:][\w:]*(?![\w:]|\s*\()|(?=\{))\s*(\{[^}]*\})?\s*(\[[^\]]*\])?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_CALLED = re.compile(r"(\w+)\s*\(\s*$")
_KEYWORDS = {"and", "or", "unless", "offset", "bool"}


class Selector(NamedTuple):
    """One selector: its metric ("" = none is named), the labels that it matches on and its range ("" = none).

    `function` is whose first argument it is, "" = none's.
    """

    metric: str
    labels: frozenset[str]
    span: str
    function: str


def selectors(expr: str) -> Iterator[Selector]:
    """Yield the selectors of an expression, from left to right."""
    bare = _without_label_lists(_without_strings(expr))
    for match in _SELECTOR.finditer(bare):
        name, matchers, span = match[1], match[2] or "", match[3] or ""
        if name in _KEYWORDS:
            continue
        called = _CALLED.search(bare[: match.start()])
        yield Selector(name, frozenset(_MATCHER.findall(matchers)), span.strip("[]"), called[1] if called else "")


def divisors(expr: str) -> Iterator[str]:
    """Yield what stands behind each `/`: a number, a name, or the parentheses with all that is in them."""
    bare = _without_label_lists(_without_strings(expr))
    for match in re.finditer(r"/\s*", bare):
        rest = bare[match.end() :]
        yield rest[: _closing(rest)] if rest.startswith("(") else re.split(r"[^\w.:]", rest, maxsplit=1)[0]


def calls(expr: str, *functions: str) -> list[str]:
    """The arguments, with their parentheses, of each call of one of these functions."""
    bare = _without_label_lists(_without_strings(expr))
    starts = [match.end() - 1 for match in re.finditer(rf"\b(?:{'|'.join(functions)})\s*\(", bare)]
    return [bare[start : start + _closing(bare[start:])] for start in starts]


def variables(text: str) -> set[str]:
    """The names of Grafana's variables in a text: `$name`, `${name}`, `${name:format}`."""
    return set(re.findall(r"\$\{?([a-zA-Z_]\w*)", text))


def _closing(text: str) -> int:
    """Where the parentheses end that the text begins with."""
    depth = 0
    for place, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return place + 1
    raise ValueError(f"unbalanced parentheses: {text}")


def _without_strings(expr: str) -> str:
    return _STRING.sub('""', expr)


def _without_label_lists(expr: str) -> str:
    return _LABEL_LIST.sub("", expr)
