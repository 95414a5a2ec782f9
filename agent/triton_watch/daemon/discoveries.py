"""Where targets come from, as jobs: what is configured, and what DNS and files say now and then.

discover:<source>   one look-up by DNS, every interval with jitter, in threads of their own
discover:files      one look at all files, every second, in a thread of its own

A source that fails keeps what it said last. Until a source that a reload changed has had its say, what it said before
counts on, so that a reload takes nothing away.
"""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.triggers.interval import IntervalTrigger

from triton_watch.daemon.discovery_source import Answer, Source, sources_of
from triton_watch.daemon.under_way import UnderWay
from triton_watch.discovery.building import targets_of
from triton_watch.discovery.errors import DiscoveryError
from triton_watch.discovery.hosts import Hosts
from triton_watch.discovery.merge import LIMIT, merge
from triton_watch.records import DnsSource, SourceStatus

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence

    from apscheduler.schedulers.background import BackgroundScheduler

    from triton_watch.records import Settings, Target

KIND: Final = "discover"
_POOL: Final = KIND
_FILES_POOL: Final = f"{KIND}_files"
_THREADS: Final = 16
"""A look-up takes 5 s at most: when no DNS server answers, a hundred sources are through in half a minute."""
_FILES_JOB: Final = f"{KIND}:files"
_FILES_EVERY: Final = 1.0
_AGAIN_AFTER: Final = 5.0
_JITTER: Final = 0.05


def look_up_lazily(source: DnsSource) -> tuple[tuple[str, int], ...]:
    """Look a name up; agents that never do are spared what that imports."""
    from triton_watch.discovery.look_ups import look_up  # noqa: PLC0415 - as it says

    return look_up(source)


class Discoveries:
    """Says which targets there are.

    `apply` is called with all of them, and whether that is the whole truth, at each change, by one thread at a time;
    it must not call back. They are not the whole truth until every source has had its say since the process began.
    `look_up` gives hosts and ports and raises `DiscoveryError`; `now` gives Unix seconds.
    """

    def __init__(
        self,
        settings: Settings,
        scheduler: BackgroundScheduler,
        *,
        apply: Callable[[Sequence[Target], bool], None],
        log: logging.Logger,
        now: Callable[[], float],
        look_up: Callable[[DnsSource], Sequence[tuple[str, int]]] = look_up_lazily,
    ) -> None:
        self._scheduler = scheduler
        self._apply = apply
        self._log = log
        self._now = now
        self._look_up = look_up
        self._lock = threading.Lock()
        """Held while sources or what they know change, and while targets are handed over."""
        self._configured = settings.targets
        self._sources: dict[str, Source] = {}
        self._known: frozenset[str] = frozenset()
        self._is_whole = False
        self._clashes: frozenset[str] = frozenset()
        self._cut = 0
        self._planned = 0
        self._under_way = UnderWay()
        self.swap(settings)

    @staticmethod
    def executors() -> dict[str, ThreadPoolExecutor]:
        """The pools of threads that the scheduler needs; threads are started by need."""
        return {_POOL: ThreadPoolExecutor(_THREADS), _FILES_POOL: ThreadPoolExecutor(1)}

    @property
    def all_asked(self) -> bool:
        """Whether a first look of every source has ended, whatever came out of it."""
        return all(source.asked for source in self._sources.values())

    def statuses(self) -> tuple[SourceStatus, ...]:
        """How each source fares."""
        return tuple(source.status for source in self._sources.values())

    def swap(self, settings: Settings) -> None:
        """Go over to other targets and sources; sources that did not change know what they knew."""
        with self._lock:
            before, self._configured = self._sources, settings.targets
            self._sources = sources_of(settings.discovery, before)
            for label, source in before.items():
                if self._sources.get(label) is not source and source.job:
                    self._scheduler.remove_job(source.job)
            for label, source in self._sources.items():
                if before.get(label) is not source and isinstance(source.of, DnsSource):
                    self._plan(source, source.of)
            self._plan_files()
            self._hand_over()

    def close(self) -> None:
        """Begin no look any more, and hand nothing over."""
        with self._lock:
            self._under_way.close()

    def wait(self, patience: float) -> bool:
        """Wait at most so many seconds for the looks that are under way; return whether all have ended."""
        return self._under_way.wait(patience)

    def _plan(self, source: Source, dns: DnsSource) -> None:
        self._planned += 1  # part of the id: a look of the source before it may still be under way
        source.job = f"{KIND}:{source.label}#{self._planned}"
        self._scheduler.add_job(
            self._ask,
            IntervalTrigger(seconds=dns.interval, jitter=dns.interval * _JITTER),
            args=(source, dns),
            id=source.job,
            executor=_POOL,
            next_run_time=dt.datetime.now(dt.timezone.utc),
        )

    def _plan_files(self) -> None:
        """Begin or end the job that looks at files; new files are looked at at once."""
        with suppress(JobLookupError):
            self._scheduler.remove_job(_FILES_JOB)
        if any(source.files is not None for source in self._sources.values()):
            self._scheduler.add_job(
                self._look_at_files,
                IntervalTrigger(seconds=_FILES_EVERY),
                id=_FILES_JOB,
                executor=_FILES_POOL,
                next_run_time=dt.datetime.now(dt.timezone.utc),
            )

    def _ask(self, source: Source, dns: DnsSource) -> None:
        with self._under_way.one() as may_begin:
            if not may_begin:
                return
            try:
                hosts = self._look_up(dns)
                targets, refused = targets_of(dns, hosts)
            except DiscoveryError as error:
                answer = Answer(None, str(error), failures=1)
            except Exception as error:  # noqa: BLE001 - whatever a DNS server sends, the agent goes on
                answer = Answer(None, f"{type(error).__name__}: {error}", failures=1)
            else:
                if source.doubts(targets):
                    self._ask_again(source, dns)
                    return
                answer = Answer(targets, refused=refused, nothing=hosts.why if isinstance(hosts, Hosts) else "")
            self._take(source, answer)

    def _ask_again(self, source: Source, dns: DnsSource) -> None:
        soon = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=min(_AGAIN_AFTER, dns.interval))
        with suppress(JobLookupError):  # a reload took the source away, or the agent ends
            self._scheduler.modify_job(source.job, next_run_time=soon)

    def _look_at_files(self) -> None:
        with self._under_way.one() as may_begin:
            for source in list(self._sources.values()) if may_begin else ():
                if source.files is not None:
                    look = source.files.look()
                    self._take(source, Answer(look.targets, look.problem, look.failures, look.warnings, look.nothing))

    def _take(self, source: Source, answer: Answer) -> None:
        """Use an answer, unless a reload took its source away or the agent ends."""
        with self._lock:
            if self._sources.get(source.label) is not source or self._under_way.is_closed:
                return
            if source.take(answer, self._now(), self._log):
                self._hand_over()

    def _hand_over(self) -> None:
        """Hand over all targets there are."""
        found = {label: source.targets for label, source in self._sources.items()}
        merged = merge(self._configured, found, self._known)
        for clash in merged.clashes:
            if clash not in self._clashes:
                self._log.warning("%s", clash)
        if merged.cut and merged.cut != self._cut:
            self._log.warning("%d of the targets that were found are not watched: %d are at most", merged.cut, LIMIT)
        self._clashes, self._cut = frozenset(merged.clashes), merged.cut
        self._known = frozenset(target.name for target in merged.targets)
        self._is_whole = self._is_whole or all(source.heard for source in self._sources.values())
        self._apply(merged.targets, self._is_whole)
