"""The page of objectives: what is promised, and what is left of each error budget, the least first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.conventions import paths
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.site import asking
from triton_watch.daemon.site.budget_parts import BudgetView, budget_view
from triton_watch.daemon.site.parts import choices
from triton_watch.daemon.site.visit import Page, again, pager
from triton_watch.daemon.telling.budgets import budget_list
from triton_watch.daemon.telling.views import views
from triton_watch.records.budget import Verdict
from triton_watch.wording.text import plural, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from triton_watch.daemon.facts.budget import Budget
    from triton_watch.daemon.site.visit import Visit

NAMES: Final = ("verdict", "slo", "target", "model", "page")
_ORDER: Final = (Verdict.EXHAUSTED, Verdict.BURNING, Verdict.NO_DATA, Verdict.OK)


class Group(NamedTuple):
    """Budgets of one table; `folded` is what stands in its place until it is unfolded, "" = it is seen."""

    folded: str
    budgets: list[BudgetView]


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
            "groups": _groups(_views(visit, found.budgets, target), found.total, fold=not verdicts),
            "pager": pager(visit, values, page, length, found.total),
            "everything": visit.link.to(paths.BUDGETS),
        },
    )


def _views(visit: Visit, budgets: Iterable[Budget], target: str | None) -> list[BudgetView]:
    wrong = {
        tuple(map(whole, (row.target, *row.key)))
        for view in views(visit.source, visit.at, target)
        for row in view.rows
        if row.standing is Standing.WRONG
    }
    return [
        budget_view(visit, one, is_wrong=(one.target, one.model, one.version, one.namespace) in wrong)
        for one in budgets
    ]


def _groups(budgets: Sequence[BudgetView], total: int, *, fold: bool) -> list[Group]:
    """Return the budgets to look at, then those that are well: folded, where there are others to see.

    `total` counts the budgets of all pages.
    """
    well = [one for one in budgets if one.budget.verdict is Verdict.OK]
    rest = [one for one in budgets if one.budget.verdict is not Verdict.OK]
    if not (fold and well and rest):
        return [Group("", list(budgets))] if budgets else []
    of = "" if len(budgets) == total else " of this page"
    verb = "is" if len(well) == 1 else "are"
    return [Group("", rest), Group(f"{plural(len(well), 'budget')}{of} {verb} ok", well)]
