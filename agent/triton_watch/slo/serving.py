"""The verdict on a server that Triton does not give: whether a client that comes now would be served."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from triton_watch.records import CanaryVerdict, ModelStatus, SkipReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from triton_watch.records import CanarySettings, CanaryState, ModelKey, ModelState, TargetSnapshot, Wedged

_STALE_CYCLES: Final = 4
"""Intervals without a poll after which nothing is known any more."""
_STALE_SLACK: Final = 5.0


class Serving(str, Enum):
    """The verdict. Only SERVING is answered with HTTP 200."""

    SERVING = "serving"
    NOT_SERVING = "not_serving"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ServingVerdict:
    """The verdict with its reasons, one sentence each; without reasons all is well."""

    verdict: Serving
    reasons: tuple[str, ...] = ()


def serving_of(
    snapshot: TargetSnapshot | None,
    states: Mapping[ModelKey, CanaryState],
    settings: CanarySettings,
    now: float,
    model: str | None = None,
) -> ServingVerdict:
    """Judge a target, or one `model` of it, at Unix time `now`.

    Without `model` the expected models count, and where none are expected all that are ready.
    """
    if snapshot is None:
        return ServingVerdict(Serving.UNKNOWN, ("it has not been polled yet",))
    if is_stale(snapshot, now):
        return ServingVerdict(Serving.UNKNOWN, (f"it was last polled {now - snapshot.at:.0f} s ago",))
    found = [*_of_server(snapshot, settings), *_of_models(snapshot, states, model)]
    for verdict in (Serving.NOT_SERVING, Serving.UNKNOWN):
        reasons = tuple(reason for of, reason in found if of is verdict)
        if reasons:
            return ServingVerdict(verdict, reasons)
    return ServingVerdict(Serving.SERVING)


def is_stale(snapshot: TargetSnapshot, now: float) -> bool:
    """Whether a target's last poll is too long ago to say anything of it at Unix time `now`."""
    return now - snapshot.at > _STALE_CYCLES * snapshot.target.interval + _STALE_SLACK


def awaits_verdict(state: CanaryState) -> bool:
    """Whether a model's canary should have decided and has not; one that cannot be sent is no fault of the model."""
    return state.verdict is CanaryVerdict.UNKNOWN and state.last_skip not in _NO_FAULT


def why_unasked(state: CanaryState) -> str:
    """Return a sentence that says why no canary can ask a model; "" = one can."""
    skip = state.last_skip if state.verdict is CanaryVerdict.UNKNOWN else None
    why = state.note or ("" if skip is None else _CANNOT_ASK.get(skip, ""))
    ends = "" if why.endswith((".", "?", "!")) else "."
    return f"No canary asks it: {why}{ends}" if why else ""


_CANNOT_ASK: Final = {
    SkipReason.NO_INPUT: "no input can be made for it; give one in canary.overrides of the configuration",
    SkipReason.NEEDS_GRPC: "it answers over gRPC alone, and the server's gRPC does not answer; see canary.protocol, "
    "and grpc of the target",
}
_NO_FAULT: Final = (*_CANNOT_ASK, SkipReason.PENDING)
"""Reasons for which a model may never have had a canary, and be served all the same."""

_Found = tuple[Serving, str]


def _of_server(snapshot: TargetSnapshot, settings: CanarySettings) -> Iterator[_Found]:
    """The server's own no counts at once; silence counts when it is no longer a blip."""
    if snapshot.ready is False:
        yield Serving.NOT_SERVING, "the server says that it is not ready"
        return
    recent = snapshot.ready_recently[-settings.window :] or (snapshot.ready,)
    silent = sum(1 for ready in recent if ready is not True)
    if silent >= min(settings.failures, len(recent)) and snapshot.ready is not True:
        yield Serving.NOT_SERVING, "the server does not say that it is ready: it did not answer"


def _of_models(snapshot: TargetSnapshot, states: Mapping[ModelKey, CanaryState], model: str | None) -> Iterator[_Found]:
    if snapshot.models is None:
        yield Serving.UNKNOWN, "the repository index, which names the models, was never read"
        return
    wedged = {of[:2]: one for of, one in snapshot.wedged.items() if one.is_sure}
    by_name: dict[str, list[ModelState]] = {}
    for state in snapshot.models:
        by_name.setdefault(state.key.name, []).append(state)
    for name in _wanted(snapshot, model):
        versions = by_name.get(name, [])
        ready = [state for state in versions if state.status is ModelStatus.READY]
        if not ready:
            yield _unready(name, versions)
        for state in ready:
            yield from _of_wedge(state.key, wedged.get(state.key[:2]))
            yield from _of_canary(states.get(state.key))


def _of_wedge(key: ModelKey, wedged: Wedged | None) -> Iterator[_Found]:
    if wedged is not None:
        yield (
            Serving.NOT_SERVING,
            f"{key.name}:{key.version} is wedged: {wedged.pending:.0f} requests wait, and none was answered "
            f"for {wedged.seconds:.0f} s",
        )


def _wanted(snapshot: TargetSnapshot, model: str | None) -> tuple[str, ...]:
    if model is not None:
        return (model,)
    if snapshot.target.expected_models:
        return snapshot.target.expected_models
    ready = (state.key.name for state in snapshot.models or () if state.status is ModelStatus.READY)
    return tuple(dict.fromkeys(ready))


def _unready(name: str, versions: list[ModelState]) -> _Found:
    status = versions[0].status.value if versions else "not in the repository index"
    return Serving.NOT_SERVING, f"{name} is not ready: {status}"


def _of_canary(state: CanaryState | None) -> Iterator[_Found]:
    """A model without a canary, or with one that cannot be sent, is as ready as the server says."""
    if state is None:
        return
    name = f"{state.key.name}:{state.key.version}"
    if state.verdict is CanaryVerdict.FAILING:
        failure = state.last_failure
        said = "" if failure is None else f": {failure.reason.value}: {' '.join(failure.detail.split())}"
        yield Serving.NOT_SERVING, f"the canary of {name} fails{said.rstrip(': ')}"
    elif awaits_verdict(state):
        yield Serving.UNKNOWN, f"the canary of {name} has not decided yet"
