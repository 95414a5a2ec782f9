"""Budgets as pages show them: the words of reports, burn windows, and the charts of their course."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.conventions import paths
from triton_watch.daemon.site.budget_bar import BudgetBar, budget_bar
from triton_watch.records import Course, Goal, Objective, ReportRow, Verdict, WindowBurn
from triton_watch.wording import words
from triton_watch.wording.cells import lasts
from triton_watch.wording.charts import charts
from triton_watch.wording.stories import story
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.daemon.facts import budget as facts
    from triton_watch.daemon.site.visit import Visit
    from triton_watch.wording.charts import Charts

_NEARLY: Final = 0.99
"""Of a window: watched for so much of it, it was watched."""


@dataclass(frozen=True, slots=True)
class Window:
    """One window in words. `hot`: it burns faster than the budget allows. `short`: it was not watched for all of it."""

    name: str
    events: str
    burn: str
    hot: bool
    short: bool


@dataclass(frozen=True, slots=True)
class BudgetView:
    """A budget in words. `covered` is for how long it was watched; `charts` None = nothing to draw."""

    budget: facts.Budget
    href: str
    verdict: str
    left: BudgetBar
    events: str
    lasts: str
    covered: str
    watched: str
    story: str
    windows: tuple[Window, ...]
    charts: Charts | None

    @property
    def few(self) -> tuple[Window, ...]:
        """The shortest window, the middle one, and the period: what a list has room for."""
        every = self.windows
        return tuple(every[i] for i in sorted({0, len(every) // 2, len(every) - 1})) if every else ()


def budget_view(
    visit: Visit, budget: facts.Budget, course: facts.Course | None = None, *, is_wrong: bool = False
) -> BudgetView:
    """Return a budget in words, with charts where its course is given. `is_wrong`: its model is."""
    covered = min(budget.covered_seconds, budget.period_seconds)
    row = _row(budget, course)
    return BudgetView(
        budget,
        visit.link.to(paths.model_page(budget.target, budget.model, budget.version, budget.namespace)),
        words.judged(budget.verdict, budget.fires),
        budget_bar(budget.remaining, budget.verdict, is_wrong=is_wrong),
        _events(row, budget.good, budget.bad),
        lasts(row),
        words.span(covered),
        f"{words.span(covered)} of {words.span(budget.period_seconds)}",
        _story(row, fires=budget.fires is not None),
        tuple(
            Window(
                words.brief(one.window_seconds),
                _events(row, one.good, one.bad),
                words.pace(one.burn),
                hot=(one.burn or 0) > 1,
                short=one.burn is not None and covered < _NEARLY * one.window_seconds,
            )
            for one in budget.windows
        ),
        None if course is None or not course.at else charts(row, course.at[-1]),
    )


def courses_by_slo(courses: tuple[facts.Course, ...]) -> Mapping[str, facts.Course]:
    """Return the courses by the name of their objective."""
    return {one.slo: one for one in courses}


def _story(row: ReportRow, *, fires: bool) -> str:
    said = story(row, fires=fires)
    return said[0].upper() + said[1:]


def _events(row: ReportRow, good: float, bad: float) -> str:
    if not good + bad > 0:
        return NO_DATA
    return f"{words.amount(row.objective, bad)} of {words.amount(row.objective, good + bad)}"


def _row(budget: facts.Budget, course: facts.Course | None) -> ReportRow:
    """Return the row of a report that says the same, for the words and the drawings that reports have."""
    goal = Goal(budget.objective)
    return ReportRow(
        objective=Objective(budget.slo, budget.sli, goal, budget.period_seconds, ()),
        goal=goal,
        model=budget.model,
        version=budget.version,
        namespace=budget.namespace,
        targets=(budget.target,),
        good=budget.good,
        bad=budget.bad,
        covered=budget.covered_seconds,
        remaining=budget.remaining,
        exhaustion=None if budget.verdict is Verdict.NO_DATA else budget.exhaustion_seconds,
        verdict=budget.verdict,
        fires=None,  # a fact tells who is told, not by which window: the windows stand beside it
        silence=budget.silence_seconds,
        windows=tuple(WindowBurn(one.window_seconds, one.good, one.bad, one.burn) for one in budget.windows),
        course=None if course is None else _course(course),
    )


def _course(course: facts.Course) -> Course:
    return Course(np.array(course.at), np.array(course.good), np.array(course.bad))
