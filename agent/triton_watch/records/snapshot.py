"""What one poll cycle of one target found: built once, never changed, swapped in whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from triton_watch.records.canary import CanaryReason, CanaryState
    from triton_watch.records.metrics import FloatArray, HistogramFrame, MetricsFrame, ModelIndex
    from triton_watch.records.model import ModelConfig, ModelKey, ModelState, ServerInfo
    from triton_watch.records.outcome import ProbeResult
    from triton_watch.records.target import Target


@dataclass(frozen=True, slots=True, eq=False)
class ConfigVectors:
    """Facts of the models' configurations as vectors over a `ModelIndex`; `known` says where there is one."""

    known: NDArray[np.bool_]
    max_batch_size: FloatArray
    instances: FloatArray
    is_ensemble: NDArray[np.bool_]
    has_cache: NDArray[np.bool_]
    on_gpu: NDArray[np.float64]
    """(g, n): 1 where the model may run on that GPU, 0 where not, NaN where nobody can tell."""


@dataclass(frozen=True, slots=True, eq=False)
class SliTable:
    """The SLIs of an interval between two scrapes, for all models of a target.

    `interval` is in seconds. `values` is (len(Sli), n) in the order of `Sli`, NaN where there is no
    data; `slo.sli.value_of` turns a cell into `SliValue` or `NoData` with its reason.
    """

    interval: float
    models: ModelIndex
    values: FloatArray
    deltas: FloatArray
    """(len(Counter), n): increase of each counter, resets counted from zero."""
    is_new: NDArray[np.bool_]
    """(n,): the model was not on the previous page."""
    was_reset: NDArray[np.bool_]
    """(n,): a counter went down, so the model's counters started again."""
    configs: ConfigVectors
    gpu_share: FloatArray
    """(g, n): estimated share of each model in the compute_infer time on each GPU; NaN = unknown."""
    gpu_energy: FloatArray
    """(g,): joules used in the interval; NaN = not served."""
    frame: MetricsFrame
    """The page that ends the interval: gauges, quantiles and GPU values are read from it."""
    counters_off: bool = False
    completed: FloatArray | None = None
    """(n,): requests that were answered or failed, canaries among them, and canceled ones not; NaN = not served."""
    canaries: FloatArray | None = None
    """(2, n): canaries that passed and that failed in the interval; None = the target has none."""
    first_response: HistogramFrame | None = None
    """Increases of the first-response buckets (cumulative over the bounds); None = not served, or one page."""


@dataclass(frozen=True, slots=True)
class SilentFailure:
    """A model whose canaries fail while the server counts no failure. `at` is Unix seconds of the last such one.

    `counted_success` is by how much the server's success counter rose around it.
    """

    at: float
    reason: CanaryReason
    detail: str
    counted_success: float


WEDGED_POLLS: Final = 4
"""Polls in a row without an answer after which a model is wedged for sure."""


@dataclass(frozen=True, slots=True)
class Wedged:
    """A model with requests that wait, of which none was answered over so many polls and seconds."""

    polls: int
    seconds: float
    pending: float

    @property
    def is_sure(self) -> bool:
        """Whether it lasts for long enough to be said; before, only an alert's patience may begin."""
        return self.polls >= WEDGED_POLLS


@dataclass(frozen=True, slots=True, eq=False)
class TargetSnapshot:
    """One cycle of one target. `at` is Unix seconds at its end; `duration` is seconds.

    `live`, `ready`: None = unknown. `models`: None = the repository index could not be read, ever;
    otherwise the last index that could. `slis`: None = no metrics page in this cycle.
    """

    target: Target
    cycle: int
    at: float
    duration: float
    probes: Mapping[str, ProbeResult]
    live: bool | None = None
    ready: bool | None = None
    server: ServerInfo | None = None
    models: tuple[ModelState, ...] | None = None
    configs: Mapping[str, ModelConfig] | None = None
    """By model name."""
    slis: SliTable | None = None
    canaries: Mapping[ModelKey, CanaryState] | None = None
    """What is known of each model that has a canary; None = the target has none."""
    silent: Mapping[ModelKey, SilentFailure] = field(default_factory=dict)
    wedged: Mapping[ModelKey, Wedged] = field(default_factory=dict)
    ready_recently: tuple[bool | None, ...] = ()
    """`ready` of the last cycles, this one last."""
    heard_before: tuple[bool, ...] = ()
    """`is_heard` of the two cycles before this one."""

    @property
    def is_heard(self) -> bool:
        """Whether anything there answered as Triton does. What `server` was before this cycle proves nothing."""
        asked = self.probes.get("server")
        server = self.server if asked is None or asked.ok else None
        return any(one is not None for one in (self.live, self.ready, server, self.slis))

    @property
    def silent_cycles(self) -> int:
        """In how many of the last three cycles nothing there answered as Triton does."""
        return (*self.heard_before, self.is_heard).count(False)
