"""The page of objectives: what is promised, and what is left of each error budget, the least first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.conventions import paths
from triton_watch.daemon.site import asking
from triton_watch.daemon.site.budget_parts import budget_view
from triton_watch.daemon.site.parts import choices
from triton_watch.daemon.site.visit import Page, again, pager
from triton_watch.daemon.telling.budgets import budget_list
from triton_watch.records.budget import Verdict

if TYPE_CHECKING:
    from triton_watch.daemon.site.visit import Visit

NAMES: Final = ("verdict", "slo", "target", "model", "page")
_ORDER: Final = (Verdict.EXHAUSTED, Verdict.BURNING, Verdict.NO_DATA, Verdict.OK)


def slo(visit: Visit) -> Page:
    """The page; the query filters the budgets."""
    values = asking.values_of(visit.query, NAMES)
    verdicts = asking.kinds(values, "verdict", Verdict)
    target = asking.of_target(values, visit.targets)
    name = asking.one(values, "slo")
    page, length = asking.page_of(values), asking.PAGE_LENGTH
    found = budget_list(
        visit.source,
        visit.at,
        target=target,
        model=asking.one(values, "model"),
        slo=name,
        verdict=verdicts[-1] if verdicts else None,
        offset=(page - 1) * length,
        limit=length,
    )
    return Page(
        "slo",
        "Objectives and error budgets",
        "slo",
        {
            "found": found,
            "target": target,
            "model": asking.one(values, "model"),
            "name": name,
            "verdict": verdicts[-1] if verdicts else None,
            "target_names": visit.targets,
            "choices": choices(visit, values, "verdict", dict.fromkeys(_ORDER), verdicts[-1:]),
            "objectives": [(one, again(visit, {}, slo=[one.name])) for one in found.objectives],
            "budgets": [budget_view(visit, one) for one in found.budgets],
            "pager": pager(visit, values, page, length, found.total),
            "everything": visit.link.to(paths.BUDGETS),
        },
    )
