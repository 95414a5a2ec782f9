"""Facts of findings that several formats print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.wording.text import plural, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.check.report import Report
    from triton_watch.records import Finding

MOST_RULES = 8
"""Ids of rules that people are shown for one box of the checklist; programs get all."""


def where(finding: Finding) -> str:
    """Return `file:line:column` as far as known, or the model, or empty."""
    return printable(finding.place or finding.model or "")


def heading(report: Report) -> str:
    """Return `3 errors, 5 warnings, 2 red lines in 12 models`."""
    summary = report.summary()
    kinds = (("errors", "error"), ("warnings", "warning"), ("infos", "info"), ("red_lines", "red line"))
    counts = [plural(summary[key], noun) for key, noun in kinds if summary[key]]
    nothing = "nothing new" if report.baselined else "nothing found"
    return f"{', '.join(counts) or nothing} in {looked_at(summary)}"


def looked_at(summary: Mapping[str, int]) -> str:
    """Return `12 models of 2 repositories, 1 manifest`."""
    parts = []
    if summary["repositories"] or summary["models"]:
        models = plural(summary["models"], "model")
        parts.append(f"{models} of {summary['repositories']:,} repositories" if summary["repositories"] > 1 else models)
    if summary["manifests"]:
        parts.append(plural(summary["manifests"], "manifest"))
    if summary["live"]:
        parts.append(plural(summary["live"], "live server"))
    return ", ".join(parts) or "nothing"


def left_out(report: Report) -> str:
    """Return `3 suppressed, 12 in the baseline`, or empty."""
    parts = []
    if report.suppressed:
        parts.append(f"{report.suppressed:,} suppressed")
    if report.baselined:
        parts.append(f"{report.baselined:,} in the baseline")
    return ", ".join(parts)
