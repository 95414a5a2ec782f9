"""PromQL, written: values put into an expression, and its series narrowed to some targets, models or clusters."""

from __future__ import annotations

import json
import re
from string import Template
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.conventions import METRICS, PREFIX
from triton_watch.conventions.recorded_slo import labels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from triton_watch.records import Labels

_LABELS: Final = {metric.name: metric.labels for metric in METRICS}
_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_SERIES: Final = re.compile(
    rf"{_STRING}|\b([\w:]*{PREFIX}[\w:]*|up(?=\{{))(?:\{{((?:{_STRING}|[^\"}}])*)\}})?", re.ASCII
)
"""A text, in which nothing is a series, or a series of the agent, recorded or `up`: its name and its matchers."""
_SPECIAL: Final = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""What has a meaning in RE2, Prometheus's regular expressions."""
_WILDCARDS: Final = {"*": ".*", "?": "."}
_GLOB: Final = re.compile(r"\[(!|(?!!))(.[^]]*)\]|(.)", re.DOTALL)
"""A part of a glob: a set, of which a bracket may be the first, or a character, as is a bracket that nothing closes."""
_IN_SET: Final = re.compile(r"(.)-(.)|(.)", re.DOTALL)
_SPECIAL_IN_SET: Final = re.compile(r"[\\\[\]^&~|-]")
_NOTHING, _ANYTHING = r"[^\s\S]", "."


class Matcher(NamedTuple):
    """The label is, or is not, one of the texts of a regular expression."""

    label: str
    pattern: str
    is_not: bool = False

    def __str__(self) -> str:
        return f'{self.label}{"!~" if self.is_not else "=~"}"{inside(self.pattern)}"'


def filled(expr: str, values: Mapping[str, str]) -> str:
    """The expression with its `$names` replaced; one that is not in `values` is an error (KeyError)."""
    return Template(expr).substitute(values)


def inside(text: str) -> str:
    r"""A text as it stands between the quotes of a PromQL string; JSON's escapes are a part of Go's."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def any_of(texts: Iterable[str]) -> str:
    """A regular expression for one of these texts."""
    return "|".join(_SPECIAL.sub(r"\\\g<0>", text) for text in texts)


def any_glob(globs: Iterable[str]) -> str:
    """A regular expression for what one of these globs matches, as `fnmatchcase` has it."""
    return "|".join(_pattern(glob) for glob in globs)


def _pattern(glob: str) -> str:
    return "".join(
        _WILDCARDS.get(one) or _SPECIAL.sub(r"\\\g<0>", one) if one else _set(inner, is_not=bool(negation))
        for negation, inner, one in _GLOB.findall(glob)
    )


def _set(inner: str, *, is_not: bool) -> str:
    """One character of a set. A range that ends before it begins holds none: RE2 takes it for a mistake."""
    parts = []
    for first, last, one in _IN_SET.findall(inner):
        if one:
            parts.append(_in_set(one))
        elif first <= last:
            parts.append(f"{_in_set(first)}-{_in_set(last)}")
    if not parts:
        return _ANYTHING if is_not else _NOTHING
    return f"[{'^' if is_not else ''}{''.join(parts)}]"


def _in_set(one: str) -> str:
    return _SPECIAL_IN_SET.sub(r"\\\g<0>", one)


def narrowed(expr: str, matchers: Iterable[Matcher]) -> str:
    """The expression with matchers on each of the agent's series, exported or recorded, that has their label."""
    wanted = tuple(matchers)
    return _matched(expr, lambda name: (one for one in wanted if one.label in (_LABELS.get(name) or labels_of(name))))


def selected(expr: str, selectors: Labels) -> str:
    """The expression with labels that every series must have, such as cluster and its name."""
    wanted = [f'{label}="{inside(value)}"' for label, value in selectors]
    return _matched(expr, lambda _name: wanted)


def _matched(expr: str, more: Callable[[str], Iterable[object]]) -> str:
    """The expression with more matchers on its series; `more` says which for a name."""

    def with_matchers(match: re.Match[str]) -> str:
        name, given = match[1], match[2]
        if name is None:
            return match[0]
        inner = ", ".join([*([given] if given else []), *map(str, more(name))])
        return f"{name}{{{inner}}}" if inner else name

    return _SERIES.sub(with_matchers, expr)


def number(value: float) -> str:
    """A number as short as it is exact."""
    return format(value, ".12g")
