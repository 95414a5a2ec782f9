"""Service level objectives, as they are configured: what is promised of which models over which time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records.target import Credentials, Timeouts, TlsSettings


class SloSli(str, Enum):
    """What an objective may be about. The value is what the configuration says."""

    AVAILABILITY = "availability"
    QUEUE_TIME = "queue_time"
    REQUEST_TIME = "request_time"
    TTFT = "ttft"
    """Time to first token: Triton's first-response histogram, where the server has it."""
    BATCH_EFFICIENCY = "batch_efficiency"
    GPU_UTILIZATION = "gpu_utilization"
    CANARY = "canary"
    """Each canary is one event."""

    @property
    def is_time_based(self) -> bool:
        """Whether its events are seconds with traffic, judged by a ratio; all others are requests."""
        return self in (SloSli.BATCH_EFFICIENCY, SloSli.GPU_UTILIZATION)

    @property
    def is_latency(self) -> bool:
        """Whether its threshold is a time."""
        return self in (SloSli.QUEUE_TIME, SloSli.REQUEST_TIME, SloSli.TTFT)


class Page(str, Enum):
    """Who is told when a budget burns: somebody at once, or a ticket."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class BurnWindow:
    """One row of the burn-rate table (Google SRE Workbook, chapter 5, table 5-8). Times are seconds.

    It fires while the burn rates over `long` and over `short` are both above `factor`; `hold` is how long
    a rule should see that before it alerts.
    """

    severity: Page
    factor: float
    long: float
    short: float
    hold: float


@dataclass(frozen=True, slots=True)
class Goal:
    """The part of an objective that a model may have otherwise.

    `objective` is a ratio below 1. A value is good when `low` <= value <= `high`; None is open. Both are in
    the SLI's unit: seconds, or a ratio. `quantile` names a served quantile ("0.99") in place of the mean. A
    window with fewer than `min_events` events fires nothing.
    """

    objective: float
    low: float | None = None
    high: float | None = None
    quantile: str | None = None
    min_events: int = 20


@dataclass(frozen=True, slots=True)
class Override:
    """Another goal for the models that match one of the globs."""

    models: tuple[str, ...]
    goal: Goal


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective. `models` and `targets` are globs; `period` is seconds; `windows` are scaled to it."""

    name: str
    sli: SloSli
    goal: Goal
    period: float
    windows: tuple[BurnWindow, ...]
    models: tuple[str, ...] = ("*",)
    exclude_models: tuple[str, ...] = ()
    targets: tuple[str, ...] = ("*",)
    overrides: tuple[Override, ...] = ()
    description: str = ""
    no_data_after: float = 600.0
    """Seconds for which the indicator may have nothing to say before the verdict is "no data"."""

    @property
    def burn_lengths(self) -> frozenset[float]:
        """The burn windows, long and short, seconds."""
        return frozenset(length for window in self.windows for length in (window.long, window.short))

    def covers(self, target: str, model: str) -> bool:
        """Whether the objective is about this model of this target."""
        return matches(self.targets, target) and matches(self.models, model) and not matches(self.exclude_models, model)

    def goal_of(self, model: str) -> Goal:
        """The goal for a model: that of the first override that matches its name, else the objective's own."""
        return next((one.goal for one in self.overrides if matches(one.models, model)), self.goal)


def matches(globs: tuple[str, ...], name: str) -> bool:
    """Whether a name matches one of the globs (`*`, `?`, `[abc]`; case counts)."""
    return any(fnmatchcase(name, glob) for glob in globs)


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """A Prometheus, Thanos or Mimir to read history from. `url` has no slash at its end."""

    url: str
    timeouts: Timeouts
    credentials: Credentials
    tls: TlsSettings
    selector: tuple[tuple[str, str], ...] = ()
    """Label and value that the agent's series must have, such as cluster and its name."""


@dataclass(frozen=True, slots=True)
class SloSettings:
    """The `slo` section. Times are seconds.

    `state_dir`: where the store lives; None = in memory only. `are_defaults`: nobody configured objectives.
    """

    objectives: tuple[Objective, ...] = ()
    are_defaults: bool = False
    state_dir: Path | None = None
    flush_interval: float = 30.0
    no_data_after: float = 600.0
    prometheus: PrometheusSettings | None = None
