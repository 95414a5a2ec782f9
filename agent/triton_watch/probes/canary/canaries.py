"""All canaries of one target: which models have one, what each run comes to, when the next one should be.

`follow` is called by the thread that polls the target, `run` by the threads that run canaries; readers take
`states()`, which never changes after it was handed out.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.probes.canary.backoff import Backoff
from triton_watch.probes.canary.golden.files import fingerprint, load
from triton_watch.probes.canary.golden.model import GoldenError
from triton_watch.probes.canary.inputs import NoInputError
from triton_watch.probes.canary.memory import Memory
from triton_watch.probes.canary.plan import Kind, Plan, plan_of
from triton_watch.probes.canary.record import NotRecordedError, record
from triton_watch.probes.canary.run import Clocks, InferClient, Run
from triton_watch.probes.canary.sent import SentCounts, members_of
from triton_watch.probes.canary.states import after_run, after_skip, is_undecided, with_failure
from triton_watch.probes.canary.transport import Transport
from triton_watch.records import (
    CanaryReason,
    CanaryState,
    ModelStatus,
    Protocol,
    SkipReason,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.probes.canary.golden.model import Golden
    from triton_watch.records import (
        CanaryOptions,
        CanaryResult,
        CanarySent,
        CanarySettings,
        ModelConfig,
        ModelKey,
        ServerInfo,
        Target,
        TargetSnapshot,
    )

FIRST_CALL_PATIENCE: Final = 6.0
"""The first request after a load may take so many times the timeout: many models get warm only then."""
_LONGEST_FIRST_CALL: Final = 60.0
_CONFIRM: Final = 6.0
"""A canary that says otherwise than the verdict is followed by the next one after this part of the interval."""
_LONGEST_CONFIRM: Final = 5.0


@dataclass(slots=True)
class _Canary:
    """One model version's canary."""

    key: ModelKey
    options: CanaryOptions
    config: ModelConfig | None = None
    golden_files: object = None
    plan: Plan | None = None
    memory: Memory = field(default_factory=Memory)
    variant: int = 0
    is_first: bool = True
    unconfirmed: float | None = None
    """When the server said that it does not serve the model, while the index said READY (monotonic seconds)."""
    members: Mapping[ModelKey, int] = field(default_factory=dict)
    busy: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Followed:
    """What a poll changed: models that have a canary from now on, and models that have none any more."""

    begun: tuple[ModelKey, ...] = ()
    ended: tuple[ModelKey, ...] = ()


