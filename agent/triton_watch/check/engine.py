"""Runs rules over subjects and makes findings of their hits. A rule that crashes is a finding, not an abort."""

from __future__ import annotations

import traceback
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from triton_watch.records import Confidence, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from triton_watch.check.options import Options
    from triton_watch.check.rule import Hit, Rule, Scope

_MOST_HITS = 200
"""Hits of one rule on one subject; a hostile file must not print a million lines."""
_LONGEST_SOURCE = 300


def run_rules(rules: Sequence[Rule], scope: Scope, subject: object, options: Options) -> list[Finding]:
    """Return the findings of all rules of one scope on one subject, at most `_MOST_HITS` of each rule."""
    found: list[Finding] = []
    for rule in rules:
        if rule.scope is not scope:
            continue
        try:
            for hit in islice(rule.check(subject, options), _MOST_HITS):
                found.append(finding_of(rule, hit))  # noqa: PERF401  # what came before a crash is kept
        except Exception as error:  # noqa: BLE001  # whatever a rule does wrong, the others still run
            found.append(crashed(rule, subject, error))
    return found


def crashed(rule: Rule, subject: object, error: Exception) -> Finding:
    """Make the finding of a rule that crashed: a defect of ours, so it says where."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Finding(
        rule="TW001",
        slug="rule-crashed",
        severity=Severity.WARNING,
        confidence=Confidence.HIGH,
        message=(
            f"rule {rule.id} ({rule.slug}) crashed: {type(error).__name__}: {error} "
            f"({Path(frame.filename).name}:{frame.lineno}); its other findings here may be missing"
        ),
        model=getattr(subject, "name", None),
        file=str(getattr(subject, "path", "")) or None,
        fix="report it with the file that triggers it; `--ignore " + rule.id + "` goes on without the rule",
    )


def finding_of(rule: Rule, hit: Hit) -> Finding:
    """Make a finding of a hit."""
    line = column = source = None
    width = 1
    if hit.span is not None:
        line, column = hit.span.line, hit.span.column
        source, width = excerpt(hit)
    severity = hit.severity or rule.severity
    return Finding(
        rule=rule.id,
        slug=rule.slug,
        severity=severity,
        confidence=hit.confidence or rule.confidence,
        message=hit.message,
        model=hit.model,
        file=None if hit.file is None else str(hit.file),
        line=line,
        column=column,
        fix=hit.fix,
        red_line=rule.red_line is not None if hit.red_line is None else hit.red_line,
        source=source,
        width=width,
    )


def excerpt(hit: Hit) -> tuple[str | None, int]:
    """Return the line that a hit points into, and how many of its characters are meant."""
    if hit.text is None or hit.span is None:
        return None, 1
    start = hit.text.rfind("\n", 0, hit.span.start) + 1
    end = hit.text.find("\n", hit.span.start)
    line = hit.text[start : end if end >= 0 else None]
    width = min(hit.span.end, start + len(line)) - hit.span.start
    if hit.span.start - start >= _LONGEST_SOURCE:
        return None, max(1, width)
    return line[:_LONGEST_SOURCE].rstrip("\r"), max(1, width)


def sort_key(finding: Finding) -> tuple[str | int | bool, ...]:
    """Order of findings: by model, file, place, rule; then by whatever else tells two apart."""
    return (
        finding.model or "",
        finding.file or "",
        finding.line or 0,
        finding.column or 0,
        finding.rule,
        finding.message,
        finding.fix or "",
        finding.source or "",
        finding.fix is None,
        finding.source is None,
        finding.model is None,
        finding.file is None,
        finding.line is None,
        finding.column is None,
        finding.width,
    )


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order in which all formats print them."""
    return sorted(set(findings), key=sort_key)
