"""Text of unknown origin made safe to write, and small helpers for sentences."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SURROGATE = re.compile(r"[\ud800-\udfff]+")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clip(text: str, width: int = 80) -> str:
    """Return a name or a value for a message: without control characters, at most `width` characters."""
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def listed(words: Iterable[str], most: int = 6) -> str:
    """Return `a, b and c`, or `a, b and 7 more`."""
    every = [clip(word) for word in words]
    shown = every[:most] if len(every) <= most else [*every[: most - 1], f"{len(every) - most + 1} more"]
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a misspelt one most likely meant."""
    candidates = sorted(set(known))
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[close[0]] if close else None


def plural(count: int, noun: str) -> str:
    """Return `1 model`, `2 models`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def whole(text: str) -> str:
    """Return text that every encoding of Unicode can write: no half characters (of file names that are not UTF-8)."""
    return text if text.isascii() else _SURROGATE.sub(_REPLACEMENT, text)


def printable(text: str) -> str:
    """Return text for one line that a person reads: nothing in it moves a cursor or hides what follows."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else " " if one in "\t\r\n" else _REPLACEMENT for one in text)
