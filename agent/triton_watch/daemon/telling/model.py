"""One model version, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.daemon.facts.common import VERSION
from triton_watch.daemon.facts.model import ModelDetail
from triton_watch.daemon.telling import details
from triton_watch.daemon.telling import findings as told_findings
from triton_watch.daemon.telling.alerts import is_about
from triton_watch.daemon.telling.alerts import told as told_alert
from triton_watch.daemon.telling.brief import brief_of
from triton_watch.daemon.telling.budgets import budgets_of, courses_of
from triton_watch.daemon.telling.canaries import canary_of, history_of
from triton_watch.daemon.telling.indicators import failures, indicators, percentiles
from triton_watch.daemon.telling.parts import happening, is_named, sentence, trouble
from triton_watch.daemon.telling.recent import recent_of
from triton_watch.daemon.telling.versions import version_order
from triton_watch.daemon.telling.views import views
from triton_watch.records import ModelKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.daemon.state import StateSource
    from triton_watch.daemon.telling.views import Row, TargetView


def model_detail(
    source: StateSource,
    now: float,
    target: str,
    name: str,
    version: str | None = None,
    namespace: str | None = None,
) -> ModelDetail | None:
    """Return all that is known of a model version at Unix time `now`; None = there is none of these names.

    Without a version it is the latest one that somebody wants to be served.
    """
    for view in views(source, now, target):
        rows = [row for row in view.rows if is_named(row.key.name, name) and is_named(row.key.namespace, namespace)]
        rows.sort(key=lambda row: (version_order(row.key.version), row.key.namespace))
        asked = [row for row in rows if is_named(row.key.version, version)]
        if asked:
            return _detail(source, now, view, asked[0] if version is not None else _latest(asked), rows)
    return None


def _latest(rows: Sequence[Row]) -> Row:
    wanted = [row for row in rows if row.counts] or rows
    numbered = [row for row in wanted if version_order(row.key.version)[0] == 0]
    return (numbered or wanted)[-1]


def _detail(source: StateSource, now: float, view: TargetView, row: Row, rows: Sequence[Row]) -> ModelDetail:
    target, key, snapshot = row.target, row.key, view.snapshot
    heard = snapshot if view.is_heard else None
    table = None if heard is None else heard.slis
    config = None if snapshot is None or snapshot.configs is None else snapshot.configs.get(key.name)
    alerts, history, budgets = source.alerts(), source.history(), source.budgets()
    members, overhead = details.members_of(heard, key, alerts)
    (recent,) = recent_of(history.recent.get(target), (key,), now, view.target.interval)
    past = source.canary_history(target, ModelKey(key.name, key.version))
    return ModelDetail(
        version=VERSION,
        at=now,
        brief=brief_of(row, view, alerts),
        reason="" if row.state is None else sentence(row.state.reason),
        troubles=tuple(map(trouble, view.troubles_of(key))),
        versions=details.versions(rows, alerts),
        indicators=indicators(table, key, target, budgets.objectives),
        percentiles=percentiles(table, key),
        failures=failures(table, key),
        interval_seconds=table.interval if table is not None and table.interval > 0 else None,
        budgets=budgets_of(budgets, target, key),
        courses=courses_of(source.courses(target, key)),
        canary=None if row.canary is None else canary_of(target, row.canary),
        canary_history=None if row.canary is None and not (past.runs or past.failures) else history_of(past),
        silent_failure=details.silent_failure(snapshot, key, row.canary),
        wedged=details.wedged(heard, key),
        configuration=details.configuration(config),
        findings=tuple(told_findings.told(*one) for one in told_findings.found_of(source, target, key.name)),
        findings_checked=target in alerts.findings,
        members=members,
        ensemble_overhead_seconds=overhead,
        batches=details.batches(source, row, config),
        recent=recent,
        alerts=tuple(told_alert(one, alerts) for one in alerts.states if is_about(one, target, key.name, key.version)),
        events=tuple(
            happening(one)
            for one in history.events
            if (one.target, one.model) == (target, key.name) and one.version in ("", key.version)
        ),
    )
