"""Workflow commands of GitHub Actions: an annotation a finding, then one plain line with the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from triton_watch.check.output.text import heading
from triton_watch.records import Severity
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from triton_watch.check.report import Report
    from triton_watch.records import Finding

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def write(report: Report, stream: TextIO) -> None:
    """Write a report. GitHub shows the first ten annotations of each kind of a step; the log has them all."""
    stream.writelines(f"{_command(finding)}\n" for finding in report.findings)
    stream.write(f"triton-watch check: {heading(report)}\n")


def _command(finding: Finding) -> str:
    facts: dict[str, object] = {}
    if finding.file and "://" not in finding.file:
        facts["file"] = finding.file
    if finding.line and finding.file:
        facts["line"] = finding.line
        if finding.column:
            facts |= {"col": finding.column, "endColumn": finding.column + finding.width}
    facts["title"] = f"{finding.rule} {finding.slug}" + (" (red line)" if finding.red_line else "")
    properties = ",".join(f"{name}={whole(str(value)).translate(_PROPERTY)}" for name, value in facts.items())
    return f"::{_COMMANDS[finding.severity]} {properties}::{whole(_message(finding)).translate(_DATA)}"


def _message(finding: Finding) -> str:
    about = f"{finding.model}: " if finding.model else ""
    return f"{about}{finding.message}" + (f"\nFix: {finding.fix}" if finding.fix else "")
