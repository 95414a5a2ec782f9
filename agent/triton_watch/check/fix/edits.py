"""Edits of a configuration's text that leave every other character where it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.check.pbtxt import ParsedConfig, Path

_INDENTED = re.compile(r"^(\t| {1,8})(?=[^\s#])", re.MULTILINE)
"""A line one step in; deeper ones are not the first of their file."""
_STEP = "  "
"""By how much the texts of mends are indented."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the characters from `start` to `end` by `text`."""

    start: int
    end: int
    text: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits that do not overlap."""
    for edit in sorted(edits, key=lambda one: one.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def set_value(config: ParsedConfig, path: Path, text: str) -> Edit:
    """Replace the value of a field that is written."""
    value = config.places[path].value
    return Edit(value.start, value.end, text)


def rename(config: ParsedConfig, path: Path, name: str) -> Edit:
    """Replace the name of a field that is written."""
    span = config.places[path].name
    return Edit(span.start, span.end, name)


def remove(config: ParsedConfig, path: Path) -> Edit:
    """Remove a field: with its line, or with the blanks before what follows on the line."""
    text, extent = config.text, config.places[path].extent
    start = text.rfind("\n", 0, extent.start) + 1
    end = text.find("\n", extent.end)
    end = len(text) if end < 0 else end + 1
    before, behind = text[start : extent.start], text[extent.end : end]
    if not before.strip() and not behind.strip():
        return Edit(start, end, "")
    if behind.strip():
        return Edit(extent.start, extent.end + len(behind) - len(behind.lstrip()), "")
    return Edit(start + len(before.rstrip()), extent.end, "")


def remove_first(config: ParsedConfig, path: Path) -> Edit:
    """Remove the first of several values of a field; a comment between it and the second stays."""
    paths: tuple[Path, Path] = (*path, 0), (*path, 1)
    first, second = (config.places[one].extent for one in paths)
    commented = "#" in config.text[first.end : second.start]
    return Edit(first.start, first.end if commented else second.start, "")


def append(config: ParsedConfig, text: str) -> Edit:
    """Add top-level lines at the end of the file."""
    end = len(config.text)
    newline = "" if not config.text or config.text.endswith("\n") else line_end(config)
    return Edit(end, end, newline + _laid_out(config, text, "", _unit(config)))


def insert(config: ParsedConfig, path: Path, text: str) -> Edit:
    """Add lines before the closing brace of a message that is written; `text` is indented to fit.

    A message on one line gets its fields on that line; its layout is the author's.
    """
    value = config.places[path].value
    inner = config.text[value.start + 1 : value.end - 1]
    flat = " ".join(line.strip() for line in text.split("\n"))
    if "\n" not in inner:
        return Edit(value.start + 1, value.end - 1, f" {inner.strip()} {flat} " if inner.strip() else f" {flat} ")
    line = config.text.rfind("\n", 0, value.end - 1) + 1
    closing = config.text[line : value.end - 1]
    if closing.strip():
        return Edit(value.end - 1, value.end - 1, f"{'' if closing[-1:].isspace() else ' '}{flat} ")
    unit = _unit(config)
    return Edit(line, line, _laid_out(config, text, _inside(inner, closing) or closing + unit, unit))


def _laid_out(config: ParsedConfig, text: str, indent: str, unit: str) -> str:
    """Return lines indented as the file is, each with the file's line end."""
    lines = []
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        depth = (len(line) - len(bare)) // len(_STEP)
        lines.append(f"{indent}{unit * depth}{bare}{line_end(config)}")
    return "".join(lines)


def _inside(inner: str, closing: str) -> str | None:
    """Return how the fields of a block are indented whose closing brace stands alone on its line."""
    for line in inner.split("\n")[1:]:
        bare = line.lstrip(" \t")
        indent = line[: len(line) - len(bare)]
        if bare.strip() and not bare.startswith("#"):
            return indent if indent.startswith(closing) and indent != closing else None
    return None


def _unit(config: ParsedConfig) -> str:
    """Return by how much the file indents."""
    found = _INDENTED.search(config.text)
    return found[1] if found else _STEP


def line_end(config: ParsedConfig) -> str:
    """Return how lines of the file end."""
    return "\r\n" if "\r\n" in config.text else "\n"
