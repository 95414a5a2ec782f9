"""The daemon's core: which jobs run, when, in which threads, and what they leave behind.

Jobs, all of them:
    poll:<target>   one cycle of one target, every interval with jitter, never twice at once
    canary:…        one canary of one model: see `canaries`
    alerts, …       conditions, notifications and checks of configurations: see `alerts`
    looks           statistics of the models that somebody looks at: see `looks`
    flush           what objectives counted, into the store, or budgets from a Prometheus, in a thread of its own
    beat            once a second, in a thread of its own: the sign of life behind /-/healthy

Poll jobs share a pool of threads. A target whose last cycle was slow enough to hold a thread for long goes
to a second, small pool until it answers again, so that hanging servers cannot keep healthy ones waiting.
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from triton_watch.daemon.alerts import AlertJobs
from triton_watch.daemon.books import Books
from triton_watch.daemon.canaries import KIND as CANARY
from triton_watch.daemon.canaries import CanaryJobs
from triton_watch.daemon.chronicle import Chronicle
from triton_watch.daemon.looks import Looks
from triton_watch.daemon.narrator import Narrator
from triton_watch.daemon.past import TargetPast, history_of
from triton_watch.daemon.process import agent_status
from triton_watch.daemon.state import AlertsView, BudgetsView, ReloadStatus, TargetCounts
from triton_watch.probes import PROBES, Probe
from triton_watch.probes.canary.run import Clocks
from triton_watch.probes.cycle import TargetPoller
from triton_watch.records import (
    AgentStatus,
    AlertMode,
    BatchSizes,
    CanaryHistory,
    CanaryState,
    Course,
    History,
    ModelKey,
    Outcome,
    Settings,
    Target,
    TargetSnapshot,
)
from triton_watch.slo.serving import ServingVerdict, serving_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from triton_watch.daemon.audits import Audit

_T = TypeVar("_T")

_JITTER = 0.05
"""Share of the interval by which a cycle may start early or late, so that targets spread out."""
_SPREAD = 1.0
"""Seconds over which the first cycles are spread."""
_SUSPECT_THREADS = 8
_SLOW = 0.5
"""A cycle over this share of its interval makes its target a suspect."""
_FIRST_FLUSH = 5.0
"""Seconds after the start: what objectives there are is then on disk."""
_CLOCK_JUMP = 2.0
"""Seconds of disagreement between wall clock and monotonic clock that count as a jump."""


@dataclass(slots=True)
class _Watched:
    """One target under watch."""

    poller: TargetPoller
    narrator: Narrator
    past: TargetPast = field(default_factory=TargetPast)
    busy: threading.Lock = field(default_factory=threading.Lock)
    suspect: bool = False
    removed: bool = False


class Supervisor:
    """Polls the targets of a `Settings` and keeps their latest snapshots. Implements `state.StateSource`.

    `clock` gives monotonic seconds, `now` Unix seconds, `rng` the spread of the first cycles.
    `on_death` is called once, with a sentence, when a job died of a fault of ours. `audit` checks the configuration
    of a live server; None = nobody does.

    Raises `StoreBusyError` when another process uses the state directory.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        log: logging.Logger,
        on_death: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        probes: Mapping[str, Probe] = PROBES,
        audit: Audit | None = None,
    ) -> None:
        self._probes = probes
        self._log = log
        self._on_death = on_death
        self._clock = clock
        self._now = now
        self._rng = rng or random.Random()  # noqa: S311 - spreads load, guards no secret
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._snapshots: Mapping[str, TargetSnapshot] = MappingProxyType({})
        self._counts: Mapping[str, TargetCounts] = MappingProxyType({})
        keeps_alerts = settings.alerts.mode is not AlertMode.OFF
        self._books = Books(settings.slo, keeps_alerts=keeps_alerts, log=log, clock=clock, now=now)
        self._started = now()
        self._reload = ReloadStatus(success=True, last_success=self._started)
        self._beat = clock()
        self._clock_offset = now() - clock()
        self._scheduler = _scheduler(settings)
        self._chronicle = Chronicle(log, now=now)
        self._looks = Looks(self._scheduler, Clocks(clock, now))
        self._canaries = CanaryJobs(
            settings.canary, self._scheduler, chronicle=self._chronicle, clock=clock, now=now, rng=self._rng
        )
        self._alerts = AlertJobs(
            settings,
            self._scheduler,
            self,
            audit=audit,
            books=self._books,
            chronicle=self._chronicle,
            clocks=Clocks(clock, now),
            rng=self._rng,
        )
        self._scheduler.add_listener(self._skipped, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)
        self._scheduler.add_listener(self._died, EVENT_JOB_ERROR)
        self._apply(settings.targets)

    def start(self) -> None:
        """Start polling; the first cycles begin within a second."""
        self._scheduler.add_job(
            self._note_beat, IntervalTrigger(seconds=1), id="beat", executor="beat", next_run_time=_utc_now()
        )
        self._scheduler.add_job(
            self._books.flush,
            IntervalTrigger(seconds=self._books.flush_interval),
            id="flush",
            executor="flush",
            next_run_time=_utc_now() + dt.timedelta(seconds=min(_FIRST_FLUSH, self._books.flush_interval)),
        )
        self._alerts.start()
        self._scheduler.start()

    def stop(self, patience: float) -> bool:
        """Stop; wait at most `patience` seconds for what is under way. Return whether all has ended."""
        end = self._clock() + patience
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._canaries.close()
        self._looks.close()
        try:
            ended = self._wait_for_cycles(patience)
            ended = self._canaries.wait(end - self._clock()) and ended
            ended = self._looks.wait(end - self._clock()) and ended
            return self._alerts.close(end - self._clock()) and ended
        finally:
            self._books.close()

    def _wait_for_cycles(self, patience: float) -> bool:
        end = self._clock() + patience
        for watched in self._watched.values():
            if not watched.busy.acquire(timeout=max(0.0, end - self._clock())):
                return False
            watched.poller.close()
        return True

    def swap(self, settings: Settings) -> None:
        """Go over to another configuration: unchanged targets keep their history, others start anew."""
        self._books.swap(settings.slo, keeps_alerts=settings.alerts.mode is not AlertMode.OFF)
        self._canaries.swap(settings.canary)
        self._alerts.swap(settings)
        self._apply(settings.targets)
        self._reload = ReloadStatus(success=True, last_success=self._now())

    def reload_failed(self) -> None:
        """Note that a configuration was refused; polling goes on as before."""
        self._reload = ReloadStatus(success=False, last_success=self._reload.last_success)

    def reload_kept(self) -> None:
        """Note that the configuration was loaded and is the one in force."""
        self._reload = ReloadStatus(success=True, last_success=self._now())

    def watch_clock(self) -> None:
        """Wake all jobs after a jump of the wall clock, by which APScheduler plans. Called about once a second."""
        offset = self._now() - self._clock()
        jump = offset - self._clock_offset
        if abs(jump) < _CLOCK_JUMP:
            return
        self._clock_offset = offset
        self._log.warning("the system clock jumped by %.0f s: all targets are polled again now", jump)
        for job in self._scheduler.get_jobs():
            with suppress(JobLookupError):  # a model that was unloaded just now
                job.modify(next_run_time=_utc_now())

    def targets(self) -> Mapping[str, Target]:
        """Return what is watched."""
        return {name: watched.poller.target for name, watched in self._watched.items()}

    def snapshots(self) -> Mapping[str, TargetSnapshot]:
        """Return the latest snapshot of each target that has one."""
        return self._snapshots

    def counters(self) -> Mapping[str, TargetCounts]:
        """Return the counts of each target."""
        return self._counts

    def budgets(self) -> BudgetsView:
        """Return the objectives and what their events say."""
        return self._books.view()

    def canaries(self) -> Mapping[str, Mapping[ModelKey, CanaryState]]:
        """Return what is known of the canaries of each target."""
        return self._canaries.states()

    def serving(self, model: str | None = None) -> Mapping[str, ServingVerdict]:
        """Return for each target whether a client that comes now would be served."""
        states, snapshots, now = self._canaries.states(), self._snapshots, self._now()
        settings = self._canaries.settings
        return {
            name: serving_of(snapshots.get(name), states.get(name, {}), settings, now, model) for name in self._watched
        }

    def alerts(self) -> AlertsView:
        """Return what fires, what is about to, and who is told."""
        return self._alerts.view()

    def history(self) -> History:
        """Return the last hour of each target, its poll cycles, and what happened of late."""
        return history_of({name: watched.past for name, watched in self._watched.items()}, self._chronicle)

    def canary_history(self, target: str, key: ModelKey) -> CanaryHistory:
        """Return the last canaries of a model, and how it failed."""
        return self._canaries.history(target, key)

    def courses(self, target: str, key: ModelKey) -> Mapping[str, Course]:
        """Return how the events of each objective of a model came about."""
        return self._books.courses(target, key)

    def batch_sizes(self, target: str, name: str, version: str) -> BatchSizes | None:
        """Return the executions of a model by batch size; asking notes that somebody looks at it."""
        return self._looks.sizes(target, name, version)

    def agent(self) -> AgentStatus:
        """Return how the process itself fares."""
        return agent_status(self._started, self._log)

    def reload(self) -> ReloadStatus:
        """Return how the last load of the configuration went."""
        return self._reload

    def beat_age(self) -> float:
        """Return the seconds since the scheduler last ran its beat."""
        return self._clock() - self._beat

    def first_cycle_done(self) -> bool:
        """Return whether every target has had a cycle."""
        return self._watched.keys() <= self._snapshots.keys()

    def _apply(self, targets: tuple[Target, ...]) -> None:
        wanted = {target.name: target for target in targets}
        for name, watched in list(self._watched.items()):
            if wanted.get(name) != watched.poller.target:
                self._remove(name, watched)
        for name, target in wanted.items():
            if name not in self._watched:
                self._add(target)

    def _add(self, target: Target) -> None:
        poller = TargetPoller(target, probes=self._probes, canaries=self._canaries.watch(target))
        watched = _Watched(poller, Narrator(target.name, self._chronicle))
        self._books.watch(target.name)
        self._chronicle.watch(target.name)
        self._looks.watch(target)
        with self._lock:
            self._watched = {**self._watched, target.name: watched}
            self._counts = MappingProxyType({**self._counts, target.name: TargetCounts()})
        delay = self._rng.uniform(0, min(_SPREAD, target.interval / 2))
        self._scheduler.add_job(
            self._poll,
            IntervalTrigger(seconds=target.interval, jitter=max(target.interval * _JITTER, 0.001)),
            args=(target.name, watched),
            id=_job_id(target.name),
            executor="polls",
            next_run_time=_utc_now() + dt.timedelta(seconds=delay),
        )

    def _remove(self, name: str, watched: _Watched) -> None:
        watched.removed = True
        self._books.forget(name)
        self._canaries.forget(name)
        self._chronicle.forget(name)
        self._looks.forget(name)
        self._scheduler.remove_job(_job_id(name))
        with self._lock:
            self._watched = _without(self._watched, name)
            self._snapshots = MappingProxyType(_without(self._snapshots, name))
            self._counts = MappingProxyType(_without(self._counts, name))
        if watched.busy.acquire(blocking=False):
            watched.poller.close()
            watched.busy.release()

    def _poll(self, name: str, watched: _Watched) -> None:
        if not watched.busy.acquire(blocking=False):
            self._count(name, skipped=1)
            return
        try:
            snapshot = watched.poller.cycle()
            if watched.removed:
                watched.poller.close()
                return
            self._books.observe(name, snapshot.slis)
            self._canaries.follow(name, snapshot)  # before alerts see the poll: canaries that begin are not known yet
            self._keep(name, snapshot)
            watched.past.observe(snapshot)
            watched.narrator.tell(snapshot)
            self._choose_pool(name, watched, snapshot)
        finally:
            watched.busy.release()

    def _keep(self, name: str, snapshot: TargetSnapshot) -> None:
        failed: dict[tuple[str, Outcome], int] = {
            (probe, result.outcome): 1 for probe, result in snapshot.probes.items() if result.outcome is not Outcome.OK
        }
        self._count(name, cycles=1, failed=failed)
        with self._lock:
            self._snapshots = MappingProxyType({**self._snapshots, name: snapshot})

    def _count(
        self,
        name: str,
        *,
        cycles: int = 0,
        skipped: int = 0,
        failed: Mapping[tuple[str, Outcome], int] | None = None,
    ) -> None:
        with self._lock:
            old = self._counts.get(name)
            if old is None:
                return
            failures = old.failures
            if failed:
                summed = {key: failures.get(key, 0) + failed.get(key, 0) for key in {*failures, *failed}}
                failures = MappingProxyType(summed)
            new = TargetCounts(old.cycles + cycles, old.skipped + skipped, failures)
            self._counts = MappingProxyType({**self._counts, name: new})

    def _choose_pool(self, name: str, watched: _Watched, snapshot: TargetSnapshot) -> None:
        suspect = snapshot.duration > _SLOW * snapshot.target.interval
        if suspect is watched.suspect:
            return
        watched.suspect = suspect
        try:
            self._scheduler.modify_job(_job_id(name), executor="suspects" if suspect else "polls")
        except JobLookupError:
            return  # removed by a reload meanwhile

    def _note_beat(self) -> None:
        self._beat = self._clock()

    def _skipped(self, event: JobEvent) -> None:
        kind, _, name = event.job_id.partition(":")
        if kind == "poll":
            self._count(name, skipped=1)
        elif kind == CANARY:
            self._canaries.skipped(event.job_id)

    def _died(self, event: JobEvent) -> None:
        self._on_death(f"the job {event.job_id} died of {type(event.exception).__name__}: {event.exception}")


def _scheduler(settings: Settings) -> BackgroundScheduler:
    return BackgroundScheduler(
        timezone=dt.timezone.utc,
        executors={
            "polls": ThreadPoolExecutor(settings.poll_threads),  # threads are started by need
            "suspects": ThreadPoolExecutor(_SUSPECT_THREADS),
            "beat": ThreadPoolExecutor(1),
            "flush": ThreadPoolExecutor(1),
            **CanaryJobs.executors(settings),
            **AlertJobs.executors(),
            **Looks.executors(),
        },
        job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
    )


def _job_id(name: str) -> str:
    return f"poll:{name}"


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


def _without(mapping: Mapping[str, _T], name: str) -> dict[str, _T]:
    return {key: value for key, value in mapping.items() if key != name}
