"""What canaries need of a poll."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.records import ModelKey, ModelStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import TargetSnapshot


def is_heard(snapshot: TargetSnapshot) -> bool:
    """Whether this cycle's index was read: an old one says nothing new."""
    index = snapshot.probes.get("index")
    return snapshot.models is not None and index is not None and index.ok


def ready_models(snapshot: TargetSnapshot) -> frozenset[ModelKey]:
    """The models that the index calls READY."""
    return frozenset(state.key for state in snapshot.models or () if state.status is ModelStatus.READY)


def known_models(snapshot: TargetSnapshot) -> frozenset[ModelKey]:
    """All models that the index names."""
    return frozenset(state.key for state in snapshot.models or ())


def reloaded_models(snapshot: TargetSnapshot) -> frozenset[ModelKey]:
    """Models whose counters began again, by name and version: they, or the whole server, were loaded anew."""
    table = snapshot.slis
    if table is None or not table.was_reset.any():
        return frozenset()
    pairs = zip(table.models.keys, table.was_reset.tolist(), strict=True)
    return frozenset(ModelKey(key.name, key.version) for key, was_reset in pairs if was_reset)


def pending_requests(snapshot: TargetSnapshot) -> Mapping[ModelKey, float]:
    """Requests that wait for each model, by name and version; NaN where the server does not say."""
    table = snapshot.slis
    if table is None:
        return {}
    pairs = zip(table.models.keys, table.frame.pending.tolist(), strict=True)
    return {ModelKey(key.name, key.version): count for key, count in pairs}
