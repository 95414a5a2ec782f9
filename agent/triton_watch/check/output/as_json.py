"""JSON: the contract that programs read. One line a finding, ASCII only, the same bytes for the same input."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.check.report import Report
    from triton_watch.records import Finding

VERSION = 1


def write(report: Report, stream: TextIO) -> None:
    """Write a report, a finding at a time."""
    stream.write(f'{{\n  "version": {VERSION},\n  "findings": ')
    _write_list(stream, (_finding(finding) for finding in report.findings))
    stream.write(',\n  "checklist": ')
    _write_list(stream, (asdict(item) for item in report.checklist))
    stream.write(f',\n  "summary": {json.dumps(report.summary())}\n}}\n')


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "slug": finding.slug,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "model": _text(finding.model),
        "file": _text(finding.file),
        "line": finding.line,
        "column": finding.column,
        "message": _text(finding.message),
        "fix": _text(finding.fix),
        "red_line": finding.red_line,
    }


def _text(text: str | None) -> str | None:
    return None if text is None else whole(text)


def _write_list(stream: TextIO, objects: Iterable[dict[str, object]]) -> None:
    stream.write("[")
    stream.writelines(_lines(objects))
    stream.write("]")


def _lines(objects: Iterable[dict[str, object]]) -> Iterator[str]:
    separator, last = "\n    ", ""
    for one in objects:
        yield separator + json.dumps(one)
        separator, last = ",\n    ", "\n  "
    yield last
