"""Models that cannot be had, or do not answer: TritonModelUnavailable and TritonModelWedged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.alerting.definition import AlertDefinition, Facts
from triton_watch.alerting.definitions.cases import MODEL, labels, of_model, sentence, states_now, unknown_of
from triton_watch.alerting.definitions.causes import cause_of
from triton_watch.records import AlertCase, AlertSeverity, ModelStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from triton_watch.records import ModelKey, ModelState, SliTable, Wedged

_AT_REST: Final = frozenset({ModelStatus.UNAVAILABLE, ModelStatus.UNLOADED, ModelStatus.NOT_LOADED})
"""States in which nothing goes on: a version that is loading may still come."""


def _unavailable(facts: Facts, _threshold: float) -> Iterable[AlertCase] | None:
    states = states_now(facts.snapshot)
    return None if states is None or not facts.snapshot.is_heard else _missed(states)


def _missed(states: Sequence[ModelState]) -> Iterator[AlertCase]:
    doubtful = {one.key.name for one in states if one.status is not ModelStatus.READY}
    by_name: dict[str, list[ModelState]] = {}
    for state in states if doubtful else ():
        if state.key.name in doubtful:
            by_name.setdefault(state.key.name, []).append(state)
    for name, versions in by_name.items():
        if _is_missed(versions):
            yield AlertCase(labels(model=name), holds=True, detail=sentence(f"{name} {_why(versions)}"))


def _is_missed(versions: Sequence[ModelState]) -> bool:
    statuses = {one.status for one in versions}
    if any(one.expected for one in versions):
        return ModelStatus.READY not in statuses
    return ModelStatus.UNAVAILABLE in statuses and statuses <= _AT_REST


def _why(versions: Sequence[ModelState]) -> str:
    failed = next((one for one in versions if one.status is ModelStatus.UNAVAILABLE), None)
    if failed is None:
        status = versions[0].status
        missing = "is expected, and not in the server's repository: check its folder and --model-repository"
        return missing if status is ModelStatus.MISSING else f"is expected, and {status.value}"
    reason, cause = failed.reason.strip().rstrip("."), cause_of(failed.reason)
    said = f": {reason}" if reason else ", and the server gives no reason; its log does"
    return f"failed to load{said}{f' ({cause})' if cause else ''}"


def _wedged(facts: Facts, _threshold: float) -> Iterable[AlertCase] | None:
    snapshot = facts.snapshot
    table = snapshot.slis
    if table is None or table.counters_off or table.completed is None or table.interval <= 0:
        return None
    return (*_stuck_now(facts), *_doubtful(table, snapshot.wedged))


def _stuck_now(facts: Facts) -> Iterator[AlertCase]:
    target = facts.snapshot.target.name
    for key, one in facts.snapshot.wedged.items():
        detail = f"{key.name} on {target} hangs: {_stuck(one)}."
        yield AlertCase(of_model(key), holds=True, detail=detail, value=one.seconds)


def _doubtful(table: SliTable, wedged: Mapping[ModelKey, Wedged]) -> Iterator[AlertCase]:
    """Models with requests that wait and none that was answered, for too short a time yet: as after a restart."""
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((table.frame.pending > 0) & (table.completed == 0))
    for row in rows.tolist():
        key = table.models.keys[row]
        if key not in wedged:
            yield unknown_of(key)


def _stuck(one: Wedged) -> str:
    wait = "1 request waits" if one.pending == 1 else f"{one.pending:.0f} requests wait"
    return f"{wait}, and none was answered for {one.seconds:.0f} s"


MODEL_UNAVAILABLE = AlertDefinition(
    name="TritonModelUnavailable",
    severity=AlertSeverity.PAGE,
    summary="Model {{ $labels.model }} on {{ $labels.target }} is not available",
    description="No version of {{ $labels.model }} is READY on {{ $labels.target }}: it is expected, or failed to "
    "load.",
    advice="See its state and reason in POST /v2/repository/index: mend what the reason says, and load it again.",
    # The second part: a version failed to load, and no other one is READY or on its way.
    expr="""(
  triton_watch_model_expected_missing
  unless max without (version, model_namespace) (triton_watch_model_ready == 1)
)
or (
  max without (version, model_namespace, state) (triton_watch_model_state{state="UNAVAILABLE"})
  unless max without (version, model_namespace, state) (
    triton_watch_model_state{state!~"UNAVAILABLE|UNLOADED|NOT_LOADED"}
  )
)""",
    condition=_unavailable,
    dashboard="model",
    labels=("model",),
    hold=60.0,
)

MODEL_WEDGED = AlertDefinition(
    name="TritonModelWedged",
    severity=AlertSeverity.PAGE,
    summary="Model {{ $labels.model }} on {{ $labels.target }} hangs",
    description="Requests wait for {{ $labels.model }} on {{ $labels.target }}, and none is answered.",
    advice="End the process of its backend, then unload and load the model; a load alone changes nothing. If that "
    "hangs too, restart the server.",
    expr="triton_watch_model_stuck_seconds > 0",
    condition=_wedged,
    dashboard="model",
    labels=MODEL,
    hold=30.0,
)
