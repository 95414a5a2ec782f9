"""Where a model stands, and the first thing to know of it.

What was known of the models of a server that is silent, or was not polled of late, is old: nobody can tell whether
it still holds, so they are unknown, whatever canaries say: a canary that a dead server does not answer says nothing
of the model. Only that nobody asked for a model to be loaded outlives the silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.daemon.facts.standing import Standing
from triton_watch.records import CanaryVerdict, ModelStatus, Verdict
from triton_watch.slo.serving import awaits_verdict, why_unasked
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


_WHY_NOT_HEARD: Final = {
    Knowledge.NOT_POLLED: "its server is not polled yet",
    Knowledge.STALE: "its server was not polled of late",
    Knowledge.SILENT: "its server does not answer",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a model's standing is formed of.

    `troubles` are its own, problems first; `index_read`: ever; `metrics_read`: in this poll.
    """

    knowledge: Knowledge
    state: ModelState | None
    canary: CanaryState | None
    troubles: Sequence[Trouble] = ()
    left: Left | None = None
    silent: bool = False
    wedged: bool = False
    index_read: bool = True
    metrics_read: bool = True


class Judged(NamedTuple):
    """The standing and the sentence for it, "" = nothing to say."""

    standing: Standing
    headline: str


def judged(known: Evidence) -> Judged:
    """Return the worst that is to be said of a model."""
    if _is_unwanted(known.state):
        return Judged(Standing.UNLOADED, "")
    if known.knowledge is not Knowledge.HEARD:
        return Judged(Standing.UNKNOWN, f"Not known: {_WHY_NOT_HEARD[known.knowledge]}.")
    said = known.troubles[0].sentence if known.troubles else ""
    if known.silent:
        return Judged(Standing.WRONG, said or "Silent failure: its canary fails, and Triton counts success.")
    if _fails(known):
        return Judged(Standing.FAILING, said or "Its canary fails, or its requests wait in vain.")
    return _working(known)


def _working(known: Evidence) -> Judged:
    """A model that does not fail: its troubles are advice."""
    unasked = "" if known.canary is None else why_unasked(known.canary)
    advice = next((one.sentence for one in known.troubles if one.sentence != unasked), "")
    if known.left is not None and known.left.burns:
        return Judged(Standing.BURNING, _burning(known.left, advice))
    unknown = _unknown(known)
    if unknown:
        return Judged(Standing.UNKNOWN, unknown)
    said = unasked or advice
    return Judged(Standing.ADVICE if said else Standing.OK, said)


def _is_unwanted(state: ModelState | None) -> bool:
    unloaded = (ModelStatus.UNLOADED, ModelStatus.NOT_LOADED)
    return state is not None and state.status in unloaded and not state.expected


def _fails(known: Evidence) -> bool:
    """Whether something says so: a problem, problems being the first of the troubles, or what should be one."""
    is_problem = bool(known.troubles) and known.troubles[0].level is Level.PROBLEM
    return is_problem or known.wedged or _canary_fails(known)


def _canary_fails(known: Evidence) -> bool:
    return known.canary is not None and known.canary.verdict is CanaryVerdict.FAILING


def _canary_passes(known: Evidence) -> bool:
    return known.canary is not None and known.canary.verdict is CanaryVerdict.PASSING


def _burning(left: Left, advice: str) -> str:
    ends = f": {advice}" if advice else "."
    slo = words.name(left.burns)
    if left.burns != left.slo:
        return f"The error budget of {slo} burns or is exhausted{ends}"
    if left.verdict is Verdict.EXHAUSTED:
        return f"The error budget of {slo} is exhausted{ends}"
    share = words.percent(left.remaining)
    return f"The error budget of {slo} burns{f' ({share} is left)' if advice else f': {share} is left'}{ends}"


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
    if not known.metrics_read and not _canary_passes(known):
        return "Its server's metrics could not be read."
    return ""
