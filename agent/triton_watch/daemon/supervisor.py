"""The daemon's core: which jobs run, when, in which threads, and what they leave behind.

Jobs, all of them:
    poll:<target>   one cycle of one target, every interval with jitter, never twice at once: see `polls`
    discover:…      look-ups of targets, by DNS and in files: see `discoveries`
    canary:…        one canary of one model: see `canaries`
    alerts, …       conditions, notifications and checks of configurations: see `alerts`
    looks           statistics of the models that somebody looks at: see `looks`
    flush           what objectives counted, into the store, or budgets from a Prometheus, in a thread of its own
    beat            once a second, in a thread of its own: the sign of life behind /-/healthy
"""

from __future__ import annotations

import datetime as dt
import random
import time
from contextlib import suppress
from typing import TYPE_CHECKING

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
from triton_watch.daemon.discoveries import Discoveries
from triton_watch.daemon.looks import Looks
from triton_watch.daemon.past import history_of
from triton_watch.daemon.polls import KIND as POLL
from triton_watch.daemon.polls import Polls
from triton_watch.daemon.process import agent_status
from triton_watch.daemon.state import AlertsView, BudgetsView, ReloadStatus, TargetCounts
from triton_watch.probes import PROBES, Probe
from triton_watch.probes.canary.run import Clocks
from triton_watch.records import (
    AgentStatus,
    AlertMode,
    BatchSizes,
    CanaryHistory,
    CanaryState,
    Course,
    History,
    ModelKey,
    Settings,
    SourceStatus,
    Target,
    TargetSnapshot,
)
from triton_watch.slo.serving import ServingVerdict, serving_of

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence

    from triton_watch.daemon.audits import Audit

_FIRST_FLUSH = 5.0
"""Seconds after the start: what objectives there are is then on disk."""
_CLOCK_JUMP = 2.0
"""Seconds of disagreement between wall clock and monotonic clock that count as a jump."""


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
        self._log = log
        self._on_death = on_death
        self._clock = clock
        self._now = now
        rng = rng or random.Random()  # noqa: S311 - spreads load, guards no secret
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
            settings.canary, self._scheduler, chronicle=self._chronicle, clock=clock, now=now, rng=rng
        )
        self._polls = Polls(
            self._scheduler,
            books=self._books,
            canaries=self._canaries,
            chronicle=self._chronicle,
            looks=self._looks,
            rng=rng,
            probes=probes,
        )
        self._alerts = AlertJobs(
            settings,
            self._scheduler,
            self,
            audit=audit,
            books=self._books,
            chronicle=self._chronicle,
            clocks=Clocks(clock, now),
            rng=rng,
        )
        self._scheduler.add_listener(self._skipped, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)
        self._scheduler.add_listener(self._died, EVENT_JOB_ERROR)
        self._configuration, self._ready_for = 0, -1
        self._discoveries = Discoveries(settings, self._scheduler, apply=self._apply, log=log, now=now)

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
        self._discoveries.close()  # first: a target that goes now would have no job to be taken away
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._canaries.close()
        self._looks.close()
        try:
            ended = self._polls.wait(patience, self._clock)
            ended = self._discoveries.wait(end - self._clock()) and ended
            ended = self._canaries.wait(end - self._clock()) and ended
            ended = self._looks.wait(end - self._clock()) and ended
            return self._alerts.close(end - self._clock()) and ended
        finally:
            self._books.close()

    def swap(self, settings: Settings) -> None:
        """Go over to another configuration: unchanged targets keep their history, others start anew."""
        with self._polls.unchanged():  # else one that is found just now may begin by the old settings
            self._books.swap(settings.slo, keeps_alerts=settings.alerts.mode is not AlertMode.OFF)
            self._canaries.swap(settings.canary)
            self._alerts.swap(settings)
        self._discoveries.swap(settings)
        self._configuration += 1
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
        return self._polls.targets()

    def snapshots(self) -> Mapping[str, TargetSnapshot]:
        """Return the latest snapshot of each target that has one."""
        return self._polls.snapshots

    def counters(self) -> Mapping[str, TargetCounts]:
        """Return the counts of each target."""
        return self._polls.counts

    def budgets(self) -> BudgetsView:
        """Return the objectives and what their events say."""
        return self._books.view()

    def canaries(self) -> Mapping[str, Mapping[ModelKey, CanaryState]]:
        """Return what is known of the canaries of each target."""
        return self._canaries.states()

    def serving(self, model: str | None = None) -> Mapping[str, ServingVerdict]:
        """Return for each target whether a client that comes now would be served."""
        states, snapshots, now = self._canaries.states(), self._polls.snapshots, self._now()
        settings = self._canaries.settings
        return {
            name: serving_of(snapshots.get(name), states.get(name, {}), settings, now, model)
            for name in self._polls.targets()
        }

    def alerts(self) -> AlertsView:
        """Return what fires, what is about to, and who is told."""
        return self._alerts.view()

    def history(self) -> History:
        """Return the last hour of each target, its poll cycles, and what happened of late."""
        return history_of(self._polls.pasts(), self._chronicle)

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
        """Return whether every source of targets was asked, and every target that was found by then has had a cycle.

        Targets that are found later change nothing, until the configuration does.
        """
        number, polls = self._configuration, self._polls
        if (
            self._ready_for != number
            and self._discoveries.all_asked
            and polls.targets().keys() <= polls.snapshots.keys()
        ):
            self._ready_for = number
        return self._ready_for == self._configuration

    def discovery(self) -> tuple[SourceStatus, ...]:
        """Return how each source of targets fares; none where all are configured."""
        return self._discoveries.statuses()

    def _apply(self, targets: Sequence[Target], is_whole: bool) -> None:
        self._polls.apply(targets)
        self._alerts.watch([target.name for target in targets], is_whole=is_whole)
        if is_whole:
            self._books.all_known()

    def _note_beat(self) -> None:
        self._beat = self._clock()

    def _skipped(self, event: JobEvent) -> None:
        kind = event.job_id.partition(":")[0]
        if kind == POLL:
            self._polls.skipped(event.job_id)
        elif kind == CANARY:
            self._canaries.skipped(event.job_id)

    def _died(self, event: JobEvent) -> None:
        self._on_death(f"the job {event.job_id} died of {type(event.exception).__name__}: {event.exception}")


def _scheduler(settings: Settings) -> BackgroundScheduler:
    return BackgroundScheduler(
        timezone=dt.timezone.utc,
        executors={
            **Polls.executors(settings),
            **Discoveries.executors(),
            "beat": ThreadPoolExecutor(1),
            "flush": ThreadPoolExecutor(1),
            **CanaryJobs.executors(settings),
            **AlertJobs.executors(),
            **Looks.executors(),
        },
        job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
    )


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
