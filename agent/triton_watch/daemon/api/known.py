"""Whether there is what is asked about: a misspelt name is an error, and not an empty list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.conventions.paths import API
from triton_watch.daemon.api.errors import RefusedError, unknown
from triton_watch.daemon.api.kinds import shown
from triton_watch.daemon.queries import unknown_target
from triton_watch.daemon.telling.parts import is_named
from triton_watch.wording.text import listed, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.daemon.facts.model import ModelDetail
    from triton_watch.daemon.state import StateSource

_LISTED: Final = f"{API}models lists those that there are"


def check_target(source: StateSource, target: str | None) -> None:
    """Raise RefusedError (404) for a target that is not watched."""
    targets = source.targets()
    if target is not None and not any(is_named(name, target) for name in targets):
        raise unknown(unknown_target(target, targets))


def check_model(source: StateSource, target: str | None, model: str | None) -> None:
    """Raise RefusedError (404) for a model that no target has, or this one has not.

    While a target's models were never read, it may have any.
    """
    if model is None:
        return
    snapshots, names = source.snapshots(), set[str]()
    for name, watched in source.targets().items():
        if is_named(name, target):
            snapshot = snapshots.get(name)
            if snapshot is None or snapshot.models is None:
                return
            names.update(watched.expected_models, (state.key.name for state in snapshot.models))
    if not any(is_named(name, model) for name in names):
        raise _no_model(target, model, names)


def check_slo(source: StateSource, slo: str | None) -> None:
    """Raise RefusedError (404) for an objective that the configuration does not have."""
    names = [one.name for one in source.budgets().objectives]
    if slo is not None and slo not in names:
        raise unknown(f"There is no objective {shown(slo)}; there are: {', '.join(names) or 'none'}.")


def no_model(
    target: str, model: str, version: str | None, namespace: str | None, other: ModelDetail | None
) -> RefusedError:
    """The error about a model that there is not; `other` is the one of this name, where there is any."""
    if other is None:
        return _no_model(target, model, ())
    wanted = "" if version is None else f" of version {shown(version)}"
    within = "" if namespace is None else f" in namespace {shown(namespace)}"
    there = (f"{one.version} in namespace {one.namespace}" if one.namespace else one.version for one in other.versions)
    return unknown(
        f"There is no model {shown(model)}{wanted}{within}{_on(target)}; its versions are: "
        f"{listed(dict.fromkeys(there), 20)}."
    )


def _no_model(target: str | None, model: str, names: Iterable[str]) -> RefusedError:
    close = nearest(model[:100], names)
    meant = f" (did you mean {close!r}?)" if close else ""
    return unknown(f"There is no model {shown(model)}{_on(target)}{meant}; {_LISTED}.")


def _on(target: str | None) -> str:
    return "" if target is None else f" on target {shown(target)}"
