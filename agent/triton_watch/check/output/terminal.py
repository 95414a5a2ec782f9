"""For people: findings grouped by model, each with its line of source; then counts and the checklist."""

from __future__ import annotations

from io import TextIOBase
from typing import TYPE_CHECKING

from rich.cells import cell_len

from triton_watch.check.output.excerpt import excerpt
from triton_watch.check.output.ink import Ink
from triton_watch.check.output.text import MOST_RULES, left_out, looked_at, where
from triton_watch.check.output.wrap import wrap
from triton_watch.check.report import FAILED, NOT_CHECKED, OK
from triton_watch.records import Severity
from triton_watch.wording.text import listed, plural, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from triton_watch.check.output import Printer
    from triton_watch.check.report import CheckItem, Report
    from triton_watch.records import Finding

STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
RED_LINE = "■ red line"

_FOLDED_FROM = 6
"""Models that get the same advice from which on it is shown for the first one only."""
_AT_ONCE = 100
"""Findings that are printed at a time: rich's start of a print takes as long as a finding."""
_BOXES = {OK: ("[x]", "green"), FAILED: ("[ ]", "red"), NOT_CHECKED: ("[?]", "yellow")}
_INDENT = "  "


def write(report: Report, place: Printer | TextIOBase) -> None:
    """Print a report, some findings at a time; on a stream as on a wide terminal without colours."""
    terminal = _Plain(place) if isinstance(place, TextIOBase) else place
    ink, group, width = Ink(), None, terminal.width
    for number, (finding, others) in enumerate(_folded(report.findings), 1):
        if finding.model and finding.model != group:
            ink.line(printable(finding.model), "bold underline")
        group = finding.model
        _finding(ink, finding, others, width)
        if number % _AT_ONCE == 0:
            terminal.print(ink, wrap=False)
            ink = Ink()
    _summary(ink, report)
    terminal.print(checklist(ink.line(), report.checklist, width), wrap=False)


class _Plain:
    """Prints on a stream."""

    width = 160

    def __init__(self, stream: TextIOBase) -> None:
        self._stream = stream

    def print(self, *parts: RenderableType, wrap: bool = True) -> None:
        """Write the text of each part."""
        del wrap
        for part in parts:
            self._stream.write(str(part))


def _folded(findings: Sequence[Finding]) -> Iterator[tuple[Finding, int]]:
    """Yield the findings to show, each with the number of further models that get the same advice."""
    models: dict[tuple[str, str], dict[str, None]] = {}
    for finding in findings:
        if finding.severity is Severity.INFO and finding.model:
            models.setdefault(_advice(finding), {})[finding.model] = None
    for finding in findings:
        same = models.get(_advice(finding), {}) if finding.severity is Severity.INFO else {}
        if len(same) < _FOLDED_FROM:
            yield finding, 0
        elif finding.model == next(iter(same)):
            yield finding, len(same) - 1


def _advice(finding: Finding) -> tuple[str, str]:
    """Return what is equal when a rule says the same of several models."""
    return finding.rule, finding.message.replace(finding.model, "") if finding.model else finding.message


def _finding(ink: Ink, finding: Finding, others: int, width: int) -> None:
    _headline(ink, finding, width)
    for line in wrap(printable(finding.message), width, _INDENT):
        ink.line(line)
    _excerpt(ink, finding, width)
    if finding.fix:
        first, *rest = wrap(printable(finding.fix), width, f"{_INDENT}     ", f"{_INDENT}fix: ")
        ink.add(f"{_INDENT}fix:", "bold green").line(first[len(_INDENT) + 4 :])
        for line in rest:
            ink.line(line)
    if others:
        ink.line(f"{_INDENT}and in {plural(others, 'more model')}", "dim")
    ink.line()


def _headline(ink: Ink, finding: Finding, width: int) -> None:
    """Add place, rule and severity, on two lines where they do not fit on one."""
    place = where(finding)
    mark = f"  {RED_LINE}" if finding.red_line else ""
    columns = cell_len(f"{place}  {finding.rule} {finding.slug}  {finding.severity.value}{mark}")
    if place:
        ink.add(place + ("  " if columns <= width else f"\n{_INDENT}"))
    ink.add(finding.rule, "bold").add(f" {finding.slug}  ").add(finding.severity.value, STYLES[finding.severity])
    ink.line(mark, "bold red")


def _excerpt(ink: Ink, finding: Finding, width: int) -> None:
    shown = excerpt(finding, width - len(_INDENT) - 1)
    if shown is None:
        return
    ink.add(f"{_INDENT}{shown.number} │ ", "blue").line(shown.line)
    ink.add(f"{_INDENT}{' ' * len(shown.number)} │ ", "blue")
    ink.line(f"{' ' * shown.offset}{'^' * shown.carets}", STYLES[finding.severity])


def _summary(ink: Ink, report: Report) -> None:
    summary = report.summary()
    numbers = {severity: summary[f"{severity.value}s"] for severity in Severity}
    counts = [(plural(number, one.value), STYLES[one]) for one, number in numbers.items() if number]
    if summary["red_lines"]:
        counts.append((f"{plural(summary['red_lines'], 'red line')} crossed", "bold red"))
    for number, (words, style) in enumerate(
        counts or [("Nothing new" if report.baselined else "Nothing found", "green")]
    ):
        ink.add(", " if number else "").add(words, style)
    ink.add(f" in {looked_at(summary)}")
    ink.line("" if report.seconds is None else f" ({report.seconds:.1f} s)", "dim")
    if left_out(report):
        ink.line(left_out(report), "dim")


def checklist(ink: Ink, items: Sequence[CheckItem], width: int) -> Ink:
    """Add the production-readiness checklist."""
    ink.line("Production readiness", "bold")
    room = max((cell_len(item.item) for item in items), default=0) + 6
    for item in items:
        box, style = _BOXES[item.state]
        reason = (
            f"not checked: {item.note}"
            if item.state == NOT_CHECKED
            else f"{listed(item.rules, MOST_RULES)} {item.note}"
        )
        first, *rest = wrap(reason, width, " " * room, f"{box} {item.item}".ljust(room))
        ink.add(first[: len(box)], style).line(first[len(box) :].rstrip())
        for line in rest:
            ink.line(line)
    return ink
