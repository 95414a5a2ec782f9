"""What was: the last hour of each model, what went wrong and when, and the canaries of late. All in memory, bounded."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    import numpy as np
    from numpy.typing import NDArray

    from triton_watch.records.canary import CanaryReason
    from triton_watch.records.metrics import ModelIndex


class Sum(IntEnum):
    """Rows of `RecentSlot.sums`: what ratios are formed of, last of all."""

    GOOD = 0
    """Requests that were answered."""
    BAD = 1
    """Requests that failed."""
    QUEUE = 2
    """Seconds that the answered requests waited, added up."""
    REQUEST = 3
    """Seconds that they took, added up."""
    INFERENCES = 4
    EXECUTIONS = 5
    SECONDS = 6
    """Seconds for which the model was watched in the slot."""


@dataclass(frozen=True, slots=True, eq=False)
class RecentSlot:
    """What happened to the models of one target from `begin` (Unix seconds) on, for `seconds` at most.

    `sums` is (len(Sum), n) over `models`. A slot that has not ended is replaced by a fuller one with the next poll.
    A poll belongs to the slot in which it ended, whole: SECONDS may be more than `seconds` where polls are far apart,
    and is 0 for a model that was not watched. NaN = what the sum is of is not served, or a model has none of it.
    """

    begin: float
    seconds: float
    models: ModelIndex
    sums: NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class RecentTable:
    """The last hour of one target, the oldest slot first; a slot without any poll is not there."""

    slots: tuple[RecentSlot, ...] = ()


class EventKind(str, Enum):
    """What an event is about."""

    PROBE = "probe"
    MODEL = "model"
    CANARY = "canary"
    ALERT = "alert"


class EventLevel(str, Enum):
    """Whether something went wrong, or is well again."""

    TROUBLE = "trouble"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a target or a model of it. `at` and `last` are Unix seconds.

    The same thing again, with nothing else about the same subject in between, counts up `count` and moves `last`.
    """

    at: float
    last: float
    kind: EventKind
    level: EventLevel
    target: str
    sentence: str
    model: str = ""
    version: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True)
class CanaryRun:
    """One canary of late; times are Unix seconds and seconds, None = no answer."""

    at: float
    reason: CanaryReason
    latency: float | None = None
    first_response: float | None = None


@dataclass(frozen=True, slots=True)
class CanaryFailure:
    """Canaries that failed in one way with one detail, with no other failure in between."""

    reason: CanaryReason
    detail: str
    first: float
    last: float
    count: int = 1


@dataclass(frozen=True, slots=True)
class CanaryHistory:
    """The last canaries of a model, the newest first, and its failures, which are kept for longer."""

    runs: tuple[CanaryRun, ...] = ()
    failures: tuple[CanaryFailure, ...] = ()


@dataclass(frozen=True, slots=True)
class CycleMark:
    """One poll cycle: its end in Unix seconds, its length in seconds, and how many of its probes failed."""

    at: float
    seconds: float
    failed: int = 0


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the agent's own log, at level warning or worse. `at` is Unix seconds, `level` as logging names it."""

    at: float
    level: str
    message: str
    facts: str = ""
    """`key=value …`, as the log writes them."""


@dataclass(frozen=True, slots=True)
class BatchSizes:
    """Executions of a model by batch size since it was loaded, as the statistics extension tells.

    `at` is Unix seconds of the answer. `problem` says in a sentence why nothing is known, "" = something is.
    """

    at: float
    executions: Mapping[int, int] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """Everything of the agent's that is about the past, except canaries; by target where it is of one."""

    recent: Mapping[str, RecentTable] = field(default_factory=dict)
    cycles: Mapping[str, tuple[CycleMark, ...]] = field(default_factory=dict)
    """The oldest first."""
    events: tuple[Event, ...] = ()
    """The newest first."""


@dataclass(frozen=True, slots=True)
class AgentStatus:
    """The process itself. `started` is Unix seconds, `memory` resident bytes, `cpu` seconds since the start."""

    started: float
    memory: int
    cpu: float
    threads: int
    log: tuple[LogLine, ...] = ()
    """The newest first."""
    warnings: int = 0
    """Lines of the log at level warning since the process began, `errors` those that are worse."""
    errors: int = 0
