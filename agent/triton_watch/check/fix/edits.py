"""Edits of a configuration's text that leave every other character where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.check.pbtxt import ParsedConfig, Path


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
    """Remove a field, with its line when nothing else stands on it."""
    extent = config.places[path].extent
    start = config.text.rfind("\n", 0, extent.start) + 1
    end = config.text.find("\n", extent.end)
    end = len(config.text) if end < 0 else end + 1
    if config.text[start : extent.start].strip() or config.text[extent.end : end].strip():
        return Edit(extent.start, extent.end, "")
    return Edit(start, end, "")


def append(config: ParsedConfig, text: str) -> Edit:
    """Add top-level lines at the end of the file."""
    end = len(config.text)
    newline = "" if not config.text or config.text.endswith("\n") else line_end(config)
    return Edit(end, end, newline + text.replace("\n", line_end(config)) + line_end(config))


def insert(config: ParsedConfig, path: Path, text: str) -> Edit:
    """Add lines before the closing brace of a message that is written; `text` is indented to fit.

    A message on one line gets its fields on that line; its layout is the author's.
    """
    value = config.places[path].value
    inner = config.text[value.start + 1 : value.end - 1]
    if "\n" not in inner:
        flat = " ".join(line.strip() for line in text.splitlines())
        return Edit(value.start + 1, value.end - 1, f" {f'{inner.strip()} ' if inner.strip() else ''}{flat} ")
    line = config.text.rfind("\n", 0, value.end - 1) + 1
    closing = config.text[line : value.end - 1]
    if closing.strip():
        return Edit(value.end - 1, value.end - 1, " " + " ".join(part.strip() for part in text.splitlines()) + " ")
    step = "\t" if closing.startswith("\t") else _step(inner, closing)
    lines = (f"{closing}{step}{part}" for part in text.splitlines())
    return Edit(line, line, "".join(f"{part}{line_end(config)}" for part in lines))


def _step(inner: str, closing: str) -> str:
    """Return by how much the fields of a block are indented beyond its closing brace."""
    for line in inner.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            return " " * max(1, len(line) - len(line.lstrip()) - len(closing))
    return "  "


def line_end(config: ParsedConfig) -> str:
    """Return how lines of the file end."""
    return "\r\n" if "\r\n" in config.text else "\n"
