"""Strict YAML: one mapping, each key once, text as text, and the line of everything for the messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from triton_watch.config.errors import ConfigError, ConfigUnreadableError, Location, Problem, dotted
from triton_watch.config.nodes import NodeReader

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_BYTES = 4_000_000
"""A configuration of some thousand targets; a larger file is a mistake, such as a log or a device."""

EMPTY: Final = "is empty: list at least one server under targets."
_HINTS: Mapping[str, str] = {
    "found character '\\t' that cannot start any token": "indent with spaces instead of tabs",
    "found undefined alias": "put a value that starts with * in quotes",
}


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and the line (from 1) of each location in it; `origins` has what came from elsewhere."""

    source: str
    value: dict[str, Any]
    lines: Mapping[Location, int]
    origins: Mapping[Location, str] = field(default_factory=dict)

    def line(self, location: Location) -> int | None:
        """Find the line of a location, or of the nearest thing around it that the file has."""
        while location and location not in self.lines:
            location = location[:-1]
        return self.lines.get(location)

    def problem(self, location: Location, message: str) -> Problem:
        """Put a message at a location of this file."""
        return Problem(message, dotted(location), self.line(location), origin=self.origins.get(location, ""))


def read(path: Path, *, empty: str = EMPTY) -> Document:
    """Read a YAML file; `empty` is what is said of one that says nothing.

    Raises:
        ConfigUnreadableError: missing, a directory, not permitted, an I/O error.
        ConfigError: too large, not UTF-8, not YAML, not one mapping, a duplicate key.

    """
    source = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigUnreadableError(source, [Problem(_why_unreadable(error))]) from error
    if len(content) > MAX_BYTES:
        raise ConfigError(source, [Problem("is over 4 MB: this is not a configuration of triton-watch.")])
    try:
        return parse(content.decode("utf-8-sig"), source, empty=empty)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(source, [Problem("is not UTF-8: save the file as UTF-8.", line=line)]) from error


def parse(text: str, source: str, *, empty: str = EMPTY) -> Document:
    """Read YAML text; `source` is the file's name in messages, `empty` as for `read`. Raises `ConfigError`."""
    node, lines = parse_any(text, source, empty=empty)
    if not isinstance(node, dict):
        kind = "a list" if isinstance(node, list) else "a single value"
        message = f"has {kind} at the top: start with a key such as targets, followed by a colon."
        raise ConfigError(source, [Problem(message, line=1)])
    return Document(source, node, lines)


def parse_any(text: str, source: str, *, empty: str) -> tuple[object, Mapping[Location, int]]:
    """Read YAML text of any shape, and the line of each location in it; else as `parse`."""
    reader = NodeReader()
    try:
        node = _compose(text, reader)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(source, [_syntax(error)]) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        message = f"has the control character U+{code:04X}, which YAML does not allow: delete it."
        raise ConfigError(source, [Problem(message, line=line)]) from error
    except RecursionError as error:
        raise ConfigError(source, [Problem("is nested too deeply: check its brackets and indentation.")]) from error
    if reader.problems:
        raise ConfigError(source, reader.problems)
    if node is None:
        raise ConfigError(source, [Problem(empty)])
    return node, reader.lines


def _compose(text: str, reader: NodeReader) -> object:
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        return None if root is None else reader.read(loader, root)
    finally:
        loader.dispose()


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = (mark.line + 1, mark.column + 1) if mark else (None, None)
    if error.context == "expected a single document in the stream":
        return Problem("has a second YAML document: keep one, without a --- between.", "", *place)
    problem = error.problem or error.context or "unreadable"
    hint = next((text for start, text in _HINTS.items() if problem.startswith(start)), "")
    shown = "found an undefined alias" if "undefined alias" in problem else problem.replace("'\\t'", "TAB")
    hint = hint or "look at the indentation, quotes and colons here and on the line above"
    return Problem(f"is not valid YAML ({shown}): {hint}.", "", *place)


def _why_unreadable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist: give the path of the configuration file."
    if isinstance(error, IsADirectoryError):
        return "is a directory: give the path of the configuration file in it."
    if isinstance(error, PermissionError):
        return "may not be read by this user: change its owner or mode."
    return f"cannot be read ({error.strerror}): check the path."
