"""Canaries: what is asked of each model and when, what came of it, and what that says of the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from triton_watch.records.objective import matches

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from triton_watch.records.model import ModelKey

Values: TypeAlias = "bool | int | float | str | tuple[Values, ...]"
"""Data of a tensor as a person writes it: a scalar, or nested sequences of them."""

LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the latency histogram, seconds: the usual ones of Prometheus's clients."""


class CanaryReason(str, Enum):
    """How a canary ended, each way to fail under a name of its own. The value is the `reason` label on metrics."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    """No connection, or it broke before an answer."""
    DEADLINE = "deadline"
    """No complete answer within the canary's timeout; the request was canceled."""
    OVERLOADED = "overloaded"
    """The server takes no more requests: HTTP 503, gRPC UNAVAILABLE (a full queue, a queue timeout)."""
    NOT_SERVED = "not_served"
    """The index said READY, and the server knows no such model or no ready version of it."""
    REFUSED = "refused"
    """The server refuses the request itself: HTTP 4xx, gRPC INVALID_ARGUMENT and the like."""
    SERVER_ERROR = "server_error"
    UNREADABLE = "unreadable"
    """An answer that cannot be read: its bytes do not fit the shape and type that it claims."""
    WRONG_VERSION = "wrong_version"
    MISSING_OUTPUT = "missing_output"
    EXTRA_OUTPUT = "extra_output"
    WRONG_DTYPE = "wrong_dtype"
    WRONG_SHAPE = "wrong_shape"
    NOT_FINITE = "not_finite"
    CONSTANT = "constant"
    """All values are zero, or all the same, where those of the golden answer are not."""
    SWAPPED = "swapped"
    """The answer to the other input: a stale one, or another caller's."""
    GOLDEN_MISMATCH = "golden_mismatch"
    TOO_FEW_RESPONSES = "too_few_responses"
    TOO_MANY_RESPONSES = "too_many_responses"
    TOO_SLOW = "too_slow"

    @property
    def was_served(self) -> bool:
        """Whether the server gave an answer that it takes for a success."""
        return self not in _NOT_SERVED

    @property
    def has_answer(self) -> bool:
        """Whether the server answered at all, be it with an error of the model."""
        return self is CanaryReason.SERVER_ERROR or self.was_served


_NOT_SERVED = frozenset(
    {
        CanaryReason.UNREACHABLE,
        CanaryReason.DEADLINE,
        CanaryReason.OVERLOADED,
        CanaryReason.NOT_SERVED,
        CanaryReason.REFUSED,
        CanaryReason.SERVER_ERROR,
    }
)


class SkipReason(str, Enum):
    """Why a canary that was due was not sent."""

    PENDING = "pending"
    """Too many requests wait for the model already."""
    BACKING_OFF = "backing_off"
    """The server does not answer; canaries come at a slower pace until it does."""
    STILL_RUNNING = "still_running"
    """The one before has not ended, or no thread was free."""
    NOT_READY = "not_ready"
    """The model is not ready, which is reported already."""
    NO_INPUT = "no_input"
    """No input can be made for the model: give one."""
    NEEDS_GRPC = "needs_grpc"
    """A decoupled model answers over gRPC alone, and there is none."""


class CanaryVerdict(str, Enum):
    """What the last canaries say of a model."""

    PASSING = "passing"
    FAILING = "failing"
    UNKNOWN = "unknown"
    """None has run yet, or none of late."""


class Protocol(str, Enum):
    """What canaries speak. AUTO is gRPC, and HTTP where there never was any gRPC."""

    AUTO = "auto"
    GRPC = "grpc"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class GivenTensor:
    """One input as somebody gave it: `values` in place, or a `file` (.npy). `shape` includes the batch dimension."""

    name: str
    values: Values | None = None
    file: Path | None = None
    shape: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class GivenInput:
    """One whole input of a model: tensors, or a `file` (.npz, one array for each input, or JSON as Triton takes it)."""

    tensors: tuple[GivenTensor, ...] = ()
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class CanaryOptions:
    """How one model is asked. Times are seconds.

    `max_latency`: an answer that took longer is too slow; None = the timeout alone. `dynamic_size` is what
    stands in place of a dimension of -1; `optional_inputs` gives the optional ones, too. `min_responses`
    and `max_responses` bound a decoupled model's stream. `parameters` are sent with each request.
    """

    enabled: bool = True
    interval: float = 30.0
    timeout: float = 5.0
    start_delay: float = 0.0
    max_latency: float | None = None
    max_pending: int = 20
    dynamic_size: int = 1
    batch_size: int = 1
    optional_inputs: bool = False
    allow_non_finite: bool = False
    min_responses: int = 1
    max_responses: int | None = None
    inputs: tuple[GivenInput, ...] = ()
    parameters: tuple[tuple[str, bool | int | float | str], ...] = ()