class TargetCanaries:
    """The canaries of one target. `client` asks it; `rng` makes ids."""

    def __init__(
        self,
        target: Target,
        settings: CanarySettings,
        *,
        client: InferClient | None = None,
        clocks: Clocks | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.target = target
        self.settings = settings
        self._clocks = clocks or Clocks()
        self._transport = client or Transport(target, settings.protocol, clock=self._clocks.clock)
        rng = rng or random.Random()  # noqa: S311 - ids of requests, no secret
        self._run = Run(self._transport, rng, self._clocks)
        self._lock = threading.Lock()
        self._canaries: dict[ModelKey, _Canary] = {}
        self._states: Mapping[ModelKey, CanaryState] = MappingProxyType({})
        self._resting: dict[ModelKey, CanaryState] = {}
        self._pending: Mapping[ModelKey, float] = {}
        self._server: ServerInfo | None = None
        self._sent = SentCounts()
        self._backoff = Backoff(settings.options.interval)

    def states(self) -> Mapping[ModelKey, CanaryState]:
        """What is known of each model that has a canary."""
        return self._states

    def interval_of(self, key: ModelKey) -> float:
        """Seconds between two canaries of a model."""
        return self._options_of(key).interval

    def start_delay_of(self, key: ModelKey) -> float:
        """Seconds that a model is left alone after it became ready."""
        return self._options_of(key).start_delay

    def reconfigure(self, settings: CanarySettings) -> tuple[ModelKey, ...]:
        """Go over to other settings; return the models whose canaries ended, to begin anew with the next poll."""
        self.settings = settings
        ended = tuple(self._canaries)
        for key in ended:
            self._end(key, keep=True)
        self._backoff = Backoff(settings.options.interval)
        return ended

    def variants_of(self, key: ModelKey) -> int:
        """How many inputs a model's canary has; at least 1."""
        plan = self._canaries[key].plan
        return 1 if plan is None else len(plan.variants)

    def plan_of(self, key: ModelKey) -> Plan | None:
        """What a model is asked; None = it cannot be, and the note of its state says why."""
        return self._canaries[key].plan

    def record(self, key: ModelKey, *, repeats: int, ignore: frozenset[str] = frozenset()) -> Golden:
        """Make a golden of what the model answers now. Raises `NotRecordedError`."""
        plan = self._canaries[key].plan
        if plan is None:
            raise NotRecordedError(self._states[key].note)
        golden = record(self._run, plan, Memory(), repeats=repeats, ignore=ignore)
        at = dt.datetime.fromtimestamp(self._clocks.now(), dt.timezone.utc)
        server = ("", "") if self._server is None else (self._server.name, self._server.version)
        return replace(golden, recorded_at=at.isoformat(timespec="seconds"), server=server)

    def take_sent(self) -> Mapping[ModelKey, CanarySent]:
        """The canaries since the last call, as the server counts them."""
        with self._lock:
            return self._sent.take()

    def follow(self, snapshot: TargetSnapshot) -> Followed:
        """Take a poll in: models that became ready get a canary, those that were loaded anew begin anew."""
        if snapshot.models is None or not _is_heard(snapshot):
            return Followed()
        ready = {
            state.key: options
            for state in snapshot.models
            if state.status is ModelStatus.READY and (options := self.settings.options_of(state.key.name)) is not None
        }
        configs = snapshot.configs or {}
        everything = frozenset(state.key for state in snapshot.models if state.status is ModelStatus.READY)
        reloaded = _reloaded(snapshot)
        self._pending = _pending(snapshot)
        self._server = snapshot.server
        if snapshot.live:
            self._backoff.answered()
        begun = [key for key in ready if key not in self._canaries or key in reloaded]
        ended = [key for key in self._canaries if key not in ready]
        known = {state.key for state in snapshot.models}
        for key in ended:
            self._end(key, keep=key in known)
        for key, options in ready.items():
            config = configs.get(key.name)
            if key in begun or self._canaries[key].config is not config:
                self._begin(key, options, config, members_of(config, configs, everything) if config else {})
            self._confirm(key, snapshot)
        return Followed(tuple(begun), tuple(ended))

    def run(self, key: ModelKey) -> CanaryResult | None:
        """Run the canary of a model now, or note why not; None = it was not sent. Never twice at once for one model."""
        canary = self._canaries.get(key)
        if canary is None:
            return None
        if not canary.busy.acquire(blocking=False):
            self.skip(key, SkipReason.STILL_RUNNING)
            return None
        try:
            return self._run_one(canary)
        finally:
            canary.busy.release()

    def skip(self, key: ModelKey, reason: SkipReason) -> None:
        """Note that a canary that was due was not sent."""
        with self._lock:
            state = self._states.get(key)
            if state is not None:
                self._put(after_skip(state, reason))

    def hurry(self, key: ModelKey) -> float | None:
        """Seconds until the next canary where it should not wait for its turn; None = let it wait."""
        state, canary = self._states.get(key), self._canaries.get(key)
        if state is None or canary is None or not is_undecided(state):
            return None
        return min(canary.options.interval / _CONFIRM, _LONGEST_CONFIRM)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _options_of(self, key: ModelKey) -> CanaryOptions:
        """A model's options; those of all where it is gone meanwhile."""
        canary = self._canaries.get(key)
        return self.settings.options if canary is None else canary.options

    def _run_one(self, canary: _Canary) -> CanaryResult | None:
        self._renew_golden(canary)
        plan, state = canary.plan, self._states.get(canary.key)
        obstacle = self._obstacle(canary, plan)
        if plan is None or state is None or obstacle is not None:
            self.skip(canary.key, obstacle or SkipReason.NO_INPUT)
            return None
        timeout = plan.options.timeout
        if canary.is_first:
            timeout = max(timeout, min(FIRST_CALL_PATIENCE * timeout, _LONGEST_FIRST_CALL))
        variant = canary.variant % len(plan.variants)
        result = self._run.once(plan, variant, canary.memory, timeout=timeout)
        if canary.is_first and result.reason is CanaryReason.TOO_SLOW:
            result = replace(result, reason=CanaryReason.OK, detail="")
        canary.variant += 1
        self._keep(canary, result)
        return result

    def _obstacle(self, canary: _Canary, plan: Plan | None) -> SkipReason | None:
        if plan is None:
            return SkipReason.NO_INPUT
        speaks_http = isinstance(self._transport, Transport) and self._transport.protocol is Protocol.HTTP
        if plan.kind is Kind.STREAM and speaks_http:
            return SkipReason.NEEDS_GRPC
        if self._pending.get(canary.key, 0.0) > plan.options.max_pending:
            return SkipReason.PENDING
        with self._lock:
            return None if self._backoff.may_go(self._clocks.clock()) else SkipReason.BACKING_OFF

    def _keep(self, canary: _Canary, result: CanaryResult) -> None:
        with self._lock:
            if result.reason in (CanaryReason.UNREACHABLE, CanaryReason.DEADLINE):
                self._backoff.unanswered(result.key, result.ended, len(self._canaries))
            else:
                self._backoff.answered()
            rows = 1 if canary.plan is None else canary.plan.batch_size or 1
            self._sent.add(result, rows, canary.members)
            state = self._states.get(result.key)
            if state is None:
                return
            is_gone = result.reason is CanaryReason.NOT_SERVED
            canary.unconfirmed = result.ended if is_gone else None
            self._put(after_run(state, result, self.settings, is_first=canary.is_first, counts=not is_gone))
            canary.is_first = canary.is_first and result.latency is None and result.reason is not CanaryReason.DEADLINE

    def _confirm(self, key: ModelKey, snapshot: TargetSnapshot) -> None:
        """A model that was not served may have been unloaded just then; it counts once a later index says READY."""
        canary = self._canaries[key]
        with self._lock:
            began = self._clocks.clock() - snapshot.duration
            if canary.unconfirmed is not None and canary.unconfirmed < began:
                canary.unconfirmed = None
                self._put(with_failure(self._states[key], self.settings))

    def _begin(
        self, key: ModelKey, options: CanaryOptions, config: ModelConfig | None, members: Mapping[ModelKey, int]
    ) -> None:
        canary = _Canary(key, options, config, members=members)
        canary.golden_files = self._golden_files(key)
        note = self._plan(canary)
        with self._lock:
            self._canaries = {**self._canaries, key: canary}
            before = self._states.get(key) or self._resting.pop(key, None) or CanaryState(key)
            has_golden = canary.plan is not None and canary.plan.golden is not None
            self._put(replace(before, note=note, has_golden=has_golden, interval=options.interval))

    def _end(self, key: ModelKey, *, keep: bool) -> None:
        """Stop asking a model; what was counted of it goes on when it comes back."""
        with self._lock:
            self._canaries = {name: one for name, one in self._canaries.items() if name != key}
            state = self._states.get(key)
            self._states = MappingProxyType({name: one for name, one in self._states.items() if name != key})
            if state is not None and keep:
                self._resting[key] = CanaryState(
                    key,
                    runs=state.runs,
                    skipped=state.skipped,
                    buckets=state.buckets,
                    latency_sum=state.latency_sum,
                    requests=state.requests,
                    overhead=state.overhead,
                )

    def _renew_golden(self, canary: _Canary) -> None:
        files = self._golden_files(canary.key)
        if files == canary.golden_files:
            return
        canary.golden_files = files
        note = self._plan(canary)
        with self._lock:
            state = self._states.get(canary.key)
            if state is not None:
                has_golden = canary.plan is not None and canary.plan.golden is not None
                self._put(replace(state, note=note, has_golden=has_golden))

    def _golden_files(self, key: ModelKey) -> object:
        folder = self.settings.goldens
        return None if folder is None else fingerprint(folder, key.name, key.version)

    def _plan(self, canary: _Canary) -> str:
        """Make the plan; return why there is none, or why it is not as good as it could be."""
        canary.plan, canary.memory = None, Memory()
        if canary.config is None:
            return "its configuration is not known"
        key, folder, note = canary.key, self.settings.goldens, ""
        try:
            golden = None if folder is None else load(folder, key.name, key.version)
        except GoldenError as error:
            golden, note = None, str(error)
        try:
            canary.plan = plan_of(key, canary.config, canary.options, golden)
        except NoInputError as error:
            return str(error)
        return note

    def _put(self, state: CanaryState) -> None:
        self._states = MappingProxyType({**self._states, state.key: state})


def _is_heard(snapshot: TargetSnapshot) -> bool:
    """Whether this cycle's index was read: an old one says nothing new."""
    index = snapshot.probes.get("index")
    return index is not None and index.ok


def _reloaded(snapshot: TargetSnapshot) -> set[ModelKey]:
    table = snapshot.slis
    if table is None or not table.was_reset.any():
        return set()
    pairs = zip(table.models.keys, table.was_reset.tolist(), strict=True)
    return {type(key)(key.name, key.version) for key, was_reset in pairs if was_reset}


def _pending(snapshot: TargetSnapshot) -> Mapping[ModelKey, float]:
    table = snapshot.slis
    if table is None:
        return {}
    values = table.frame.pending.tolist()
    return {type(key)(key.name, key.version): count for key, count in zip(table.models.keys, values, strict=True)}
