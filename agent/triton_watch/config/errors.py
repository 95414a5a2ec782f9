"""Everything that is wrong with a configuration, each problem one sentence for the person who wrote it.

ConfigError                 the configuration was read and is not valid
└── ConfigUnreadableError   the file could not be read at all
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Location: TypeAlias = tuple[str | int, ...]
"""Keys and list indices from the top of the file: `("targets", 0, "timeouts", "total")`."""


class ParseError(ValueError):
    """A value cannot be understood. Its text is a sentence without the place, which the caller knows."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `path` is `targets[0].timeouts.total` or empty; lines count from 1.

    `origin` says where the value came from, if not from the file itself.
    """

    message: str
    path: str = ""
    line: int | None = None
    column: int | None = None
    origin: str = ""

    def text(self, source: str) -> str:
        """Render as `file:line:column: path: message`, leaving out what is not known."""
        place = ":".join(str(part) for part in (source, self.line, self.column) if part is not None)
        what = f"{self.path} ({self.origin})" if self.path and self.origin else self.path
        return ": ".join(part for part in (place, what, self.message) if part)


class ConfigError(Exception):
    """The configuration cannot be used. `str()` gives one line a problem."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        """The file as the caller named it, or "command line"."""
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.text(source) for problem in self.problems))


class ConfigUnreadableError(ConfigError):
    """The file is missing, a directory, or may not be read."""


def dotted(location: Location) -> str:
    """Write a location as `targets[0].headers["a.b"]`; the empty location is the empty string."""
    return "".join(_step(part) for part in location).removeprefix(".")


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if re.fullmatch(r"[\w-]+", part) else f'["{part}"]'
