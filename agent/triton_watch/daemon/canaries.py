"""The canaries of all targets as jobs: one for each model, in threads of their own.

    canary:<target>:<model>:<version>   one canary, every interval with jitter, never twice at once

A model whose last canary ran into its deadline goes to a second, small pool, so that models that hang cannot
keep the others waiting.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.triggers.interval import IntervalTrigger

from triton_watch.daemon.canary_news import CanaryNews
from triton_watch.daemon.canary_past import CanaryPast
from triton_watch.daemon.under_way import UnderWay
from triton_watch.probes.canary.canaries import TargetCanaries
from triton_watch.probes.canary.run import Clocks
from triton_watch.records import CanaryReason, SkipReason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from apscheduler.schedulers.background import BackgroundScheduler

    from triton_watch.daemon.chronicle import Chronicle
    from triton_watch.probes.canary.run import InferClient
    from triton_watch.records import (
        CanaryHistory,
        CanaryResult,
        CanarySettings,
        CanaryState,
        ModelKey,
        Settings,
        Target,
        TargetSnapshot,
    )

KIND: Final = "canary"
_POOL, _SUSPECTS = "canaries", "canary_suspects"
_SUSPECT_THREADS: Final = 2
_SPREAD: Final = 1.0
"""Seconds over which the first canaries of many models are spread."""


class CanaryJobs:
    """Runs canaries on the supervisor's scheduler. `clock` gives monotonic seconds, `now` Unix seconds.

    `client` makes what asks a target; left out, it is gRPC or HTTP.
    """

    def __init__(
        self,
        settings: CanarySettings,
        scheduler: BackgroundScheduler,
        *,
        chronicle: Chronicle,
        clock: Callable[[], float],
        now: Callable[[], float],
        rng: random.Random,
        client: Callable[[Target], InferClient] | None = None,
    ) -> None:
        self.settings = settings
        self._scheduler = scheduler
        self._log = chronicle.log
        self._clocks = Clocks(clock, now)
        self._rng = rng
        self._client = client
        self._lock = threading.Lock()
        self._under_way = UnderWay()
        self._targets: dict[str, TargetCanaries] = {}
        self._news = CanaryNews(chronicle)
        self._past = CanaryPast()
        self._told: dict[str, Mapping[ModelKey, CanaryState]] = {}
        """The states of each target at its last poll."""

    @staticmethod
    def executors(settings: Settings) -> dict[str, ThreadPoolExecutor]:
        """The pools of threads that the scheduler needs; threads are started by need."""
        return {_POOL: ThreadPoolExecutor(settings.canary.concurrency), _SUSPECTS: ThreadPoolExecutor(_SUSPECT_THREADS)}

    def watch(self, target: Target) -> TargetCanaries:
        """Begin with a target; its first poll says which models it has."""
        canaries = TargetCanaries(
            target,
            self.settings,
            client=None if self._client is None else self._client(target),
            clocks=self._clocks,
            rng=random.Random(self._rng.random()),  # noqa: S311 - ids of requests, no secret
        )
        with self._lock:
            self._targets = {**self._targets, target.name: canaries}
        return canaries

    def forget(self, name: str) -> None:
        """A target is no longer watched."""
        with self._lock:
            canaries = self._targets.get(name)
            self._targets = {known: one for known, one in self._targets.items() if known != name}
        if canaries is not None:
            for key in canaries.states():
                self._remove(name, key)
            canaries.close()
            self._told.pop(name, None)
            self._past.forget(name)

    def follow(self, name: str, snapshot: TargetSnapshot) -> None:
        """Take a poll in: models that became ready are asked at once, those that are gone no more."""
        canaries = self._targets.get(name)
        if canaries is None:
            return
        followed = canaries.follow(snapshot)
        for key in followed.ended:
            self._remove(name, key)
        for key in followed.begun:
            self._schedule(name, canaries, key)
        self._tell(name, canaries.states())

    def swap(self, settings: CanarySettings) -> None:
        """Go over to other settings: with the next poll all canaries begin anew by them."""
        if settings == self.settings:
            return
        if settings.concurrency != self.settings.concurrency or settings.protocol is not self.settings.protocol:
            self._log.warning("canary.concurrency or protocol changed: that takes effect after a restart")
        self.settings = settings
        for name, canaries in list(self._targets.items()):
            for key in canaries.reconfigure(settings):
                self._remove(name, key)

    def states(self) -> Mapping[str, Mapping[ModelKey, CanaryState]]:
        """What is known of the canaries of each target; not changed after it was handed out."""
        return MappingProxyType({name: canaries.states() for name, canaries in self._targets.items()})

    def history(self, name: str, key: ModelKey) -> CanaryHistory:
        """The last canaries of a model, and how it failed, be it loaded or not."""
        return self._past.of(name, key)

    def skipped(self, job_id: str) -> None:
        """Note that a canary was due while the one before had not ended."""
        job = self._scheduler.get_job(job_id)
        if job is not None:  # else its model is gone meanwhile
            _, canaries, key = job.args
            canaries.skip(key, SkipReason.STILL_RUNNING)

    def close(self) -> None:
        """Close all connections; canaries that are still under way fail, and none begins any more."""
        self._under_way.close()
        for canaries in self._targets.values():
            canaries.close()

    def wait(self, patience: float) -> bool:
        """Wait at most so many seconds for the canaries that are under way; return whether all have ended."""
        return self._under_way.wait(patience)

    def _schedule(self, name: str, canaries: TargetCanaries, key: ModelKey) -> None:
        interval = canaries.interval_of(key)
        delay = canaries.start_delay_of(key) + self._rng.uniform(0, min(_SPREAD, interval / 10))
        jitter = interval * self.settings.jitter
        self._scheduler.add_job(
            self._ask,
            IntervalTrigger(seconds=interval, jitter=jitter or None),
            args=(name, canaries, key),
            id=_job_id(name, key),
            executor=_POOL,
            next_run_time=_in(delay),
            replace_existing=True,
        )

    def _tell(self, name: str, states: Mapping[ModelKey, CanaryState]) -> None:
        """Log what is new since the last poll: what that said can decide about a canary that was refused."""
        told = self._told.get(name, {})
        for key, state in states.items():
            if told.get(key) is not state:
                self._news.tell(name, state)
        self._told[name] = states

    def _remove(self, name: str, key: ModelKey) -> None:
        self._news.forget(name, key)
        try:
            self._scheduler.remove_job(_job_id(name, key))
        except JobLookupError:
            return

    def _ask(self, name: str, canaries: TargetCanaries, key: ModelKey) -> None:
        with self._under_way.one() as may_begin:
            if may_begin:  # else it was due when the scheduler was stopped
                self._ask_now(name, canaries, key)

    def _ask_now(self, name: str, canaries: TargetCanaries, key: ModelKey) -> None:
        before = canaries.state_of(key)
        result = canaries.run(key)
        after = canaries.state_of(key)
        if result is None or before is None or after is None or self._under_way.is_closed:
            return
        if self._targets.get(name) is not canaries:  # the target is no longer watched
            return
        self._past.add(name, result)
        self._news.tell(name, after)
        self._plan_next(name, canaries, key, result, is_first=before.last is None)

    def _plan_next(
        self, name: str, canaries: TargetCanaries, key: ModelKey, result: CanaryResult, *, is_first: bool
    ) -> None:
        """The next canary soon where this one left a doubt; after the first one somewhere in the next interval."""
        changes: dict[str, object] = {
            "executor": _SUSPECTS if result.reason is CanaryReason.DEADLINE else _POOL,
        }
        interval = canaries.interval_of(key)
        delay = canaries.hurry(key)
        if delay is None and is_first:
            delay = self._rng.uniform(interval / 2, interval)
        if delay is not None:
            changes["next_run_time"] = _in(delay)
        try:
            self._scheduler.modify_job(_job_id(name, key), **changes)
        except JobLookupError:
            return  # the model is gone meanwhile


def _job_id(name: str, key: ModelKey) -> str:
    return f"{KIND}:{name}:{key.name}:{key.version}"


def _in(seconds: float) -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=seconds)
