"""What canaries need of a poll."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from triton_watch.records import ModelKey, ModelStatus
from triton_watch.slo.apart import rows_by_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import CanaryOptions, CanarySettings, ModelConfig, ModelState, SliTable, TargetSnapshot


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a poll said of the models, and what follows of it: nothing has to be done as long as it stays.

    `asked` are the models that are READY and are to be asked, in order, with their options.
    """

    models: tuple[ModelState, ...] | None
    configs: Mapping[str, ModelConfig] | None
    settings: CanarySettings
    ready: frozenset[ModelKey]
    asked: Mapping[ModelKey, CanaryOptions]

    def is_of(self, snapshot: TargetSnapshot, settings: CanarySettings) -> bool:
        """Whether a poll says the same: a target's index and configurations are replaced when they change."""
        same_models, same_configs = snapshot.models is self.models, snapshot.configs is self.configs
        return same_models and same_configs and settings is self.settings


def look(snapshot: TargetSnapshot, settings: CanarySettings) -> Seen:
    """Read a poll."""
    ready = ready_models(snapshot)
    every = ((key, settings.options_of(key.name)) for key in sorted(ready))
    asked = {key: options for key, options in every if options is not None}
    return Seen(snapshot.models, snapshot.configs, settings, ready, asked)


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


def pending_requests(table: SliTable | None, key: ModelKey) -> float:
    """Requests that wait for a model, by its name and version; NaN where the server does not say."""
    row = None if table is None else rows_by_name(table.models).get((key.name, key.version))
    return math.nan if table is None or row is None else float(table.frame.pending[row])
