"""A state with something to say on every page and in every part of one: of any size, or with names as they like."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from synthetic_state import OBJECTIVES, SyntheticState, alerts_of, budgets_of, names, state_of
from triton_watch.records import (
    AgentStatus,
    AlertState,
    BatchSizes,
    CanaryFailure,
    CanaryHistory,
    CanaryReason,
    CanaryRun,
    Confidence,
    Course,
    CycleMark,
    EnsembleStep,
    Event,
    EventKind,
    EventLevel,
    Finding,
    History,
    LogLine,
    ModelConfig,
    ModelIndex,
    ModelKey,
    RecentSlot,
    RecentTable,
    Severity,
    Sum,
    Target,
    TensorSpec,
)
from triton_watch.slo.budget import goals_of, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

AT = 1_700_000_000.0
TARGET = "triton"
MINUTE = 60.0


def rich_state(keys: Sequence[ModelKey] = names(3), text: str = "a sentence") -> SyntheticState:
    """One target with `keys`; `text` stands wherever somebody else's text is shown. The last key is an ensemble."""
    state = state_of(keys)
    first, last = keys[0], keys[-1]
    snapshot = state.polled[TARGET]
    config = ModelConfig(
        first.name, backend=text, inputs=(TensorSpec(text, text, (-1, 4), optional=True),), instance_kinds=(text,)
    )
    ensemble = ModelConfig(last.name, platform="ensemble", steps=(EnsembleStep(first.name, -1),))
    configs = {**(snapshot.configs or {}), first.name: config, last.name: ensemble}
    state.polled = {TARGET: replace(snapshot, configs=configs)}
    state.unpolled = {text: Target(text, "http://y:8000", "http://y:8002/metrics", "y:8001")}
    state.budget_view = budgets_of(keys)
    findings = {TARGET: findings_of(first.name, text)}
    state.alert_view = replace(
        alerts_of(AT), states=alerts_about(first, AT), findings=findings, ended=alerts_about(first, AT - 900)
    )
    state.past = History({TARGET: hour_of(keys)}, {TARGET: cycles_of()}, events_of(first, text))
    state.canary_pasts = {(TARGET, ModelKey(first.name, first.version)): canaries_past(text)}
    state.course_of = {(TARGET, ModelKey(first.name, first.version)): {one.name: course_of() for one in OBJECTIVES}}
    state.batches = {(TARGET, first.name, first.version): BatchSizes(AT, {1: 90, 2: 5, 8: 3})}
    state.process = AgentStatus(AT - 7200, 80_000_000, 12.5, 9, (LogLine(AT - 5, "WARNING", text, text),), 1, 0)
    return state


def young_state(models: int = 3) -> SyntheticState:
    """An agent that has watched for 4 minutes: the budgets of the first model are spent, those of the others are not.

    The version of the second model is not known.
    """
    keys = (*names(1), ModelKey("not_there", ""), *(ModelKey(f"well{i or ''}", "1") for i in range(models - 2)))
    state = rich_state(keys)
    table = state.budget_view.targets[TARGET].tables[0]
    spent = np.array([one.model == keys[0] for one in table.sums.keys])
    sums = replace(
        table.sums, bad=np.where(spent, 0.9 * table.sums.good, 0.0), covered=np.full(spent.shape, 4 * MINUTE)
    )
    counted = np.array([sums.good[-1], sums.bad[-1]])
    judged = judge(sums, goals_of(sums.keys, {one.name: one for one in OBJECTIVES}), counted)
    budgets = replace(state.budget_view.targets[TARGET], tables=(judged,))
    state.budget_view = replace(state.budget_view, targets={TARGET: budgets})
    hour = hour_of(keys)
    state.past = replace(state.past, recent={TARGET: RecentTable(hour.slots[-4:])})
    return state


def alerts_about(key: ModelKey, at: float) -> tuple[AlertState, ...]:
    """Alerts in each phase: about the target, and about the model where they are about one."""
    here = {"target": TARGET, "model": key.name, "version": key.version}
    return tuple(
        replace(
            one, key=one.key._replace(labels=tuple((name, here.get(name, value)) for name, value in one.key.labels))
        )
        for one in alerts_of(at).states
    )


def findings_of(model: str, text: str) -> tuple[Finding, ...]:
    plain = Finding("TW101", "slug", Severity.WARNING, Confidence.HIGH, text, model, text, 3, 5, text)
    lined = replace(
        plain, severity=Severity.ERROR, source=f"\tmax_batch_size: {text}", column=2, width=14, red_line=True
    )
    return (plain, lined)


def hour_of(keys: Sequence[ModelKey]) -> RecentTable:
    index = ModelIndex(tuple(keys), {key: i for i, key in enumerate(keys)})
    random = np.random.default_rng(3)
    slots = []
    for minute in range(60):
        sums = random.random((len(Sum), len(keys))) * 1000
        sums[Sum.SECONDS] = 60.0
        slots.append(RecentSlot(AT - 3600 + 60 * minute, 60.0, index, sums))
    return RecentTable(tuple(slots))


def cycles_of() -> tuple[CycleMark, ...]:
    return tuple(CycleMark(AT - 15 * i, 0.01 + 0.001 * (i % 7)) for i in range(40))[::-1]


def events_of(key: ModelKey, text: str) -> tuple[Event, ...]:
    return (
        Event(AT - 60, AT - 5, EventKind.CANARY, EventLevel.TROUBLE, TARGET, text, key.name, key.version, 4),
        Event(AT - 90, AT - 90, EventKind.PROBE, EventLevel.RECOVERY, TARGET, text),
    )


def canaries_past(text: str) -> CanaryHistory:
    runs = tuple(
        CanaryRun(
            AT - 30 * i, CanaryReason.OK if i % 3 else CanaryReason.NOT_FINITE, 0.004 * (1 + i % 5) if i else None
        )
        for i in range(20)
    )
    return CanaryHistory(runs, (CanaryFailure(CanaryReason.NOT_FINITE, text, AT - 7200, AT - 3600, 17),))


def course_of() -> Course:
    times = np.linspace(AT - 3600, AT, 40)
    return Course(times, np.linspace(0, 1e6, 40), np.linspace(0, 2e3, 40) ** 1.2)
