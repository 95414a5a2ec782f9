"""How one alert goes from pending over firing to resolved, as pure functions of what is, what is seen and time.

    inactive --holds--> pending --held for `hold`--> firing --unmet for `keep`--> resolved --`RETENTION`--> inactive
                        pending --holds no more--> inactive                       resolved --holds--> pending

An inactive alert has no state. An alert is met when its condition held in `failures` of the last `window` polls. Its
state begins with the first of those, so that they are remembered, and is pending until none of the last polls is one.
Time counts for what was known when it began to pass. While nothing is known, nothing counts and nothing changes, but
that a resolved alert is forgotten. `rule` is always the definition after the overrides; None = nobody asks for the
alert any more, for it was switched off or its target is gone: then it ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.records import AlertPhase, AlertState

if TYPE_CHECKING:
    from triton_watch.alerting.definition import AlertDefinition
    from triton_watch.records import AlertCase, AlertKey

RETENTION: Final = 300.0
"""Seconds for which a resolved alert is still shown."""


def begun(key: AlertKey, summary: str, now: float) -> AlertState:
    """A pending alert of which nothing was seen yet, to be handed to `observed`; `now` is Unix seconds."""
    return AlertState(key, AlertPhase.PENDING, active_at=now, summary=summary)


def observed(
    state: AlertState, case: AlertCase, rule: AlertDefinition | None, *, hold: float, is_new: bool, now: float
) -> AlertState | None:
    """The alert after an evaluation; the same object where nothing changed, None = inactive.

    `hold` is what the case must hold for, seconds. `is_new`: it is the first evaluation of a poll. `now` is Unix
    seconds.
    """
    if rule is None:
        return ended(state, now)
    if case.holds is None:
        return unknown(state)
    seen = _seen(state, case, _recent(state.recent, rule.window, newest=case.holds, is_new=is_new), hold)
    if seen.phase is AlertPhase.PENDING:
        after = _pending(seen, rule, now, was_met=_is_met(state, rule))
    elif seen.phase is AlertPhase.FIRING:
        after = _firing(seen, rule, now)
    else:
        after = _resolved(seen, rule, now)
    return state if after is state or after == state else after


def passed(state: AlertState, rule: AlertDefinition | None, elapsed: float, now: float) -> AlertState | None:
    """The alert after `elapsed` seconds without news; None = inactive. `now` is Unix seconds, and measures nothing."""
    if state.phase is AlertPhase.RESOLVED:
        return _retained(replace(state, unmet=state.unmet + elapsed), now)
    if rule is None:
        return ended(state, now)
    if not is_counting(state, rule):
        return state
    if state.phase is AlertPhase.PENDING:
        return _pending(replace(state, held=state.held + elapsed), rule, now, was_met=True)
    return _firing(replace(state, unmet=state.unmet + elapsed), rule, now)


def unknown(state: AlertState) -> AlertState:
    """The alert where nothing can be said of its condition."""
    return replace(state, is_known=False) if state.is_known else state


def ended(state: AlertState, now: float) -> AlertState | None:
    """The alert once nobody asks for it any more; None = inactive."""
    if state.phase is AlertPhase.PENDING:
        return None
    over = _over(state, now) if state.phase is AlertPhase.FIRING else state
    return replace(over, recent=()) if over.recent else over


def is_counting(state: AlertState, rule: AlertDefinition | None) -> bool:
    """Whether time that passes changes the alert."""
    if rule is None or state.phase is AlertPhase.RESOLVED:
        return True
    return state.is_known and _is_met(state, rule) is (state.phase is AlertPhase.PENDING)


def _seen(state: AlertState, case: AlertCase, recent: tuple[bool, ...], hold: float) -> AlertState:
    """The alert with what is seen now; the same object where that is what was seen before."""
    detail, value = (case.detail, case.value) if case.holds else (state.detail, state.value)
    if (state.is_known, state.hold, state.recent, state.detail, state.value) == (True, hold, recent, detail, value):
        return state
    return replace(state, is_known=True, hold=hold, recent=recent, detail=detail, value=value)


def _is_met(state: AlertState, rule: AlertDefinition) -> bool:
    return sum(state.recent) >= rule.failures


def _recent(before: tuple[bool, ...], window: int, *, newest: bool, is_new: bool) -> tuple[bool, ...]:
    older = before if is_new else before[:-1]
    return (*older, newest)[-window:]


def _pending(state: AlertState, rule: AlertDefinition, now: float, *, was_met: bool) -> AlertState | None:
    if not _is_met(state, rule):
        return replace(state, held=0.0) if any(state.recent) else None
    if not was_met:
        state = replace(state, active_at=now)
    if state.held < state.hold:
        return state
    return replace(state, phase=AlertPhase.FIRING, fired_at=now)


def _firing(state: AlertState, rule: AlertDefinition, now: float) -> AlertState:
    if _is_met(state, rule):
        return replace(state, unmet=0.0) if state.unmet else state
    return state if state.unmet < rule.keep else _over(state, now)


def _resolved(state: AlertState, rule: AlertDefinition, now: float) -> AlertState | None:
    if not _is_met(state, rule):
        return state
    return _pending(_anew(state, now), rule, now, was_met=True)


def _retained(state: AlertState, now: float) -> AlertState | None:
    """A resolved alert, which is pending again at the end of its time if some of the last polls count already."""
    if state.unmet < RETENTION:
        return state
    return _anew(state, now) if any(state.recent) else None


def _over(state: AlertState, now: float) -> AlertState:
    """The alert at the moment at which it resolves; from now on `unmet` counts how long it has been so."""
    return replace(state, phase=AlertPhase.RESOLVED, resolved_at=now, held=0.0, unmet=0.0)


def _anew(state: AlertState, now: float) -> AlertState:
    return replace(state, phase=AlertPhase.PENDING, active_at=now, fired_at=None, resolved_at=None, held=0.0, unmet=0.0)
