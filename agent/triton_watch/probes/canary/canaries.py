"""All canaries of one target: which models have one, what each run comes to, when the next one should be.

`follow` is called by the thread that polls the target, `run` by the threads that run canaries; readers take
`states()`, which never changes after it was handed out.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from triton_watch.probes.canary import polled
from triton_watch.probes.canary.backoff import Backoff
from triton_watch.probes.canary.book import StateBook
from triton_watch.probes.canary.clients import Clocks
from triton_watch.probes.canary.memory import Memory
from triton_watch.probes.canary.plan import Kind
from triton_watch.probes.canary.record import NotRecordedError, record
from triton_watch.probes.canary.run import Run
from triton_watch.probes.canary.sent import SentCounts, members_of
from triton_watch.probes.canary.single import FIRST_CALL_PATIENCE, Canary
from triton_watch.probes.canary.states import is_undecided
from triton_watch.probes.canary.transport import Transport
from triton_watch.records import CanaryReason, CanaryVerdict, SkipReason

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from collections.abc import Set as AbstractSet

    from triton_watch.probes.canary.clients import InferClient
    from triton_watch.probes.canary.golden.model import Golden
    from triton_watch.probes.canary.plan import Plan
    from triton_watch.records import (
        CanaryOptions,
        CanaryResult,
        CanarySent,
        CanarySettings,
        CanaryState,
        ModelKey,
        ServerInfo,
        SliTable,
        Target,
        TargetSnapshot,
    )

__all__ = ["FIRST_CALL_PATIENCE", "Followed", "TargetCanaries"]

_CONFIRM: Final = 6.0
"""A canary that says otherwise than the verdict is followed by the next one after this part of the interval."""
_LONGEST_CONFIRM: Final = 5.0


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
        self._changing = threading.Lock()
        """Held while canaries begin and end."""
        self._lock = threading.Lock()
        """Held for moments: the counts and the backoff are not for two threads at once."""
        self._canaries: Mapping[ModelKey, Canary] = {}
        self._busy: dict[ModelKey, threading.Lock] = {}
        self._book = StateBook()
        self._seen: polled.Seen | None = None
        """What the last poll said that was taken in; None = the next one is taken in, whatever it says."""
        self._table: SliTable | None = None
        self._server: ServerInfo | None = None
        self._was_live = False
        self._sent = SentCounts()
        self._backoff = Backoff(settings.options.interval)

    def states(self) -> Mapping[ModelKey, CanaryState]:
        """What is known of each model that has a canary. It costs a copy: `state_of` is for one model."""
        return self._book.states

    def state_of(self, key: ModelKey) -> CanaryState | None:
        """What is known of one model; None = it has no canary."""
        return self._book.get(key)

    def interval_of(self, key: ModelKey) -> float:
        """Seconds between two canaries of a model."""
        return self._options_of(key).interval

    def start_delay_of(self, key: ModelKey) -> float:
        """Seconds that a model is left alone after it became ready."""
        return self._options_of(key).start_delay

    def reconfigure(self, settings: CanarySettings) -> tuple[ModelKey, ...]:
        """Go over to other settings; return the models whose canaries ended, to begin anew with the next poll."""
        with self._changing:
            self.settings, self._seen = settings, None
            ended = tuple(self._canaries)
            self._end(ended)
            with self._lock:
                self._backoff = Backoff(settings.options.interval)
        return ended

    def variants_of(self, key: ModelKey) -> int:
        """How many inputs a model's canary has; at least 1."""
        plan = self._canaries[key].plan
        return 1 if plan is None else len(plan.variants)

    def run_all(self, key: ModelKey) -> list[CanaryResult]:
        """Run the canary of a model once with each of its inputs; those that were not sent are left out."""
        results = [self.run(key) for _ in range(self.variants_of(key))]
        return [result for result in results if result is not None]

    def plan_of(self, key: ModelKey) -> Plan | None:
        """What a model is asked; None = it cannot be, and the note of its state says why."""
        return self._canaries[key].plan

    def record(self, key: ModelKey, *, repeats: int, ignore: frozenset[str] = frozenset()) -> Golden:
        """Make a golden of what the model answers now. Raises `NotRecordedError`."""
        canary = self._canaries[key]
        if canary.plan is None:
            raise NotRecordedError(canary.note)
        golden = record(self._run, canary.plan, Memory(), repeats=repeats, ignore=ignore)
        at = dt.datetime.fromtimestamp(self._clocks.now(), dt.timezone.utc)
        server = ("", "") if self._server is None else (self._server.name, self._server.version)
        return replace(golden, recorded_at=at.isoformat(timespec="seconds"), server=server)

    def take_sent(self) -> Mapping[ModelKey, CanarySent]:
        """The canaries since the last call, as the server counts them."""
        with self._lock:
            return self._sent.take()

    def follow(self, snapshot: TargetSnapshot) -> Followed:
        """Take a poll in: models that became ready get a canary, those that were loaded anew begin anew."""
        if snapshot.live and not self._was_live:  # it came back: nobody waits any longer
            with self._lock:
                self._backoff.answered()
        self._was_live = snapshot.live is True
        if not polled.is_heard(snapshot):
            return Followed()
        with self._changing:
            return self._follow(snapshot)

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
        self._book.skip(key, reason)

    def hurry(self, key: ModelKey) -> float | None:
        """Seconds until the next canary where it should not wait for its turn; None = let it wait."""
        state, canary = self.state_of(key), self._canaries.get(key)
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

    def _follow(self, snapshot: TargetSnapshot) -> Followed:
        self._table, self._server = snapshot.slis, snapshot.server
        reloaded = polled.reloaded_models(snapshot)
        seen, followed = self._seen, Followed()
        if seen is None or reloaded or not seen.is_of(snapshot, self.settings):
            seen = polled.look(snapshot, self.settings)
            followed = self._take_in(seen, reloaded)
            self._forget_all_but(polled.known_models(snapshot))
            self._seen = seen
        self._confirm(snapshot)
        return followed

    def _take_in(self, seen: polled.Seen, reloaded: AbstractSet[ModelKey]) -> Followed:
        before = self._canaries
        begun = tuple(key for key in seen.asked if key not in before or key in reloaded)
        ended = tuple(key for key in before if key not in seen.asked)
        self._end(ended)
        made = self._made(seen, frozenset(begun))
        canaries, configs = {**self._canaries, **made}, seen.configs or {}
        for canary in canaries.values():
            if canary.config is not None and canary.config.steps:
                canary.members = members_of(canary.config, configs, seen.ready)
        for canary in made.values():
            self._book.open(canary)
        self._canaries = canaries
        return Followed(begun, ended)

    def _made(self, seen: polled.Seen, anew: AbstractSet[ModelKey]) -> Mapping[ModelKey, Canary]:
        """Make canaries of the models that begin anew, and of those whose configuration changed."""
        configs, made = seen.configs or {}, {}
        for key, options in seen.asked.items():
            config = configs.get(key.name)
            if key in anew or self._canaries[key].config is not config:
                busy = self._busy.setdefault(key, threading.Lock())
                made[key] = Canary(key, options, config, self.settings.goldens, busy)
        return made

    def _end(self, ended: Collection[ModelKey]) -> None:
        """Stop asking models."""
        gone = frozenset(ended)
        self._canaries = {key: canary for key, canary in self._canaries.items() if key not in gone}
        for key in ended:
            self._book.close(key)

    def _forget_all_but(self, known: AbstractSet[ModelKey]) -> None:
        """Models that the server does not know any more do not come back."""
        self._book.forget_all_but(known)
        self._busy = {key: lock for key, lock in self._busy.items() if key in known}

    def _confirm(self, snapshot: TargetSnapshot) -> None:
        """A model that was not served may have been unloaded just then; it counts once a later index says READY."""
        began = self._clocks.clock() - snapshot.duration
        for key, canary in self._canaries.items():
            if canary.unconfirmed is not None and canary.unconfirmed < began:
                canary.unconfirmed = None
                self._book.let_count(key, self.settings)

    def _run_one(self, canary: Canary) -> CanaryResult | None:
        canary.renew()
        plan = canary.plan
        canary.hindrance = "" if plan is None else self._hindrance(plan)
        self._book.describe(canary)
        obstacle = self._obstacle(canary)
        if plan is None or obstacle is not None:
            self.skip(canary.key, obstacle or SkipReason.NO_INPUT)
            return None
        variant = canary.next_variant(self._run.rng, len(plan.variants))
        timeout = canary.patience(plan)
        result = self._run.once(plan, variant, canary.memory, timeout=timeout, is_proven=canary.has_passed)
        if canary.is_first and result.reason is CanaryReason.TOO_SLOW:
            result = replace(result, reason=CanaryReason.OK, detail="")
        self._keep(canary, plan, result)
        return result

    def _hindrance(self, plan: Plan) -> str:
        """Why the model cannot be asked now, in a sentence."""
        if plan.kind is not Kind.STREAM or not isinstance(self._transport, Transport):
            return ""
        return self._transport.hindrance

    def _obstacle(self, canary: Canary) -> SkipReason | None:
        plan = canary.plan
        if plan is None:
            return SkipReason.NO_INPUT
        if canary.hindrance:
            return SkipReason.NEEDS_GRPC
        if polled.pending_requests(self._table, plan.key) > plan.options.max_pending:
            return SkipReason.PENDING
        state = self.state_of(plan.key)
        if state is None or state.verdict is not CanaryVerdict.FAILING:
            return None  # only what is known to fail can wait: a dead server is seen of every model in its usual time
        with self._lock:
            return None if self._backoff.may_go(self._clocks.clock()) else SkipReason.BACKING_OFF

    def _keep(self, canary: Canary, plan: Plan, result: CanaryResult) -> None:
        with self._lock:
            if result.reason in (CanaryReason.UNREACHABLE, CanaryReason.DEADLINE):
                self._backoff.unanswered(result.key, result.ended, len(self._canaries))
            else:
                self._backoff.answered()
            self._sent.add(result, plan.batch_size or 1, canary.members)
        counts = result.reason is not CanaryReason.NOT_SERVED
        self._book.add(result, self.settings, is_first=canary.is_first, counts=counts)
        canary.took(result)
