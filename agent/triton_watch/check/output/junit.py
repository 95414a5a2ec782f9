"""JUnit XML: a suite a repository, a case a model; errors and crossed red lines fail a case, the rest is its output.

A case has one `failure` with all its reasons, as most readers of the format show only the first. ASCII only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TextIO
from xml.sax.saxutils import escape

from triton_watch.check.output.text import heading, where
from triton_watch.check.roots import Roots
from triton_watch.records import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.check.report import Report
    from triton_watch.records import Finding

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE = {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"}


def write(report: Report, stream: TextIO) -> None:
    """Write a report, a suite at a time."""
    suites = _suites(report)
    failures = sum(_fails(finding) for cases in suites.values() for finding in _firsts(cases.values()))
    tests = sum(map(len, suites.values()))
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(f"<testsuites{_attributes(name='triton-watch check', tests=tests, failures=failures, errors=0)}>\n")
    for root, cases in suites.items():
        stream.writelines(_suite(root, cases, report))
    stream.write("</testsuites>\n")


def _suites(report: Report) -> dict[str, dict[str, list[Finding]]]:
    """Return the findings of each model (or file) of each root, those that fail first."""
    suites: dict[str, dict[str, list[Finding]]] = {
        root: {name: [] for name in report.checked.get(root, ())} for root in report.roots
    }
    roots = Roots(report.roots)
    for finding in report.findings:
        root = roots.split(finding.file or "")[0] or ""
        suites.setdefault(root, {}).setdefault(finding.model or finding.file or "", []).append(finding)
    for cases in suites.values():
        for findings in cases.values():
            findings.sort(key=lambda finding: not _fails(finding))
    return suites


def _fails(finding: Finding) -> bool:
    return finding.severity is Severity.ERROR or finding.red_line


def _firsts(cases: Iterable[list[Finding]]) -> Iterator[Finding]:
    """Yield the first finding of each case: one that fails, when there is any."""
    return (findings[0] for findings in cases if findings)


def _suite(root: str, cases: dict[str, list[Finding]], report: Report) -> Iterator[str]:
    failures = sum(map(_fails, _firsts(cases.values())))
    name = root or "triton-watch check"
    yield f"  <testsuite{_attributes(name=name, tests=len(cases), failures=failures, errors=0, skipped=0)}>\n"
    yield "    <properties>\n"
    yield f"      <property{_attributes(name='summary', value=heading(report))}/>\n"
    for item in report.checklist:
        value = " ".join([item.state, *item.rules, item.note]).rstrip()
        yield f"      <property{_attributes(name=item.item, value=value)}/>\n"
    yield "    </properties>\n"
    for case, findings in cases.items():
        yield from _case(name, case or root, findings)
    yield "  </testsuite>\n"


def _case(suite: str, name: str, findings: list[Finding]) -> Iterator[str]:
    opening = f"    <testcase{_attributes(classname=suite, name=name)}"
    if not findings:
        yield f"{opening}/>\n"
        return
    yield f"{opening}>\n"
    failures = [finding for finding in findings if _fails(finding)]
    if failures:
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        kind = "red line" if failures[0].severity is not Severity.ERROR else "error"
        title = f"{failures[0].rule} {failures[0].slug}: {failures[0].message}{more}"
        yield f"      <failure{_attributes(message=title, type=kind)}>{_text(failures)}</failure>\n"
    if len(failures) < len(findings):
        yield f"      <system-out>{_text(findings[len(failures) :])}</system-out>\n"
    yield "    </testcase>\n"


def _text(findings: list[Finding]) -> str:
    return _ascii(escape(_safe("\n".join(map(_lines, findings)))))


def _lines(finding: Finding) -> str:
    mark = " (red line)" if finding.red_line else ""
    first = f"{where(finding)}: {finding.severity.value} {finding.rule} {finding.slug}{mark}: {finding.message}"
    return first + (f"\n  fix: {finding.fix}" if finding.fix else "")


def _attributes(**attributes: object) -> str:
    return "".join(f' {name}="{_ascii(escape(_safe(str(value)), _ATTRIBUTE))}"' for name, value in attributes.items())


def _safe(text: str) -> str:
    """Return text without the characters that XML 1.0 has no way to write."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _ascii(text: str) -> str:
    return text.encode("ascii", "xmlcharrefreplace").decode()
