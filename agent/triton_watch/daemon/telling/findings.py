"""Findings of the live configurations: errors first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.daemon.facts.common import VERSION
from triton_watch.daemon.facts.finding import Finding, FindingCounts, FindingList
from triton_watch.daemon.telling.parts import is_named, sentence
from triton_watch.records import Severity
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch import records
    from triton_watch.daemon.state import StateSource

    _Found = tuple[str, records.Finding]


def finding_list(
    source: StateSource,
    now: float,
    *,
    target: str | None = None,
    model: str | None = None,
    severity: Severity | None = None,
    offset: int = 0,
    limit: int = 100,
) -> FindingList:
    """Return a page of the findings that match. The counts are of all of them, whatever their severity."""
    found = found_of(source, target, model)
    matching = [one for one in found if severity in (None, one[1].severity)]
    checked = source.alerts().findings
    return FindingList(
        version=VERSION,
        at=now,
        total=len(matching),
        offset=offset,
        limit=limit,
        counts=finding_counts(found),
        unchecked=tuple(whole(n) for n in sorted(source.targets()) if n not in checked and is_named(n, target)),
        findings=tuple(told(*one) for one in matching[offset : offset + limit]),
    )


def found_of(source: StateSource, target: str | None = None, model: str | None = None) -> list[_Found]:
    """Return the findings of these with their targets, sorted: the heaviest first."""
    every = [
        (name, one)
        for name, findings in source.alerts().findings.items()
        if is_named(name, target)
        for one in findings
        if model is None or (one.model is not None and is_named(one.model, model))
    ]
    return sorted(every, key=_order)


def finding_counts(found: Sequence[_Found]) -> FindingCounts:
    """Count findings by their weight."""
    weights = [one.severity for _, one in found]
    return FindingCounts(
        error=weights.count(Severity.ERROR),
        warning=weights.count(Severity.WARNING),
        info=weights.count(Severity.INFO),
        red_lines=sum(one.red_line for _, one in found),
    )


def told(target: str, one: records.Finding) -> Finding:
    """Return a finding as told."""
    return Finding(
        target=whole(target),
        rule=one.rule,
        slug=one.slug,
        severity=one.severity,
        confidence=one.confidence,
        red_line=one.red_line,
        message=sentence(one.message),
        fix=_whole(one.fix),
        model=_whole(one.model),
        file=_whole(one.file),
        line=one.line,
        column=one.column,
        source=_whole(one.source),
        width=one.width,
    )


def _whole(text: str | None) -> str | None:
    return None if text is None else whole(text)


def _order(found: _Found) -> tuple[object, ...]:
    target, one = found
    return one.severity.rank, not one.red_line, target, one.model or "", one.file or "", one.line or 0, one.rule
