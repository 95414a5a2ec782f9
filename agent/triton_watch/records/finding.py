"""What `triton-watch check` finds: plain data, made by rules, printed by the formats."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(str, Enum):
    """How bad a finding is."""

    ERROR = "error"
    """Triton refuses it, or the backend cannot serve it."""
    WARNING = "warning"
    """Triton accepts it; production should not."""
    INFO = "info"
    """Advice."""

    @property
    def rank(self) -> int:
        """Order by weight: 0 is the heaviest."""
        return list(Severity).index(self)


class Confidence(str, Enum):
    """How sure a rule is that what it found is wrong."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. Lines and columns count from 1, columns in characters.

    `file` is a path as the user wrote its beginning, or a URL for a live server; `source` is the text of
    the line, of which `width` characters from `column` on are meant.
    """

    rule: str
    slug: str
    severity: Severity
    confidence: Confidence
    message: str
    model: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    fix: str | None = None
    red_line: bool = False
    source: str | None = None
    width: int = 1

    @property
    def place(self) -> str:
        """`file:line:column` as far as it is known."""
        parts = [self.file or "", self.line, self.column]
        return ":".join(str(part) for part in parts if part)
