"""What is known about one config.pbtxt: its message, where each field stands, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.check.pbtxt.messages import ModelConfig

Path: TypeAlias = "tuple[str | int, ...]"
"""From the top to a value: `("input", 0, "dims", 1)`. An entry of a map goes by its key: `("parameters", "x")`,
followed by `"key"`, `"value"` or, where the value is a message, by that message's field: `"string_value"`."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of the text: offsets in characters of `ParsedConfig.text`; line and column count from 1."""

    start: int
    end: int
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands.

    `name` is its name (of an element of a list: the element itself); `value` its value with braces or brackets;
    `extent` reaches from the name to the value's end, with the `,` or `;` that may follow.
    """

    name: Span
    value: Span
    extent: Span


class ProblemKind(Enum):
    """What is wrong, by what one does about it."""

    SYNTAX = "syntax"
    UNKNOWN_FIELD = "unknown field"
    UNKNOWN_ENUM = "unknown enumeration value"
    REPEATED_SCALAR = "field given twice"
    ONEOF = "fields that exclude each other"
    OUT_OF_RANGE = "number out of range"
    WRONG_TYPE = "wrong type of value"
    DUPLICATE_KEY = "key of a map given twice"
    BOM = "byte order mark"
    ENCODING = "encoding"
    TOO_DEEP = "too deeply nested"
    TOO_LARGE = "too large"
    TOO_MANY = "too many problems"
    TEMPLATE = "template"
    NEWER_FIELD = "field of newer servers"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that the server refuses (`refused`), or that it takes in a way that nobody meant.

    `suggestion` is the text to write at its place; `advice` says in words what to do, where that says more.
    """

    kind: ProblemKind
    message: str
    place: Span
    suggestion: str | None
    refused: bool
    path: Path
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment's text without `#`, stripped; `alone` says that no code stands before it on its line."""

    line: int
    column: int
    text: str
    alone: bool
    start: int
    end: int


@dataclass(frozen=True)
class ParsedConfig:
    """One file, read.

    `text` has U+FFFD for each byte that is not UTF-8. `complete` is False when a problem hid the rest of the
    file: then `message` and `places` have what came before. `places` has every field and every element of
    repeated fields, also those that the server refuses, except unknown ones.
    """

    text: str
    message: ModelConfig | None
    complete: bool
    places: Mapping[Path, Place]
    problems: tuple[Problem, ...]
    comments: tuple[Comment, ...]

    def where(self, *path: str | int) -> Span:
        """The name of the field at `path`, or of its closest ancestor in the file; the file's start for ()."""
        for length in range(len(path), 0, -1):
            place = self.places.get(path[:length])
            if place is not None:
                return place.name
        return Span(0, 0, 1, 1)

    def has(self, *path: str | int) -> bool:
        """Whether the field is written in the file."""
        return path in self.places

    def line_text(self, line: int) -> str:
        """The line without its end; an empty string for a line that is not there."""
        lines = self._lines
        return lines[line - 1].rstrip("\r") if 0 < line <= len(lines) else ""

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")
