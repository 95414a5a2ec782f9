"""The targets under watch as jobs: polled in turn, begun and ended while the others go on.

Jobs share a pool of threads. A target whose last cycle was slow enough to hold a thread for long goes
to a second, small pool until it answers again, so that hanging servers cannot keep healthy ones waiting.
"""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.triggers.interval import IntervalTrigger

from triton_watch.daemon.cycle_counts import CycleCounts
from triton_watch.daemon.narrator import Narrator
from triton_watch.daemon.past import TargetPast
from triton_watch.probes.cycle import TargetPoller

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from apscheduler.schedulers.background import BackgroundScheduler

    from triton_watch.daemon.books import Books
    from triton_watch.daemon.canaries import CanaryJobs
    from triton_watch.daemon.chronicle import Chronicle
    from triton_watch.daemon.looks import Looks
    from triton_watch.daemon.state import TargetCounts
    from triton_watch.probes import Probe
    from triton_watch.records import Settings, Target, TargetSnapshot

_T = TypeVar("_T")

KIND: Final = "poll"
_JITTER = 0.05
"""Share of the interval by which a cycle may start early or late, so that targets spread out."""
_SPREAD = 1.0
"""Seconds over which the first cycles are spread."""
_SUSPECT_THREADS = 8
_SLOW = 0.5
"""A cycle over this share of its interval makes its target a suspect."""


@dataclass(slots=True)
class _Watched:
    """One target under watch. Whoever holds `busy` polls it, whoever holds `taking` uses what was polled."""

    job: str
    poller: TargetPoller
    narrator: Narrator
    past: TargetPast = field(default_factory=TargetPast)
    busy: threading.Lock = field(default_factory=threading.Lock)
    taking: threading.Lock = field(default_factory=threading.Lock)
    suspect: bool = False
    removed: bool = False


