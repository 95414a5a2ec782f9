"""Error budgets: the least left first. Lists are sorted by the tables' vectors; words are for one page of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.daemon.facts.budget import Budget, BudgetList, Burn, Course, Objective
from triton_watch.daemon.facts.common import VERSION
from triton_watch.daemon.telling.parts import finite, is_named, number
from triton_watch.daemon.telling.versions import version_order
from triton_watch.records import VERDICTS, Verdict
from triton_watch.slo.report import rows_of
from triton_watch.wording import stories, words
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from triton_watch import records
    from triton_watch.daemon.state import BudgetsView, StateSource
    from triton_watch.records import BudgetTable, ReportRow, WindowSums

    _Place = tuple[BudgetTable, int]
    """A table and the column of one series in it."""


def budget_list(
    source: StateSource,
    now: float,
    *,
    target: str | None = None,
    model: str | None = None,
    slo: str | None = None,
    verdict: Verdict | None = None,
    offset: int = 0,
    limit: int = 100,
) -> BudgetList:
    """Return a page of the budgets that match, and all objectives."""
    view = source.budgets()
    found = [
        (order, place)
        for name, own in view.targets.items()
        if is_named(name, target)
        for table in own.tables
        for order, place in _matching(table, view, model, slo, verdict)
    ]
    found.sort(key=lambda one: one[0])
    return BudgetList(
        version=VERSION,
        at=now,
        total=len(found),
        offset=offset,
        limit=limit,
        objectives=tuple(_objective(one, view) for one in view.objectives),
        budgets=_told([place for _, place in found[offset : offset + limit]], view),
    )


def budgets_of(view: BudgetsView, target: str, key: records.ModelKey) -> tuple[Budget, ...]:
    """Return the budgets of one model version, the least left first."""
    own = view.targets.get(target)
    found = [
        (order, place)
        for table in (() if own is None else own.tables)
        for order, place in _matching(table, view, key.name, None, None)
        if table.sums.keys[place[1]].model == key
    ]
    return _told([place for _, place in sorted(found, key=lambda one: one[0])], view)


def courses_of(courses: Mapping[str, records.Course]) -> tuple[Course, ...]:
    """Return how the events of a model's budgets came about, as told; moments that are no numbers are left out."""
    return tuple(_course(slo, one) for slo, one in sorted(courses.items()))


def _matching(
    table: BudgetTable, view: BudgetsView, model: str | None, slo: str | None, verdict: Verdict | None
) -> Iterator[tuple[tuple[object, ...], _Place]]:
    """Yield the series that match and whose objectives still stand, with what sorts them."""
    standing = {name for name in _objectives_of(table, view) if is_named(name, slo)}
    remaining = np.where(np.isfinite(table.remaining), table.remaining, np.inf).tolist()
    codes = table.verdict.tolist()
    for column, key in enumerate(table.sums.keys):
        if (
            key.slo in standing
            and (model is None or is_named(key.model.name, model))
            and (verdict is None or verdict is VERDICTS[codes[column]])
        ):
            name, version, namespace = key.model
            order = (remaining[column], key.slo, key.target, name, version_order(version), namespace)
            yield order, (table, column)


def _objectives_of(table: BudgetTable, view: BudgetsView) -> Mapping[str, records.Objective]:
    """Return the objectives that the table was made with, by name: a reload swaps both, one after the other."""
    windows = set(table.sums.windows)
    return {
        one.name: one for one in view.objectives if one.period == table.sums.windows[-1] and one.burn_lengths <= windows
    }


def _told(page: Sequence[_Place], view: BudgetsView) -> tuple[Budget, ...]:
    """Judge the series of a page once more, table by table, to have their goals and windows in words."""
    columns: dict[int, tuple[BudgetTable, list[int]]] = {}
    for table, column in page:
        columns.setdefault(id(table), (table, []))[1].append(column)
    rows: dict[tuple[int, int], Budget] = {}
    for table, wanted in columns.values():
        sums = _narrowed(table.sums, wanted)
        slos = {key.slo for key in sums.keys}
        objectives = {name: one for name, one in _objectives_of(table, view).items() if name in slos}
        for column, row in zip(wanted, rows_of(sums, objectives, {}), strict=True):
            rows[id(table), column] = _budget(row)
    return tuple(rows[id(table), column] for table, column in page)


def _narrowed(sums: WindowSums, columns: list[int]) -> WindowSums:
    return replace(
        sums,
        keys=tuple(sums.keys[i] for i in columns),
        good=sums.good[:, columns],
        bad=sums.bad[:, columns],
        covered=sums.covered[columns],
        silence=sums.silence[columns],
    )


def _budget(row: ReportRow) -> Budget:
    return Budget(
        slo=whole(row.objective.name),
        sli=row.objective.sli,
        target=whole(row.targets[0]),
        model=whole(row.model),
        version=whole(row.version),
        namespace=whole(row.namespace),
        objective=row.goal.objective,
        goal=words.goal(row.objective, row.goal),
        period_seconds=row.objective.period,
        good=number(row.good),
        bad=number(row.bad),
        remaining=finite(row.remaining),
        exhaustion_seconds=finite(row.exhaustion),
        verdict=row.verdict,
        fires=None if row.fires is None else row.fires.severity,
        covered_seconds=number(row.covered),
        silence_seconds=finite(row.silence),
        windows=tuple(Burn(one.window, number(one.good), number(one.bad), finite(one.burn)) for one in row.windows),
    )


def _objective(one: records.Objective, view: BudgetsView) -> Objective:
    matched = sum(own.matched.get(one.name, 0) for own in view.targets.values())
    return Objective(whole(one.name), one.sli, whole(one.description), stories.promise(one), matched)


def _course(slo: str, course: records.Course) -> Course:
    known = np.isfinite(course.times) & np.isfinite(course.good) & np.isfinite(course.bad)
    at, good, bad = (tuple(values[known].tolist()) for values in (course.times, course.good, course.bad))
    return Course(whole(slo), at, good, bad)
