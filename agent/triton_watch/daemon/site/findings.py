"""The page of findings: what is wrong with the live configuration, errors first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.conventions import paths
from triton_watch.daemon.site import asking
from triton_watch.daemon.site.parts import choices, finding_row
from triton_watch.daemon.site.visit import Page, pager
from triton_watch.daemon.telling.findings import finding_list
from triton_watch.records.finding import Severity

if TYPE_CHECKING:
    from enum import Enum

    from triton_watch.daemon.site.visit import Visit

NAMES: Final = ("severity", "target", "model", "page")


def findings(visit: Visit) -> Page:
    """The page; the query filters."""
    values = asking.values_of(visit.query, NAMES)
    target = asking.of_target(values, visit.targets)
    severities = asking.kinds(values, "severity", Severity)
    page, length = asking.page_of(values), asking.PAGE_LENGTH
    found = finding_list(
        visit.source,
        visit.at,
        target=target,
        model=asking.one(values, "model"),
        severity=severities[-1] if severities else None,
        offset=(page - 1) * length,
        limit=length,
    )
    counts: dict[Enum, int | None] = {
        Severity.ERROR: found.counts.error,
        Severity.WARNING: found.counts.warning,
        Severity.INFO: found.counts.info,
    }
    return Page(
        "findings",
        "Findings",
        "findings",
        {
            "found": found,
            "target": target,
            "model": asking.one(values, "model"),
            "severity": severities[-1] if severities else None,
            "target_names": visit.targets,
            "choices": choices(visit, values, "severity", counts, severities[-1:]),
            "findings": [finding_row(visit, one) for one in found.findings],
            "pager": pager(visit, values, page, length, found.total),
            "everything": visit.link.to(paths.FINDINGS),
        },
    )
