"""SARIF 2.1.0, for GitHub code scanning and other viewers: every rule that ran, a result a finding. ASCII only."""

from __future__ import annotations

import json
import os
import re
from importlib.metadata import metadata
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote, quote_from_bytes

from triton_watch.check.baseline import fingerprints
from triton_watch.check.rules_docs import anchor, details
from triton_watch.records import Confidence, Severity
from triton_watch.version import __version__
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from triton_watch.check.report import Report
    from triton_watch.check.rule import Rule
    from triton_watch.records import Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_PRECISION = {Confidence.HIGH: "high", Confidence.MEDIUM: "medium", Confidence.LOW: "low"}
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_BASE_TEXT = "The directory in which triton-watch ran."
_URL_SAFE = "/:?#[]@!$&'()*+,;=%~"


def write(report: Report, stream: TextIO) -> None:
    """Write a report, a result at a time."""
    index = {rule.id: number for number, rule in enumerate(report.rules)}
    stream.write(f'{{\n"$schema": "{SCHEMA}",\n"version": "2.1.0",\n"runs": [{{\n')
    stream.write('"tool": {"driver": {\n')
    stream.write(
        f'"name": "triton-watch",\n"version": "{__version__}",\n"semanticVersion": "{__version__}",\n"rules": ['
    )
    docs = _docs_page()
    stream.writelines(_joined(rule_descriptor(rule, docs) for rule in report.rules))
    stream.write(']}},\n"columnKind": "unicodeCodePoints",\n')
    stream.write(f'"originalUriBaseIds": {json.dumps({BASE: {"description": {"text": _BASE_TEXT}}})},\n')
    stream.write(f'"properties": {json.dumps(_properties(report))},\n"results": [')
    prints = fingerprints(report.findings, report.roots)
    stream.writelines(_joined(_result(one, index, print_) for one, print_ in zip(report.findings, prints, strict=True)))
    stream.write("]\n}]\n}\n")


def _docs_page() -> str | None:
    """Return where the rules' page is published: known once the package's metadata names its documentation."""
    for entry in metadata("triton-watch").get_all("Project-URL") or ():
        label, _, url = entry.partition(",")
        if label.strip().lower() == "documentation":
            return f"{url.strip().rstrip('/')}/rules.md"
    return None


def rule_descriptor(rule: Rule, docs: str | None = None) -> dict[str, Any]:
    """Return SARIF's reportingDescriptor of a rule. `docs` is the URL of the page with all rules, when there is one."""
    text = f"{rule.title}.\n\n{rule.problem}\n\nWhy: {rule.why}\n\nSource: {rule.source}"
    described: dict[str, Any] = {
        "id": rule.id,
        "name": rule.slug,
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.problem},
        "help": {"text": text, "markdown": details(rule)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": _tags(rule), "precision": _PRECISION[rule.confidence]},
    }
    if docs:
        described["helpUri"] = f"{docs}#{anchor(rule)}"
    return described


def _tags(rule: Rule) -> list[str]:
    return sorted({"triton", rule.scope.value, *(["red-line"] if rule.red_line else [])})


def _properties(report: Report) -> dict[str, object]:
    checklist = [{"item": item.item, "state": item.state, "rules": list(item.rules)} for item in report.checklist]
    return {"checklist": checklist, "summary": report.summary()}


def _result(finding: Finding, index: Mapping[str, int], fingerprint: str) -> dict[str, Any]:
    fix = f"\nFix: {finding.fix}" if finding.fix else ""
    result: dict[str, Any] = {"ruleId": finding.rule}
    if finding.rule in index:
        result["ruleIndex"] = index[finding.rule]
    result |= {
        "level": _LEVELS[finding.severity],
        "message": {"text": whole(f"{finding.message}{fix}")},
        "locations": [_location(finding)] if finding.file or finding.model else [],
        "partialFingerprints": {"tritonWatch/v1": fingerprint},
        "properties": {"redLine": finding.red_line, "confidence": finding.confidence.value},
    }
    return result


def _location(finding: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if finding.file:
        physical: dict[str, Any] = {"artifactLocation": artifact(finding.file)}
        if finding.line:
            physical["region"] = _region(finding, finding.line)
        location["physicalLocation"] = physical
    if finding.model:
        location["logicalLocations"] = [{"name": whole(finding.model), "kind": "module"}]
    return location


def _region(finding: Finding, line: int) -> dict[str, int]:
    if not finding.column:
        return {"startLine": line}
    return {"startLine": line, "startColumn": finding.column, "endColumn": finding.column + finding.width}


def artifact(file: str) -> dict[str, str]:
    """Return SARIF's artifactLocation: a path below the working directory is relative, the rest is absolute."""
    if _URL.match(file):
        return {"uri": quote(whole(file), safe=_URL_SAFE)}
    path = os.path.normpath(file)
    if path.startswith("..") and path.split("/")[0] == "..":
        path = os.path.abspath(path)  # noqa: PTH100  # Path.resolve would follow links
    uri = _quote_bytes(path)
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": BASE}


def _quote_bytes(path: str) -> str:
    """Percent-encode a path, its bytes that are no UTF-8 as they are on the disk."""
    try:
        return quote_from_bytes(path.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        return quote(whole(path))


def _joined(objects: Iterable[dict[str, Any]]) -> Iterator[str]:
    separator = "\n"
    for one in objects:
        yield separator + json.dumps(one)
        separator = ",\n"
