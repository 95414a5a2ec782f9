"""The server itself: TritonTargetDown, TritonNotReady and TritonMetricsMissing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.alerting.definition import AlertDefinition, Facts
from triton_watch.alerting.definitions.cases import labels, named, sentence, states_now, versions_in
from triton_watch.conventions.sentences import joined
from triton_watch.records import AlertCase, AlertSeverity, ModelStatus, Outcome, SloSli
from triton_watch.slo.troubles import group_failures
from triton_watch.slo.words import budget_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from triton_watch.records import BudgetTable, Labels, ModelState, TargetSnapshot

_NO_ANSWER: Final = (
    Outcome.CONNECT_TIMEOUT,
    Outcome.READ_TIMEOUT,
    Outcome.DEADLINE,
    Outcome.UNAVAILABLE,
    Outcome.SERVER_ERROR,
)
"""Ends of the readiness probe that say no to whoever asks. A port that refuses may have been switched off."""


def _down(facts: Facts, _threshold: float) -> Iterable[AlertCase]:
    if facts.snapshot.is_heard:
        return ()
    failed = (one[0] for one in group_failures(facts.snapshot.probes.values()))
    said = joined(dict.fromkeys(one.detail or one.outcome.value for one in failed))
    return (AlertCase((), holds=True, detail=sentence(f"Nothing answers as Triton: {said}")),)


def _not_ready(facts: Facts, _threshold: float) -> Iterable[AlertCase] | None:
    snapshot = facts.snapshot
    if snapshot.ready:
        return ()
    probe = snapshot.probes.get("ready")
    if snapshot.ready is False:
        return (AlertCase((), holds=True, detail=f"The server says that it is not ready{_unready(snapshot)}."),)
    if not snapshot.is_heard or probe is None or probe.outcome not in _NO_ANSWER:
        return None
    detail = f"The server does not say whether it is ready: {probe.detail or probe.outcome.value}"
    return (AlertCase((), holds=True, detail=sentence(detail)),)


def _unready(snapshot: TargetSnapshot) -> str:
    wanted = (ModelStatus.READY, ModelStatus.UNLOADED, ModelStatus.NOT_LOADED)
    keys = [state.key for state in states_now(snapshot) or () if state.status not in wanted or _is_missed(state)]
    return f"; not loaded: {named(keys)}" if keys else ""


def _is_missed(state: ModelState) -> bool:
    return state.expected and state.status is not ModelStatus.READY


def _metrics_missing(facts: Facts, _threshold: float) -> Iterable[AlertCase] | None:
    snapshot = facts.snapshot
    if not snapshot.is_heard:
        return None
    if snapshot.slis is None:
        probe = snapshot.probes.get("metrics")
        why = "" if probe is None else f": {probe.detail or probe.outcome.value}"
        return (AlertCase((), holds=True, detail=sentence(f"There is no metrics page{why}")), *_unknown(facts))
    if snapshot.slis.counters_off:
        detail = "Its counters stand still: it runs with --metrics-config counter_latencies=false."
        return (AlertCase((), holds=True, detail=detail), *_unknown(facts))
    return _silent(facts)


def _unknown(facts: Facts) -> Iterator[AlertCase]:
    """Without any counters no indicator can speak, and one alert says so."""
    for table in facts.budgets:
        for row in _silent_rows(table, facts):
            yield AlertCase(_series(table, row), holds=None)


def _silent(facts: Facts) -> Iterator[AlertCase]:
    if not facts.budgets:
        return
    states = states_now(facts.snapshot)
    ready = versions_in(one for one in states or () if one.status is ModelStatus.READY)
    for table in facts.budgets:
        for row in _silent_rows(table, facts):
            slo, _, model = table.sums.keys[row]
            silence = float(table.sums.silence[row])
            if states is None or np.isnan(silence):
                yield AlertCase(_series(table, row), holds=None)
            elif (model.name, model.version) in ready:
                detail = f"The indicator of {slo} has said nothing about {model.name} for {budget_words(silence)}."
                yield AlertCase(_series(table, row), holds=True, detail=detail, value=silence)


def _silent_rows(table: BudgetTable, facts: Facts) -> list[int]:
    """Series that are silent for too long, or nobody knows it; a canary's silence is not the metrics page's."""
    patience = {name: one.no_data_after for name, one in facts.objectives.items() if one.sli is not SloSli.CANARY}
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero(~(table.sums.silence <= min(patience.values(), default=np.inf))).tolist()
    keys, silence = table.sums.keys, table.sums.silence
    return [row for row in rows if keys[row].slo in patience and not silence[row] <= patience[keys[row].slo]]


def _series(table: BudgetTable, row: int) -> Labels:
    key = table.sums.keys[row]
    name, version, namespace = key.model
    return labels(slo=key.slo, model=name, version=version, model_namespace=namespace)


TARGET_DOWN = AlertDefinition(
    name="TritonTargetDown",
    severity=AlertSeverity.PAGE,
    summary="Triton {{ $labels.target }} is down",
    description="Nothing of {{ $labels.target }} answers as Triton does, neither its HTTP port nor its metrics page.",
    advice="See whether the process runs and what its log ends with; then whether its ports can be reached from here.",
    # The agent itself counts the cycles, so that this says the same at any poll interval.
    expr="triton_watch_target_silent_cycles >= $failures",
    condition=_down,
    dashboard="fleet",
    keep=60.0,
    failures=2,
    window=3,
)

NOT_READY = AlertDefinition(
    name="TritonNotReady",
    severity=AlertSeverity.PAGE,
    summary="Triton {{ $labels.target }} is not ready",
    description="{{ $labels.target }} answers, and does not say that it is ready: load balancers leave it out.",
    advice="Look in the repository index for a model that failed to load or is still loading, and in the server's log "
    "for why.",
    expr=f"""triton_watch_target_ready == 0
or (
  max without (probe, outcome) (
    triton_watch_probe_outcome{{probe="ready", outcome=~"{"|".join(one.value for one in _NO_ANSWER)}"}}
  )
  and on (instance, target) triton_watch_target_heard == 1
)""",
    condition=_not_ready,
    dashboard="fleet",
    hold=120.0,
)

METRICS_MISSING = AlertDefinition(
    name="TritonMetricsMissing",
    severity=AlertSeverity.TICKET,
    summary="Metrics of Triton {{ $labels.target }} are missing",
    description="{{ $labels.target }} runs, and its metrics page, its counters or an objective's indicator are "
    "missing: its objectives watch nothing.",
    advice="Open the metrics URL of the target by hand; start Triton with --allow-metrics=true, and without "
    "counter_latencies=false.",
    # Prometheus sees no polls: each counts as 15 s, the default interval.
    expr="""count_over_time((
  max without () (triton_watch_target_heard == 1 unless on (instance, target) triton_watch_metrics_page_bytes)
  or max without () (triton_watch_counters_frozen == 1)
  or max without () (
    triton_watch_slo_no_data_seconds > on (instance, slo) group_left () triton_watch_slo_no_data_after_seconds
    unless on (instance, slo) triton_watch_slo_info{sli="canary"}
    and on (instance, target, model, version) triton_watch_model_ready == 1
    and on (instance, target) triton_watch_counters_frozen == 0
  )
)[$span:$step]) >= $failures""",
    condition=_metrics_missing,
    dashboard="fleet",
    labels=("slo", "model", "version"),
    hold=60.0,
    failures=3,
    window=4,
)
