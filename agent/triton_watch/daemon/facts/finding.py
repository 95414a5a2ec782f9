"""Findings of the live configuration, as told."""

from __future__ import annotations

from dataclasses import dataclass

from triton_watch.daemon.facts.moment import Moment
from triton_watch.records.finding import Confidence, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a configuration. Lines and columns count from 1; `source` is the text of the line."""

    target: str
    rule: str
    slug: str
    severity: Severity
    confidence: Confidence
    red_line: bool
    message: str
    fix: str | None
    model: str | None
    file: str | None
    line: int | None
    column: int | None
    source: str | None
    width: int


@dataclass(frozen=True, slots=True)
class FindingCounts:
    """How many of each weight; `red_lines` are counted in one of the others, too."""

    error: int
    warning: int
    info: int
    red_lines: int


@dataclass(frozen=True, slots=True)
class FindingList:
    """GET /api/v1/findings: errors first. `unchecked` are targets whose configuration was not checked yet."""

    version: int
    at: Moment
    total: int
    offset: int
    limit: int
    counts: FindingCounts
    unchecked: tuple[str, ...]
    findings: tuple[Finding, ...]
