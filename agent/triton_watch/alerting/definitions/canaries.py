"""What canaries find: TritonCanaryFailing, TritonCanaryWrongOutput and TritonSilentFailure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.alerting.definition import AlertDefinition, Facts
from triton_watch.alerting.definitions.cases import MODEL, of_model, sentence, states_now, unknown_of, versions_in
from triton_watch.records import AlertCase, AlertSeverity, CanaryReason, CanaryVerdict, ModelStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from triton_watch.alerting.definition import Condition
    from triton_watch.records import CanaryState, ModelKey

_UNANSWERED: Final = tuple(
    reason for reason in CanaryReason if not reason.was_served or reason is CanaryReason.TOO_SLOW
)
"""Ways to fail of clients that wait in vain, or get an error."""
_WRONG: Final = tuple(reason for reason in CanaryReason if reason not in _UNANSWERED and reason is not CanaryReason.OK)
"""Ways to fail of clients that get an answer which is wrong."""
_SILENT: Final = (CanaryReason.UNREACHABLE, CanaryReason.DEADLINE)
_SHOWN: Final = 3
"""Canaries that a sentence counts, where their failures are among them."""
_GONE: Final = """
unless on (instance, target, model, version) triton_watch_model_ready == 0
unless on (instance, target) triton_watch_target_heard == 0"""
"""What no canary can pass, and other alerts say."""


def _failing(reasons: tuple[CanaryReason, ...]) -> Condition:
    def holds(_facts: Facts, state: CanaryState) -> bool:
        failure = state.last_failure
        return state.verdict is CanaryVerdict.FAILING and failure is not None and failure.reason in reasons

    return _judging(holds)


def _judging(holds: Callable[[Facts, CanaryState], bool]) -> Condition:
    """A condition on each canary of a target that answers; of models that are not ready others tell."""

    def condition(facts: Facts, _threshold: float) -> Iterable[AlertCase] | None:
        return _cases(facts, holds) if facts.snapshot.is_heard else None

    return condition


def _cases(facts: Facts, holds: Callable[[Facts, CanaryState], bool]) -> Iterator[AlertCase]:
    well = (CanaryVerdict.PASSING,) if facts.wants_unknown else (CanaryVerdict.PASSING, CanaryVerdict.UNKNOWN)
    doubted = [(key, one) for key, one in facts.canaries.items() if one.verdict not in well]
    for key, state in _awake(facts, doubted) if doubted else ():
        if state.verdict is CanaryVerdict.UNKNOWN or _is_early(facts, state):
            yield unknown_of(key)
        elif holds(facts, state):
            yield AlertCase(of_model(key), holds=True, detail=_detail(facts, state))


def _is_early(facts: Facts, state: CanaryState) -> bool:
    """Whether it may be the server that is gone: the poll that will say so has not come since nothing was answered."""
    failure = state.last_failure
    return failure is not None and failure.reason in _SILENT and failure.at > facts.snapshot.at


def _awake(facts: Facts, canaries: list[tuple[ModelKey, CanaryState]]) -> list[tuple[ModelKey, CanaryState]]:
    """Those of models that this cycle's index does not call anything but ready, and names."""
    states = states_now(facts.snapshot)
    if states is None:
        return canaries
    ready = versions_in(one for one in states if one.status is ModelStatus.READY)
    return [(key, one) for key, one in canaries if key[:2] in ready]


def _detail(facts: Facts, state: CanaryState) -> str:
    """What a person reads: `encoder on gpu-7: 3 of 3 canaries failed: wrong shape, got [2, 7]`, and so on."""
    recent = state.recent[-_SHOWN:] if state.recent[-_SHOWN:].count(False) > 1 else state.recent
    failed = f"{recent.count(False)} of {len(recent)} canaries failed"
    failure = state.last_failure
    why = "" if failure is None else f": {failure.reason.value.replace('_', ' ')}"
    said = "" if failure is None or not failure.detail else f", {' '.join(failure.detail.split()).rstrip('.')}"
    silently = "; the server counts these as success" if state.key in facts.snapshot.silent else ""
    return sentence(f"{state.key.name} on {facts.snapshot.target.name}: {failed}{why}{said}{silently}")


def _is_silent(facts: Facts, state: CanaryState) -> bool:
    return state.verdict is CanaryVerdict.FAILING and state.key in facts.snapshot.silent


def _expr(reasons: tuple[CanaryReason, ...]) -> str:
    pattern = "|".join(reason.value for reason in reasons)
    return f'max without (reason) (triton_watch_canary_failing{{reason=~"{pattern}"}}){_GONE}'


CANARY_FAILING = AlertDefinition(
    name="TritonCanaryFailing",
    severity=AlertSeverity.PAGE,
    summary="Canaries of model {{ $labels.model }} on {{ $labels.target }} fail",
    description="Test requests to {{ $labels.model }} on {{ $labels.target }} get no answer, an error, or an answer "
    "that comes too late; so do clients.",
    advice="Send the request yourself with `triton-watch canary run`: the server's answer says what is wrong.",
    expr=_expr(_UNANSWERED),
    condition=_failing(_UNANSWERED),
    dashboard="canary",
    labels=MODEL,
    keep=60.0,
)

CANARY_WRONG_OUTPUT = AlertDefinition(
    name="TritonCanaryWrongOutput",
    severity=AlertSeverity.PAGE,
    summary="Model {{ $labels.model }} on {{ $labels.target }} gives wrong answers",
    description="Test requests to {{ $labels.model }} on {{ $labels.target }} get answers that are not what its "
    "configuration or its golden answer promises.",
    advice="Compare the model file and config.pbtxt with those of the last good release, and go back to it.",
    expr=_expr(_WRONG),
    condition=_failing(_WRONG),
    dashboard="canary",
    labels=MODEL,
    keep=60.0,
)

SILENT_FAILURE = AlertDefinition(
    name="TritonSilentFailure",
    severity=AlertSeverity.PAGE,
    summary="Model {{ $labels.model }} on {{ $labels.target }} fails, and the server counts success",
    description="Test requests to {{ $labels.model }} on {{ $labels.target }} fail while Triton counts each as a "
    "success: no other metric shows it.",
    advice="Trust the canary, not the counters: ask a client, then go back to the last good model.",
    expr=f"triton_watch_model_silent_failure == 1{_GONE}",
    condition=_judging(_is_silent),
    dashboard="canary",
    labels=MODEL,
    keep=60.0,
)
