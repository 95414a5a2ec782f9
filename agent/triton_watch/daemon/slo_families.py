"""The series of objectives, error budgets and their store: one builder for each metric of `conventions.slo`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from triton_watch.config.units import format_duration
from triton_watch.conventions import slo as s
from triton_watch.daemon.labels import LabelSet
from triton_watch.records import VERDICTS, BudgetTable, FloatArray, Objective, Page, SeriesKey

if TYPE_CHECKING:
    from triton_watch.conventions import Metric
    from triton_watch.daemon.state import BudgetsView

Series: TypeAlias = tuple[LabelSet, float]
Builder: TypeAlias = Callable[["SloView"], Iterable[Series]]

_NOTHING = LabelSet()


@dataclass(frozen=True, slots=True, eq=False)
class SloView:
    """What one scrape shows of budgets: each table with the label sets of its series, made once."""

    budgets: BudgetsView
    tables: tuple[tuple[BudgetTable, tuple[LabelSet, ...]], ...]


def slo_view(budgets: BudgetsView) -> SloView:
    """The view of the budgets, targets by name."""
    tables = (table for name in sorted(budgets.targets) for table in budgets.targets[name].tables)
    return SloView(budgets, tuple((table, tuple(_labels(key) for key in table.sums.keys)) for table in tables))


def _labels(key: SeriesKey) -> LabelSet:
    name, version, namespace = key.model
    more = {"model_namespace": namespace} if namespace else {}
    return LabelSet(slo=key.slo, target=key.target, model=name, version=version, **more)


# What makes a builder of a plain reading


def _of_series(read: Callable[[BudgetTable], FloatArray]) -> Builder:
    """One series where there is a value: NaN is not shown."""

    def build(view: SloView) -> Iterator[Series]:
        for table, labels in view.tables:
            for label, value in zip(labels, read(table).tolist(), strict=True):
                if value == value:  # noqa: PLR0124 - NaN is the one that differs
                    yield label, value

    return build


def _of_objectives(read: Callable[[Objective], float]) -> Builder:
    return lambda view: [(LabelSet(slo=one.name), float(read(one))) for one in view.budgets.objectives]


def _of_store(read: Callable[[SloView], float | None]) -> Builder:
    def build(view: SloView) -> Iterator[Series]:
        value = read(view)
        if value is not None:
            yield _NOTHING, float(value)

    return build


# Objectives


def _info(view: SloView) -> Iterator[Series]:
    for one in view.budgets.objectives:
        alerts = ",".join(page.value for page in Page if any(window.severity is page for window in one.windows))
        quantile = one.goal.quantile or ""
        yield LabelSet(slo=one.name, sli=one.sli.value, served_quantile=quantile, alerts=alerts or "none"), 1.0


def _matched(view: SloView) -> Iterator[Series]:
    for target in sorted(view.budgets.targets):
        for one in view.budgets.objectives:
            yield LabelSet(slo=one.name, target=target), float(view.budgets.targets[target].matched.get(one.name, 0))


def _threshold_seconds(view: SloView) -> Iterator[Series]:
    timed = {one.name for one in view.budgets.objectives if one.sli.is_latency}
    for table, labels in view.tables:
        for key, label, high in zip(table.sums.keys, labels, table.high.tolist(), strict=True):
            if key.slo in timed and high == high:  # noqa: PLR0124 - NaN is the one that differs
                yield label, high


def _threshold_ratio(view: SloView) -> Iterator[Series]:
    ratios = {one.name for one in view.budgets.objectives if one.sli.is_time_based}
    for table, labels in view.tables:
        for bound, values in (("lower", table.low.tolist()), ("upper", table.high.tolist())):
            for key, label, value in zip(table.sums.keys, labels, values, strict=True):
                if key.slo in ratios and value == value:  # noqa: PLR0124 - NaN is the one that differs
                    yield label.plus("bound", bound), value


# Events and verdicts


def _events(view: SloView) -> Iterator[Series]:
    for table, labels in view.tables:
        for result, counts in (("good", table.counted_good), ("bad", table.counted_bad)):
            for label, count in zip(labels, counts.tolist(), strict=True):
                yield label.plus("result", result), count


def _burn(view: SloView) -> Iterator[Series]:
    for table, labels in view.tables:
        for window, rates in zip(table.sums.windows, table.burn, strict=True):
            name = format_duration(window)
            for column in np.flatnonzero(~np.isnan(rates)).tolist():
                yield labels[column].plus("window", name), float(rates[column])


def _window_events(view: SloView) -> Iterator[Series]:
    for table, labels in view.tables:
        sums = table.sums
        needed = np.maximum(1.0, table.min_events)
        for window, good, bad in zip(sums.windows, sums.good, sums.bad, strict=True):
            name = format_duration(window)
            for column in np.flatnonzero(bad > 0).tolist():
                yield labels[column].plus("window", name), float((good[column] + bad[column]) / needed[column])


def _verdict(view: SloView) -> Iterator[Series]:
    for table, labels in view.tables:
        for label, code in zip(labels, table.verdict.tolist(), strict=True):
            yield label.plus("verdict", VERDICTS[code].value), 1.0


def _odd(view: SloView) -> Iterator[Series]:
    for target in sorted(view.budgets.targets):
        for one in view.budgets.objectives:
            yield LabelSet(slo=one.name, target=target), float(view.budgets.targets[target].odd.get(one.name, 0))


def _refused(view: SloView) -> Iterator[Series]:
    for target in sorted(view.budgets.targets):
        yield LabelSet(target=target), float(view.budgets.targets[target].refused)


def _failures(view: SloView) -> Iterator[Series]:
    for failure, count in sorted(view.budgets.store.failures.items()) if view.budgets.store is not None else ():
        yield LabelSet(failure=failure), float(count)


SLO_BUILDERS: Mapping[Metric, Builder] = {
    s.SLO_INFO: _info,
    s.SLO_PERIOD: _of_objectives(lambda one: one.period),
    s.SLO_MIN_EVENTS: _of_objectives(lambda one: one.goal.min_events),
    s.SLO_NO_DATA_AFTER: _of_objectives(lambda one: one.no_data_after),
    s.SLO_MODELS_MATCHED: _matched,
    s.SLO_OBJECTIVE: _of_series(lambda table: table.objective),
    s.SLO_THRESHOLD_SECONDS: _threshold_seconds,
    s.SLO_THRESHOLD_RATIO: _threshold_ratio,
    s.SLO_EVENTS: _events,
    s.SLO_BUDGET: _of_series(lambda table: table.remaining),
    s.SLO_BURN: _burn,
    s.SLO_WINDOW_EVENTS: _window_events,
    s.SLO_EXHAUSTION: _of_series(lambda table: table.exhaustion),
    s.SLO_VERDICT: _verdict,
    s.SLO_NO_DATA: _of_series(lambda table: table.sums.silence),
    s.SLO_ODD_INTERVALS: _odd,
    s.SLO_SERIES_REFUSED: _refused,
    s.STORE_UP: _of_store(lambda view: None if view.budgets.store is None else view.budgets.store.persistent),
    s.STORE_BYTES: _of_store(lambda view: None if view.budgets.store is None else view.budgets.store.bytes),
    s.STORE_FLUSH_TIMESTAMP: _of_store(
        lambda view: None if view.budgets.store is None else view.budgets.store.last_flush
    ),
    s.STORE_FLUSH_DURATION: _of_store(
        lambda view: None if view.budgets.store is None else view.budgets.store.last_flush_seconds
    ),
    s.STORE_FAILURES: _failures,
    s.STORE_SET_ASIDE: _of_store(lambda view: None if view.budgets.store is None else view.budgets.store.set_aside),
    s.HISTORY_UP: _of_store(lambda view: None if view.budgets.history is None else view.budgets.history.success),
    s.HISTORY_TIMESTAMP: _of_store(lambda view: None if view.budgets.history is None else view.budgets.history.at),
}
"""Every metric about objectives. What is not known is not yielded."""
