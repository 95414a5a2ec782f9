"""Placeholders of templates: `${name}`, `$NAME`, `{{ name }}`, `{% if … %}`, `<% name %>`."""

from __future__ import annotations

import re
from typing import NamedTuple

_PLACEHOLDER = (
    r"\$\{[^{}\n]{1,200}\}|\$[A-Za-z_]\w*|\{\{-?[ \t]{0,9}[\w.$#(][^{}:\n]{0,200}\}\}"
    r"|\{%[^{}\n]{0,200}%\}|<%[^<>\n]{0,200}%>"
)
_OUTSIDE = re.compile(rf"""#[^\n]*|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|({_PLACEHOLDER})""")
"""Quotes that are open end with their line, as they do for the parser."""
_INSIDE = re.compile(_PLACEHOLDER)


class Placeholders(NamedTuple):
    """The first placeholder outside of quotes and comments, and how many there are."""

    start: int
    end: int
    number: int


def placeholders(text: str) -> Placeholders | None:
    """Find placeholders where a value belongs; None when there are none."""
    first, number = None, 0
    for match in _OUTSIDE.finditer(text):
        if match[1] is not None:
            first, number = first or match, number + 1
    return Placeholders(first.start(), first.end(), number) if first else None


def placeholder(value: str) -> str | None:
    """Return the first placeholder inside a value, None when there is none."""
    found = _INSIDE.search(value)
    return found[0] if found else None
