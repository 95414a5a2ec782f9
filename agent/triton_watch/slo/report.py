"""From events, wherever they were read, to the rows of a report: added up, judged, the worst first."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import (
    VERDICTS,
    BudgetTable,
    Course,
    FloatArray,
    ModelKey,
    Objective,
    Report,
    ReportRow,
    SeriesKey,
    Verdict,
    WindowBurn,
    WindowSums,
)
from triton_watch.slo.budget import goals_of, judge
from triton_watch.slo.words import budget_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_WORST_FIRST = (Verdict.EXHAUSTED, Verdict.BURNING, Verdict.NO_DATA, Verdict.OK)


def added_up(sums: WindowSums) -> tuple[WindowSums, Mapping[SeriesKey, tuple[str, ...]]]:
    """Add up the events of one model over targets, and say over which; the target of the sums' keys is empty.

    Events are added and never ratios. A sum is covered as long as its longest-watched part, and as silent
    as its least silent one.
    """
    parts: dict[SeriesKey, list[int]] = defaultdict(list)
    for column, key in enumerate(sums.keys):
        parts[key._replace(target="")].append(column)
    groups = list(parts.values())
    summed = WindowSums(
        at=sums.at,
        keys=tuple(parts),
        windows=sums.windows,
        good=_per_group(sums.good, groups, np.add),
        bad=_per_group(sums.bad, groups, np.add),
        covered=_per_group(sums.covered, groups, np.fmax),
        silence=_per_group(sums.silence, groups, np.fmin),
    )
    targets = {key: tuple(sorted({sums.keys[i].target for i in columns})) for key, columns in parts.items()}
    return summed, targets


def silent_targets(sums: WindowSums, objectives: Mapping[str, Objective]) -> Iterator[str]:
    """Yield a sentence for each of several targets that has no data: a sum with others hides that it ended."""
    rest: dict[str, list[float]] = defaultdict(list)
    for key, silence in zip(sums.keys, sums.silence.tolist(), strict=True):
        rest[key.target].append(silence if not silence <= objectives[key.slo].no_data_after else 0.0)
    for target, silences in sorted(rest.items()) if len(rest) > 1 else ():
        if all(silence != 0 for silence in silences):
            known = [silence for silence in silences if np.isfinite(silence)]
            long = f"no data for {budget_words(min(known))}" if known else "no data yet"
            yield f"target {target} has had {long}: its part of the sums ends there (--per-target shows it)."


def joined(parts: Sequence[WindowSums]) -> WindowSums:
    """Put sums of the same windows side by side, such as those of several targets."""
    first = parts[0]
    return WindowSums(
        at=max(part.at for part in parts),
        keys=tuple(key for part in parts for key in part.keys),
        windows=first.windows,
        good=np.concatenate([part.good for part in parts], axis=1),
        bad=np.concatenate([part.bad for part in parts], axis=1),
        covered=np.concatenate([part.covered for part in parts]),
        silence=np.concatenate([part.silence for part in parts]),
    )


def rows_of(
    sums: WindowSums,
    objectives: Mapping[str, Objective],
    targets: Mapping[SeriesKey, tuple[str, ...]],
    course: Callable[[SeriesKey], Course | None] = lambda _: None,
) -> list[ReportRow]:
    """Return a row for each series; `targets` says what was added up, where a key does not.

    All objectives have the period of `sums`.
    """
    table = judge(sums, goals_of(sums.keys, objectives))
    return [
        _row(table, column, objectives[key.slo], targets.get(key, (key.target,)), course(key))
        for column, key in enumerate(sums.keys)
    ]


def worst_first(rows: Iterable[ReportRow]) -> tuple[ReportRow, ...]:
    """Sort rows by verdict, then by what is left of the budget, then by name."""
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                _WORST_FIRST.index(row.verdict),
                row.remaining if row.remaining is not None else np.inf,
                row.objective.name,
                ModelKey(row.model, row.version, row.namespace),
                row.targets,
            ),
        )
    )


def summed_course(courses: Sequence[Course]) -> Course | None:
    """Add up courses: each stands at its last known sums between its moments."""
    if not courses:
        return None
    times = np.unique(np.concatenate([one.times for one in courses]))
    good, bad = np.zeros(len(times)), np.zeros(len(times))
    for one in courses:
        place = np.searchsorted(one.times, times, side="right") - 1
        good += np.where(place >= 0, one.good[place], 0.0)
        bad += np.where(place >= 0, one.bad[place], 0.0)
    return Course(times, good, bad)


def assemble(
    source: str,
    at: float,
    objectives: Sequence[Objective],
    rows: Iterable[ReportRow],
    warnings: Sequence[str] = (),
) -> Report:
    """Put a report together; `at` is Unix seconds. An objective without a row is a warning."""
    sorted_rows = worst_first(rows)
    seen = {row.objective.name for row in sorted_rows}
    empty = [
        f"{one.name} matches no model that has its indicator ({one.sli.value}): look at its models and targets."
        for one in objectives
        if one.name not in seen
    ]
    return Report(at, source, tuple(objectives), sorted_rows, (*warnings, *empty))


def _per_group(values: FloatArray, groups: Sequence[Sequence[int]], add: np.ufunc) -> FloatArray:
    """Reduce the last axis, group by group."""
    if not groups:
        return values[..., :0]
    order = np.concatenate([np.asarray(group, dtype=np.intp) for group in groups])
    starts = np.cumsum([0, *(len(group) for group in groups[:-1])])
    reduced: FloatArray = add.reduceat(values[..., order], starts, axis=-1)
    return reduced


def _row(
    table: BudgetTable, column: int, objective: Objective, targets: tuple[str, ...], course: Course | None
) -> ReportRow:
    sums, key = table.sums, table.sums.keys[column]
    fires = int(table.fires[column])
    return ReportRow(
        objective=objective,
        goal=objective.goal_of(key.model.name),
        model=key.model.name,
        version=key.model.version,
        namespace=key.model.namespace,
        targets=targets,
        good=float(sums.good[-1, column]),
        bad=float(sums.bad[-1, column]),
        covered=float(sums.covered[column]),
        remaining=_known(table.remaining[column]),
        exhaustion=_known(table.exhaustion[column]),
        verdict=VERDICTS[table.verdict[column]],
        fires=table.tiers[fires] if fires >= 0 else None,
        silence=_known(sums.silence[column]),
        windows=tuple(
            WindowBurn(window, float(sums.good[i, column]), float(sums.bad[i, column]), _known(table.burn[i, column]))
            for i, window in enumerate(sums.windows)
        ),
        course=course,
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
