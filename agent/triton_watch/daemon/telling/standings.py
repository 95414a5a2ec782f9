"""Where a model stands, and the first thing to know of it.

What was known of the models of a server that is silent, or was not polled of late, is old: nobody can tell whether
it still holds, so they are unknown. Two things outlive the silence: a canary that fails (it asks the model itself,
whatever polls do, and its verdict lapses by itself), and that nobody asked for a model to be loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from triton_watch.daemon.facts.standing import Standing
from triton_watch.records import CanaryVerdict, ModelStatus, Verdict
from triton_watch.slo.serving import awaits_verdict
from triton_watch.slo.troubles import Level
from triton_watch.wording import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.daemon.telling.left import Left
    from triton_watch.records import CanaryState, ModelState
    from triton_watch.slo.troubles import Trouble


class Knowledge(str, Enum):
    """What is known of a target at all."""

    NOT_POLLED = "not polled"
    STALE = "stale"
    """The last poll is too long ago."""
    SILENT = "silent"
    """It was polled, and nothing answered as Triton does."""
    HEARD = "heard"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a model's standing is formed of. `troubles` are its own, problems first; `index_read`: ever."""

    knowledge: Knowledge
    state: ModelState | None
    canary: CanaryState | None
    troubles: Sequence[Trouble] = ()
    left: Left | None = None
    silent: bool = False
    wedged: bool = False
    index_read: bool = True


class Judged(NamedTuple):
    """The standing and the sentence for it, "" = nothing to say."""

    standing: Standing
    headline: str


def judged(known: Evidence) -> Judged:
    """Return the worst that is to be said of a model."""
    if _is_unwanted(known.state):
        return Judged(Standing.UNLOADED, "")
    if known.knowledge is not Knowledge.HEARD:
        return _not_heard(known)
    said = known.troubles[0].sentence if known.troubles else ""
    if known.silent:
        return Judged(Standing.WRONG, said or "Silent failure: its canary fails, and Triton counts success.")
    if _fails(known):
        return Judged(Standing.FAILING, said or "Its canary fails, or its requests wait in vain.")
    return _working(known, said)


def _working(known: Evidence, said: str) -> Judged:
    """A model that does not fail; `said` is the first advice about it."""
    if known.left is not None and known.left.burns:
        return Judged(Standing.BURNING, _burning(known.left))
    unknown = _unknown(known)
    if unknown:
        return Judged(Standing.UNKNOWN, unknown)
    return Judged(Standing.ADVICE if said else Standing.OK, said)


def _not_heard(known: Evidence) -> Judged:
    if known.canary is not None and known.canary.verdict is CanaryVerdict.FAILING:
        failure = known.canary.last_failure
        why = "" if failure is None else f" ({failure.reason.value}): {failure.detail}"
        return Judged(Standing.FAILING, f"Its canary fails{why}")
    why = {
        Knowledge.NOT_POLLED: "its server has not been polled yet",
        Knowledge.STALE: "its server was not polled of late",
        Knowledge.SILENT: "its server does not answer",
    }[known.knowledge]
    return Judged(Standing.UNKNOWN, f"Not known: {why}.")


def _is_unwanted(state: ModelState | None) -> bool:
    unloaded = (ModelStatus.UNLOADED, ModelStatus.NOT_LOADED)
    return state is not None and state.status in unloaded and not state.expected


def _fails(known: Evidence) -> bool:
    """Whether something says so: a problem, problems being the first of the troubles, or what should be one."""
    is_problem = bool(known.troubles) and known.troubles[0].level is Level.PROBLEM
    return is_problem or known.wedged or _canary_fails(known)


def _canary_fails(known: Evidence) -> bool:
    return known.canary is not None and known.canary.verdict is CanaryVerdict.FAILING


def _burning(left: Left) -> str:
    slo = words.name(left.burns)
    if left.burns != left.slo:
        return f"The error budget of {slo} burns or is exhausted."
    if left.verdict is Verdict.EXHAUSTED:
        return f"The error budget of {slo} is exhausted."
    return f"The error budget of {slo} burns: {words.percent(left.remaining)} is left."


def _unknown(known: Evidence) -> str:
    """Why nobody can tell; "" = somebody can."""
    if not known.index_read:
        return "Not known: the server's repository index, which tells the state of models, was never read."
    if known.state is None:
        return "Not known: the server counts requests of it, and its repository index does not name it."
    if known.state.status is not ModelStatus.READY:
        return f"Its state is {known.state.status.value}."
    if known.canary is not None and awaits_verdict(known.canary):
        return "Its canary has not decided yet."
    return ""
