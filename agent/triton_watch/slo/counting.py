"""Which series of a ledger a table of SLIs feeds, decided once for a set of models, and its events each cycle."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import ConfigVectors, Goal, ModelIndex, Objective, SeriesKey, SliTable, SloSli
from triton_watch.slo.events import Events, Scope, applies, events_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The models of one objective with one served quantile: their rows, their series, and where those lie."""

    slo: str
    sli: SloSli
    scope: Scope
    keys: tuple[SeriesKey, ...]
    columns: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All parts, for one set of models, families and configurations. `refused` is how many series have no column."""

    models: ModelIndex
    configs: ConfigVectors
    families: frozenset[str]
    parts: tuple[Part, ...]
    refused: int = 0

    @property
    def keys(self) -> tuple[SeriesKey, ...]:
        """The series of all parts."""
        return tuple(key for part in self.parts for key in part.keys)

    def fits(self, table: SliTable) -> bool:
        """Whether it is still the plan for this table."""
        return (
            self.models is table.models
            and self.configs is table.configs
            and (self.families is table.frame.families or self.families == table.frame.families)
        )

    def on(self, column: Mapping[SeriesKey, int]) -> Plan:
        """The plan with the series' columns; those without one are left out and counted as refused."""
        parts = tuple(_placed(part, column) for part in self.parts)
        return replace(self, parts=parts, refused=len(self.keys) - sum(len(part.keys) for part in parts))


def plan_of(objectives: tuple[Objective, ...], target: str, table: SliTable) -> Plan:
    """Return the plan for a table: which models the objectives cover, where the server serves their indicator."""
    parts = tuple(part for objective in objectives for part in _parts(objective, target, table))
    return Plan(table.models, table.configs, table.frame.families, parts)


def count(plan: Plan, table: SliTable, *, has_gap: bool = False) -> Iterator[tuple[Events, NDArray[np.intp], str]]:
    """Yield the events of the table's interval with their columns and the name of their objective.

    Requests were counted by the server through a gap; of seconds inside it nobody knows whether there was traffic.
    """
    for part in plan.parts:
        if has_gap and part.sli.is_time_based:
            continue
        yield events_of(part.sli, table, part.scope), part.columns, part.slo


def _parts(objective: Objective, target: str, table: SliTable) -> Iterator[Part]:
    covered = [row for row, key in enumerate(table.models.keys) if objective.covers(target, key.name)]
    rows = np.array(covered, dtype=np.intp)
    rows = rows[applies(objective.sli, table, rows)]
    by_quantile: dict[str | None, list[tuple[int, Goal]]] = defaultdict(list)
    for row in rows.tolist():
        goal = objective.goal_of(table.models.keys[row].name)
        by_quantile[goal.quantile].append((row, goal))
    for quantile, members in by_quantile.items():
        yield _part(objective, target, table, quantile, members)


def _part(
    objective: Objective, target: str, table: SliTable, quantile: str | None, members: list[tuple[int, Goal]]
) -> Part:
    rows = np.array([row for row, _ in members], dtype=np.intp)
    low = np.array([np.nan if goal.low is None else goal.low for _, goal in members])
    high = np.array([np.nan if goal.high is None else goal.high for _, goal in members])
    keys = tuple(SeriesKey(objective.name, target, table.models.keys[row]) for row, _ in members)
    scope = Scope(rows, low, high, quantile)
    return Part(objective.name, objective.sli, scope, keys, np.zeros(len(keys), dtype=np.intp))


def _placed(part: Part, column: Mapping[SeriesKey, int]) -> Part:
    has = np.array([key in column for key in part.keys], dtype=np.bool_)
    keys = tuple(key for key in part.keys if key in column)
    scope = Scope(part.scope.rows[has], part.scope.low[has], part.scope.high[has], part.scope.quantile)
    return Part(part.slo, part.sli, scope, keys, np.array([column[key] for key in keys], dtype=np.intp))