@dataclass(frozen=True, slots=True)
class CanarySettings:
    """The `canary` section. `jitter` is a share of the interval.

    A model is failing while at least `failures` of its last `window` canaries failed. `goldens` is the
    folder of recorded answers. `overrides` are globs and the whole options of the models that match; the
    first that matches wins. `concurrency` is canaries at the same time, over all targets.
    """

    options: CanaryOptions = CanaryOptions()
    models: tuple[str, ...] = ("*",)
    exclude_models: tuple[str, ...] = ()
    protocol: Protocol = Protocol.AUTO
    concurrency: int = 4
    jitter: float = 0.1
    failures: int = 2
    window: int = 3
    goldens: Path | None = None
    overrides: tuple[tuple[tuple[str, ...], CanaryOptions], ...] = ()

    def options_of(self, model: str) -> CanaryOptions | None:
        """How a model is asked; None = it is not."""
        found = next((options for globs, options in self.overrides if matches(globs, model)), self.options)
        asked = matches(self.models, model) and not matches(self.exclude_models, model)
        return found if asked and found.enabled else None


@dataclass(frozen=True, slots=True)
class CanaryResult:
    """One canary. `at` is Unix seconds at its end, `began` and `ended` monotonic seconds.

    `detail` is one sentence with the server's own text. `latency` is seconds from the first request to the last
    answer, `first_response` to the first one; None = no answer. `requests` were sent: a sequence has several.
    `variant` numbers the input. `overhead` is seconds that the agent itself was busy.
    """

    key: ModelKey
    at: float
    began: float
    ended: float
    reason: CanaryReason
    detail: str = ""
    latency: float | None = None
    first_response: float | None = None
    responses: int = 0
    requests: int = 1
    variant: int = 0
    overhead: float = 0.0
    checked_golden: bool = False
    was_made_up: bool = False
    """Nobody gave the input: the model may have a right to refuse it."""

    @property
    def ok(self) -> bool:
        """Whether the model did what it should."""
        return self.reason is CanaryReason.OK


@dataclass(frozen=True, slots=True)
class CanarySent:
    """Canaries of one model between two polls, an ensemble's canaries counted with its members, too.

    `passed` and `failed` are canaries of the model itself. `served` requests were answered as successes, `broken`
    ones with an error of the model; `rows` is the sum of the batches of both.
    """

    passed: int = 0
    failed: int = 0
    served: int = 0
    broken: int = 0
    rows: int = 0


@dataclass(frozen=True, slots=True)
class CanaryState:
    """What is known of a model version's canaries; never changed, replaced whole.

    `recent` are the last outcomes, the oldest first, True = passed; at most 20. `buckets` counts latencies by
    `LATENCY_BUCKETS`, not cumulative, the last those above all bounds. `first_call` is the latency of the
    first canary after the model was loaded. Counts are since the process began.
    """

    key: ModelKey
    verdict: CanaryVerdict = CanaryVerdict.UNKNOWN
    last: CanaryResult | None = None
    last_failure: CanaryResult | None = None
    recent: tuple[bool, ...] = ()
    runs: Mapping[CanaryReason, int] = field(default_factory=lambda: MappingProxyType({}))
    skipped: Mapping[SkipReason, int] = field(default_factory=lambda: MappingProxyType({}))
    last_skip: SkipReason | None = None
    buckets: tuple[int, ...] = (0,) * (len(LATENCY_BUCKETS) + 1)
    latency_sum: float = 0.0
    first_call: float | None = None
    requests: int = 0
    overhead: float = 0.0
    has_golden: bool = False
    note: str = ""
    """Why no canary can be sent, in a sentence."""
    interval: float = 0.0
    """Seconds between two canaries."""

    @property
    def availability(self) -> float | None:
        """Share of the recent canaries that passed: what a client of the model sees; None = none ran."""
        return sum(self.recent) / len(self.recent) if self.recent else None
