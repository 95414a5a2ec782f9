"""What is wrong with the models of a target: found once in each snapshot, and anew in what canaries say since."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from triton_watch.daemon.telling.memo import Memo
from triton_watch.records import CanaryVerdict, ModelKey
from triton_watch.slo.troubles import Level, find

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from triton_watch.records import CanaryState, TargetSnapshot
    from triton_watch.slo.troubles import Trouble

Troubles: TypeAlias = "dict[ModelKey | None, list[Trouble]]"
"""By model, problems first; None is the server."""
_FOUND: Final[Memo[Troubles]] = Memo()


def troubles_in(snapshot: TargetSnapshot, canaries: Mapping[ModelKey, CanaryState]) -> Troubles:
    """Return the troubles of a target, with what is known of its canaries now: they run between polls."""
    without = partial(_troubles, replace(snapshot, canaries=None))
    fixed = _FOUND.get(snapshot.target.name, (snapshot,), without)
    asked = _canaries_alone(snapshot, canaries)
    return _merged(fixed, _troubles(asked), asked.silent)


def troubles_of(troubles: Troubles, key: ModelKey) -> list[Trouble]:
    """The troubles of a model: those of its name and version are told without a namespace, or with one."""
    own = troubles.get(key, [])
    if not key.namespace:
        return own
    return _problems_first([*own, *troubles.get(ModelKey(key.name, key.version), [])])


def is_silent(snapshot: TargetSnapshot, key: ModelKey, canary: CanaryState | None) -> bool:
    """Whether the server counted success while the canary failed, which a canary may since have passed."""
    return key in snapshot.silent and (canary is None or canary.verdict is not CanaryVerdict.PASSING)


def _canaries_alone(snapshot: TargetSnapshot, canaries: Mapping[ModelKey, CanaryState]) -> TargetSnapshot:
    """The part of a snapshot that canaries are about."""
    silent = {key: one for key, one in snapshot.silent.items() if is_silent(snapshot, key, canaries.get(key))}
    return replace(snapshot, probes={}, models=(), slis=None, wedged={}, canaries=canaries, silent=silent)


def _troubles(snapshot: TargetSnapshot) -> Troubles:
    found: Troubles = {}
    for one in find(snapshot):
        found.setdefault(one.model, []).append(one)
    return found


def _merged(first: Troubles, canaries: Troubles, silent: Collection[ModelKey]) -> Troubles:
    """Put both together; of a model that fails in silence that comes first."""
    merged = dict(first)
    for key, more in canaries.items():
        known = merged.get(key, [])
        merged[key] = _problems_first([*more, *known] if key in silent else [*known, *more])
    return merged


def _problems_first(troubles: Iterable[Trouble]) -> list[Trouble]:
    return sorted(troubles, key=lambda one: one.level is not Level.PROBLEM)
