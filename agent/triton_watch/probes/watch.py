"""What is known about one target from cycle to cycle: the state that probes read and update.

Touched by one thread at a time: the one that runs the target's cycle.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from triton_watch.records import (
    ConfigVectors,
    MetricsFrame,
    ModelConfig,
    ModelIndex,
    ModelKey,
    ModelState,
    ModelStatus,
    ServerInfo,
    Target,
)
from triton_watch.slo.facts import config_vectors
from triton_watch.triton.scrape import MetricsReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.triton.client import TritonClient


@dataclass(slots=True)
class Watch:
    """One target's client, readers and latest knowledge."""

    target: Target
    client: TritonClient
    reader: MetricsReader = field(default_factory=MetricsReader)
    live: bool | None = None
    ready: bool | None = None
    server: ServerInfo | None = None
    index: tuple[ModelState, ...] | None = None
    """The last index that could be read, as it came."""
    configs: Mapping[str, ModelConfig] = field(default_factory=dict)
    """By model name; replaced, never changed, so that snapshots can keep it."""
    configured_as: dict[str, tuple[ModelKey, ...]] = field(default_factory=dict)
    """For each model, the ready versions that there were when its configuration was fetched."""
    settled: tuple[ModelState, ...] | None = None
    """The index whose configurations have all been fetched: while it stays, there is nothing to do."""
    frame: MetricsFrame | None = None
    """This cycle's metrics page; None when there was none."""
    baseline: MetricsFrame | None = None
    """The last metrics page before this cycle."""
    _states: tuple[tuple[ModelState, ...] | None, tuple[ModelState, ...] | None] = (None, None)
    _vectors: tuple[ModelIndex, Mapping[str, ModelConfig], tuple[str, ...], ConfigVectors] | None = None

    def begin_cycle(self) -> None:
        """Forget what only one cycle may claim; the last page becomes the interval's start."""
        if self.frame is not None:
            self.baseline = self.frame
        self.frame = None
        self.live = self.ready = None

    def forget_config(self, name: str) -> None:
        """Have a model's configuration fetched again: the model was loaded anew."""
        self.configured_as.pop(name, None)
        self.settled = None

    def states(self) -> tuple[ModelState, ...] | None:
        """Return the index with expected models marked, and those that it does not know added as MISSING."""
        if self.index is None or not self.target.expected_models:
            return self.index
        known, states = self._states
        if known is not self.index:
            states = _with_expected(self.index, self.target.expected_models)
            self._states = (self.index, states)
        return states

    def vectors(self, frame: MetricsFrame) -> ConfigVectors:
        """Return the configurations as vectors over the frame's models; made anew only when either changed."""
        if self._vectors is not None:
            models, configs, gpus, vectors = self._vectors
            if models is frame.models and configs is self.configs and gpus == frame.gpus:
                return vectors
        vectors = config_vectors(frame.models, self.configs, frame.gpus, self.target.gpus)
        self._vectors = (frame.models, self.configs, frame.gpus, vectors)
        return vectors


def _with_expected(index: tuple[ModelState, ...], expected: tuple[str, ...]) -> tuple[ModelState, ...]:
    wanted = set(expected)
    known = {state.key.name for state in index}
    marked = tuple(
        ModelState(state.key, state.status, state.reason, expected=True) if state.key.name in wanted else state
        for state in index
    )
    missing = tuple(
        ModelState(ModelKey(name, ""), ModelStatus.MISSING, "not in the repository index", expected=True)
        for name in expected
        if name not in known
    )
    return marked + missing
