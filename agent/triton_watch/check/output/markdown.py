"""Markdown for a job's summary or a comment on a pull request: counts, checklist, findings, the worst first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO

from triton_watch.check.engine import sort_key
from triton_watch.check.output.text import MOST_RULES, heading, left_out, where
from triton_watch.check.report import FAILED, NOT_CHECKED, OK
from triton_watch.wording.text import listed, printable, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from triton_watch.check.report import CheckItem, Report
    from triton_watch.records import Finding

MOST_CHARACTERS = 60_000
"""GitHub takes comments of 65,536 characters; the rest of the findings is counted."""

_CODE = re.compile(r"(`[^`]+`)")
_BAR = re.compile(r"(\\*)\|")
_MARKUP = re.compile(r"([\\*<\[\]|~&`#]|(?<!\w)_|_(?!\w))")
_BOXES = {OK: "- [x]", FAILED: "- [ ]", NOT_CHECKED: "- [ ]"}


def write(report: Report, stream: TextIO) -> None:
    """Write a report, at most about `MOST_CHARACTERS` of it."""
    stream.write(f"## triton-watch check\n\n{escape(heading(report))}")
    stream.write(f" ({left_out(report)})\n\n" if left_out(report) else "\n\n")
    stream.write("### Production readiness\n\n")
    stream.writelines(_box(item) for item in report.checklist)
    if report.findings:
        stream.write("\n### Findings\n\n| | Rule | Where | What and how to mend it |\n| --- | --- | --- | --- |\n")
        stream.writelines(_rows(report))


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, but for what stands between backticks: that is code in both."""
    parts = _CODE.split(printable(whole(text)))
    return "".join(_escape_code(part) if _CODE.fullmatch(part) else _escape_words(part) for part in parts)


def code(text: str) -> str:
    """Return text as code, whatever is in it."""
    shown = printable(whole(text))
    fence = "`" * (max(map(len, re.findall("`+", shown)), default=0) + 1)
    pad = " " if "`" in shown else ""
    return _escape_code(f"{fence}{pad}{shown}{pad}{fence}") if shown else ""


def _escape_code(text: str) -> str:
    """Escape the bars, which would end a cell of a table in code, too; backslashes before them show twice."""
    return _BAR.sub(r"\1\1\|", text)


def _escape_words(text: str) -> str:
    """Escape markup, and break `@name` with an empty character so that it calls nobody."""
    return _MARKUP.sub(r"\\\1", text).replace("@", "@\N{ZERO WIDTH SPACE}")


def _box(item: CheckItem) -> str:
    why = listed(item.rules, MOST_RULES)
    if item.state == FAILED:
        return f"{_BOXES[FAILED]} {item.item}: {why} {escape(item.note)}\n"
    return f"{_BOXES[item.state]} {item.item}" + (f": not checked, {escape(item.note)}\n" if item.note else "\n")


def _rows(report: Report) -> Iterator[str]:
    written = 0
    worst_first = sorted(report.findings, key=lambda one: (one.severity.rank, not one.red_line, sort_key(one)))
    for shown, finding in enumerate(worst_first):
        row = _row(finding)
        written += len(row)
        if written > MOST_CHARACTERS:
            yield f"\n… and {len(report.findings) - shown:,} more: `--format json` has them all.\n"
            return
        yield row


def _row(finding: Finding) -> str:
    mark = "<br>**red line**" if finding.red_line else ""
    fix = f"<br>Fix: {escape(finding.fix)}" if finding.fix else ""
    rule = f"{finding.rule} {finding.slug}"
    return f"| {finding.severity.value}{mark} | {rule} | {code(where(finding))} | {escape(finding.message)}{fix} |\n"
