"""Each target with its models judged, made once for each state: what all answers are formed of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.daemon.describe import model_rows
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.telling.left import Left, left_of
from triton_watch.daemon.telling.memo import Memo
from triton_watch.daemon.telling.parts import is_named, sentence
from triton_watch.daemon.telling.standings import Evidence, Knowledge, judged
from triton_watch.daemon.telling.troubles import is_silent, troubles_in, troubles_of
from triton_watch.daemon.telling.versions import version_order
from triton_watch.records import ModelKey
from triton_watch.slo.serving import is_stale

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triton_watch.daemon.state import StateSource
    from triton_watch.daemon.telling.troubles import Troubles
    from triton_watch.records import BudgetTable, CanaryState, ModelState, Target, TargetSnapshot
    from triton_watch.slo.troubles import Trouble


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One model version on one target, judged. `order` sorts rows of all targets: trouble, then budget left."""

    target: str
    key: ModelKey
    state: ModelState | None
    standing: Standing
    headline: str
    canary: CanaryState | None
    left: Left | None
    order: tuple[object, ...]

    @property
    def counts(self) -> bool:
        """Whether it is one of the models that somebody wants to be served."""
        return self.standing is not Standing.UNLOADED


@dataclass(frozen=True, slots=True, eq=False)
class TargetView:
    """One target. `troubles` are all of them, by model; None is the server. `rows` are sorted, the worst first."""

    target: Target
    snapshot: TargetSnapshot | None
    knowledge: Knowledge
    canaries: Mapping[ModelKey, CanaryState]
    tables: tuple[BudgetTable, ...]
    troubles: Troubles
    rows: tuple[Row, ...]
    counts: Mapping[Standing, int]

    @property
    def is_heard(self) -> bool:
        """Whether what is known of it holds now."""
        return self.knowledge is Knowledge.HEARD

    def troubles_of(self, key: ModelKey) -> list[Trouble]:
        """The troubles of one model, problems first."""
        return troubles_of(self.troubles, key)


_NOTHING: Final[Mapping[ModelKey, CanaryState]] = MappingProxyType({})
_ROWS: Final[Memo[list[tuple[ModelKey, ModelState | None]]]] = Memo()
_LEFT: Final[Memo[Mapping[ModelKey, Left]]] = Memo()
_VIEWS: Final[Memo[TargetView]] = Memo()


def views(source: StateSource, now: float, target: str | None = None) -> tuple[TargetView, ...]:
    """Return the targets by name, or the one of that name, as they stand at Unix time `now`."""
    snapshots, canaries, budgets = source.snapshots(), source.canaries(), source.budgets().targets
    found = []
    for name, one in sorted(source.targets().items()):
        if is_named(name, target):
            own = budgets.get(name)
            tables = () if own is None else own.tables
            snapshot, states = snapshots.get(name), canaries.get(name, _NOTHING)
            parts = (one, snapshot, _knowledge(snapshot, now), states, tables)
            found.append(_VIEWS.get(name, parts, partial(_view, *parts)))
    return tuple(found)


def total(counted: Iterable[TargetView]) -> Mapping[Standing, int]:
    """Return how many models stand where, over targets; every standing is there."""
    summed = Counter[Standing]()
    for view in counted:
        summed.update(view.counts)
    return {standing: summed[standing] for standing in Standing}


def _knowledge(snapshot: TargetSnapshot | None, now: float) -> Knowledge:
    if snapshot is None:
        return Knowledge.NOT_POLLED
    if is_stale(snapshot, now):
        return Knowledge.STALE
    return Knowledge.HEARD if snapshot.is_heard else Knowledge.SILENT


def _view(
    target: Target,
    snapshot: TargetSnapshot | None,
    knowledge: Knowledge,
    canaries: Mapping[ModelKey, CanaryState],
    tables: tuple[BudgetTable, ...],
) -> TargetView:
    rows: tuple[Row, ...] = ()
    troubles: Troubles = {}
    if snapshot is not None:
        left = _LEFT.get(target.name, tables, partial(left_of, tables))
        troubles = troubles_in(snapshot, canaries)
        keys = _ROWS.get(target.name, (snapshot,), partial(model_rows, snapshot))
        made = (_row(snapshot, knowledge, key, state, canaries, left, troubles) for key, state in keys)
        rows = tuple(sorted(made, key=lambda row: row.order))
    counted = Counter(row.standing for row in rows)
    counts = {standing: counted[standing] for standing in Standing}
    return TargetView(target, snapshot, knowledge, canaries, tables, troubles, rows, counts)


def _row(
    snapshot: TargetSnapshot,
    knowledge: Knowledge,
    key: ModelKey,
    state: ModelState | None,
    canaries: Mapping[ModelKey, CanaryState],
    left: Mapping[ModelKey, Left],
    troubles: Troubles,
) -> Row:
    plain = ModelKey(key.name, key.version) if key.namespace else key
    canary, own = canaries.get(plain), left.get(key)
    wedged, metrics = snapshot.wedged.get(key), snapshot.probes.get("metrics")
    standing, headline = judged(
        Evidence(
            knowledge=knowledge,
            state=state,
            canary=canary,
            troubles=troubles_of(troubles, key),
            left=own,
            silent=is_silent(snapshot, plain, canary),
            wedged=wedged is not None and wedged.is_sure,
            index_read=snapshot.models is not None,
            metrics_read=metrics is None or metrics.ok,
        )
    )
    remaining = np.inf if own is None else own.remaining
    name = snapshot.target.name
    order = (standing.rank, remaining, name, key.name, version_order(key.version), key.namespace)
    return Row(name, key, state, standing, sentence(headline), canary, own, order)