class Polls:
    """Polls targets on the supervisor's scheduler, and keeps the latest snapshot and the counts of each."""

    def __init__(
        self,
        scheduler: BackgroundScheduler,
        *,
        books: Books,
        canaries: CanaryJobs,
        chronicle: Chronicle,
        looks: Looks,
        rng: random.Random,
        probes: Mapping[str, Probe],
    ) -> None:
        self._scheduler = scheduler
        self._books = books
        self._canaries = canaries
        self._chronicle = chronicle
        self._looks = looks
        self._rng = rng
        self._probes = probes
        self._changing = threading.Lock()
        """Held while targets come and go, by one at a time."""
        self._lock = threading.Lock()
        """Held for moments."""
        self._watched: dict[str, _Watched] = {}
        self._removals = 0
        self.snapshots: Mapping[str, TargetSnapshot] = MappingProxyType({})
        self._counts = CycleCounts()

    @property
    def counts(self) -> Mapping[str, TargetCounts]:
        """The counts of each target."""
        return self._counts.view

    @staticmethod
    def executors(settings: Settings) -> dict[str, ThreadPoolExecutor]:
        """The pools of threads that the scheduler needs; threads are started by need."""
        return {
            "polls": ThreadPoolExecutor(settings.poll_threads),
            "suspects": ThreadPoolExecutor(_SUSPECT_THREADS),
        }

    def targets(self) -> Mapping[str, Target]:
        """What is watched."""
        return {name: watched.poller.target for name, watched in self._watched.items()}

    def pasts(self) -> dict[str, TargetPast]:
        """What was, of each target."""
        return {name: watched.past for name, watched in self._watched.items()}

    def apply(self, targets: Iterable[Target]) -> None:
        """Watch these targets: unchanged ones go on as before, changed ones start anew, others end. From any thread."""
        wanted = {target.name: target for target in targets}
        with self._changing:
            for name, watched in list(self._watched.items()):
                if wanted.get(name) != watched.poller.target:
                    self._remove(name, watched)
            for name, target in wanted.items():
                if name not in self._watched:
                    self._add(target)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Let no target come or go meanwhile: what is told of each begins anew. `apply` would wait for ever."""
        with self._changing:
            yield

    def wait(self, patience: float, clock: Callable[[], float]) -> bool:
        """Wait at most so many seconds for the cycles that are under way; return whether all have ended."""
        end = clock() + patience
        for watched in self._watched.values():
            if not watched.busy.acquire(timeout=max(0.0, end - clock())):
                return False
            watched.poller.close()
        return True

    def skipped(self, job: str) -> None:
        """Note that the cycle of a job was due while the one before had not ended."""
        for name, watched in self._watched.items():
            if watched.job == job:
                self._counts.skip(name)

    def _add(self, target: Target) -> None:
        poller = TargetPoller(target, probes=self._probes, canaries=self._canaries.watch(target))
        watched = _Watched(self._new_job(target.name), poller, Narrator(target.name, self._chronicle))
        self._books.watch(target.name)
        self._chronicle.watch(target.name)
        self._looks.watch(target)
        self._counts.watch(target.name)
        with self._lock:
            self._watched = {**self._watched, target.name: watched}
        delay = self._rng.uniform(0, min(_SPREAD, target.interval / 2))
        self._scheduler.add_job(
            self._poll,
            IntervalTrigger(seconds=target.interval, jitter=max(target.interval * _JITTER, 0.001)),
            args=(target.name, watched),
            id=watched.job,
            executor="polls",
            next_run_time=dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=delay),
        )

    def _new_job(self, name: str) -> str:
        """Make an id that no cycle has which is still under way: its job would keep the first of this one waiting."""
        return f"{KIND}:{name}#{self._removals}" if self._removals else f"{KIND}:{name}"

    def _remove(self, name: str, watched: _Watched) -> None:
        self._removals += 1
        with watched.taking:  # a cycle that ends from now on is not used any more
            watched.removed = True
        self._books.forget(name)
        self._canaries.forget(name)
        self._chronicle.forget(name)
        self._looks.forget(name)
        self._counts.forget(name)
        with suppress(JobLookupError):  # the scheduler was stopped
            self._scheduler.remove_job(watched.job)
        with self._lock:
            self._watched = _without(self._watched, name)
            self.snapshots = MappingProxyType(_without(self.snapshots, name))
        self._close(watched)

    def _poll(self, name: str, watched: _Watched) -> None:
        if watched.removed:  # while this cycle waited for a thread
            return
        if not watched.busy.acquire(blocking=False):
            self._counts.skip(name)
            return
        try:
            snapshot = watched.poller.cycle()
            with watched.taking:
                if not watched.removed:
                    self._take(name, watched, snapshot)
        finally:
            watched.busy.release()
            self._close(watched)

    @staticmethod
    def _close(watched: _Watched) -> None:
        """Close the connections of a target that was removed; a cycle that is under way does it at its end."""
        if watched.removed and watched.busy.acquire(blocking=False):
            watched.poller.close()
            watched.busy.release()

    def _take(self, name: str, watched: _Watched, snapshot: TargetSnapshot) -> None:
        self._books.observe(name, snapshot.slis)
        self._canaries.follow(name, snapshot)  # before alerts see the poll: canaries that begin are not known yet
        self._counts.cycle(name, snapshot)
        with self._lock:
            self.snapshots = MappingProxyType({**self.snapshots, name: snapshot})
        watched.past.observe(snapshot)
        watched.narrator.tell(snapshot)
        self._choose_pool(watched, snapshot)

    def _choose_pool(self, watched: _Watched, snapshot: TargetSnapshot) -> None:
        suspect = snapshot.duration > _SLOW * snapshot.target.interval
        if suspect is watched.suspect:
            return
        watched.suspect = suspect
        with suppress(JobLookupError):  # the scheduler was stopped
            self._scheduler.modify_job(watched.job, executor="suspects" if suspect else "polls")


def _without(mapping: Mapping[str, _T], name: str) -> dict[str, _T]:
    return {key: value for key, value in mapping.items() if key != name}
