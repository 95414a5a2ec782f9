"""Where targets come from, as jobs: what is configured, and what DNS and files say now and then.

discover:<source>   one look-up by DNS, every interval with jitter, in threads of their own
discover:files      one look at all files, every second

A source that fails keeps what it said last. Until a source that is new has had its say, a source of the same name
before it counts on, so that a reload takes nothing away.
"""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.triggers.interval import IntervalTrigger

from triton_watch.daemon.under_way import UnderWay
from triton_watch.discovery.building import targets_of
from triton_watch.discovery.errors import DiscoveryError
from triton_watch.discovery.files import Files
from triton_watch.discovery.merge import merge
from triton_watch.records import DnsSource, SourceStatus

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from apscheduler.schedulers.background import BackgroundScheduler

    from triton_watch.records import DiscoverySettings, FileSource, Settings, Target

KIND: Final = "discover"
_POOL: Final = "discover"
_THREADS: Final = 4
"""A look-up takes 5 s at most."""
_FILES_JOB: Final = f"{KIND}:files"
_FILES_EVERY: Final = 1.0
_AGAIN_AFTER: Final = 5.0
_JITTER: Final = 0.05
_NAMES: Final = 10
"""Names on one line of the log."""


@dataclass(slots=True, eq=False)
class _Source:
    """One source; `asked` says that a look has ended, `heard` that one succeeded.

    `doubted`: its last answer took all targets away, and is not believed until it comes again.
    """

    of: DnsSource | FileSource
    files: Files | None = None
    job: str = ""
    targets: tuple[Target, ...] = ()
    carried: tuple[Target, ...] = ()
    """What a source of its name said before a reload: it counts until this one succeeded."""
    refused: tuple[str, ...] = ()
    status: SourceStatus = field(default_factory=lambda: SourceStatus(""))
    doubted: bool = False
    asked: bool = False
    heard: bool = False

    @property
    def label(self) -> str:
        """What it is called."""
        return self.of.label


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
        self._lock = threading.RLock()
        self._configured = settings.targets
        self._sources: dict[str, _Source] = {}
        self._known: frozenset[str] = frozenset()
        self._is_whole = False
        self._clashes: frozenset[str] = frozenset()
        self._cut = 0
        self._planned = 0
        self._under_way = UnderWay()
        self.swap(settings)

    @staticmethod
    def executors() -> dict[str, ThreadPoolExecutor]:
        """The pool of threads that the scheduler needs; threads are started by need."""
        return {_POOL: ThreadPoolExecutor(_THREADS)}

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
            self._sources = _sources(settings.discovery, before)
            for label, source in before.items():
                if self._sources.get(label) is not source and source.job:
                    self._scheduler.remove_job(source.job)
            for label, source in self._sources.items():
                if before.get(label) is not source and isinstance(source.of, DnsSource):
                    self._plan(source, source.of)
            self._plan_files()
            self._tell_targets()

    def close(self) -> None:
        """Begin no look any more."""
        self._under_way.close()

    def wait(self, patience: float) -> bool:
        """Wait at most so many seconds for the looks that are under way; return whether all have ended."""
        return self._under_way.wait(patience)

    def _plan(self, source: _Source, dns: DnsSource) -> None:
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
                executor=_POOL,
                next_run_time=dt.datetime.now(dt.timezone.utc),
            )

    def _ask(self, source: _Source, dns: DnsSource) -> None:
        with self._under_way.one() as may_begin:
            if not may_begin:
                return
            try:
                targets, refused = targets_of(dns, self._look_up(dns))
                if self._is_doubted(source, dns, targets):
                    return
            except DiscoveryError as error:
                self._take(source, None, str(error), failures=1)
            except Exception as error:  # noqa: BLE001 - whatever a DNS server sends, the agent goes on
                self._take(source, None, f"{type(error).__name__}: {error}", failures=1)
            else:
                self._take(source, targets, "", refused=refused)

    def _is_doubted(self, source: _Source, dns: DnsSource, targets: Sequence[Target]) -> bool:
        """Whether an answer takes all targets away for the first time: then it is asked for again, soon."""
        source.doubted = bool(source.targets) and not targets and not source.doubted
        if source.doubted:
            soon = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=min(_AGAIN_AFTER, dns.interval))
            with suppress(JobLookupError):  # a reload took the source away
                self._scheduler.modify_job(source.job, next_run_time=soon)
        return source.doubted

    def _look_at_files(self) -> None:
        with self._under_way.one() as may_begin:
            for source in list(self._sources.values()) if may_begin else ():
                if source.files is not None:
                    look = source.files.look()
                    self._take(source, look.targets, look.problem, failures=look.failures)

    def _take(
        self,
        source: _Source,
        targets: Sequence[Target] | None,
        problem: str,
        *,
        failures: int = 0,
        refused: Iterable[str] = (),
    ) -> None:
        """Take in what a source says; None = it does not know, and what it said last counts."""
        with self._lock:
            if self._sources.get(source.label) is not source or self._under_way.is_closed:
                return
            before = source.targets
            source.carried = source.carried if problem else ()
            if targets is not None:
                source.targets = (*targets, *source.carried)
            source.refused = self._refused(source, tuple(refused))
            self._tell_problem(source, problem)
            source.status = replace(
                source.status,
                targets=len(source.targets),
                last_success=source.status.last_success if problem else self._now(),
                failures=source.status.failures + failures,
                problem=problem,
            )
            was_heard, source.asked, source.heard = source.heard, True, source.heard or not problem
            if source.targets != before or source.heard is not was_heard:
                self._tell_found(source, before, is_first=not was_heard)
                self._tell_targets()

    def _tell_targets(self) -> None:
        """Hand over all targets there are."""
        found = {label: source.targets for label, source in self._sources.items()}
        merged = merge(self._configured, found, self._known)
        for clash in merged.clashes:
            if clash not in self._clashes:
                self._log.warning("%s", clash)
        if merged.cut and merged.cut != self._cut:
            self._log.warning("%d targets that were found are not watched: they are too many", merged.cut)
        self._clashes, self._cut = frozenset(merged.clashes), merged.cut
        self._known = frozenset(target.name for target in merged.targets)
        self._is_whole = self._is_whole or all(source.heard for source in self._sources.values())
        self._apply(merged.targets, self._is_whole)

    def _tell_problem(self, source: _Source, problem: str) -> None:
        facts = {"source": source.label}
        if problem and problem != source.status.problem:
            kept = "; what it had before stays" if source.targets else ""
            self._log.warning(
                "targets could not be looked for: %s%s", problem.rstrip("."), kept, extra={"facts": facts}
            )
        elif source.status.problem and not problem:
            self._log.info("targets can be looked for again", extra={"facts": facts})

    def _tell_found(self, source: _Source, before: Sequence[Target], *, is_first: bool) -> None:
        old, new = {target.name for target in before}, {target.name for target in source.targets}
        facts = {"source": source.label, "targets": len(source.targets)}
        for what, names in (("found", new - old), ("gone", old - new)):
            if names:
                tell = self._log.warning if not new else self._log.info
                tell("targets %s: %s", what, _listed(names), extra={"facts": facts})
        if is_first and not new and not old and source.heard:
            self._log.warning("no targets were found yet", extra={"facts": facts})

    def _refused(self, source: _Source, refused: tuple[str, ...]) -> tuple[str, ...]:
        for sentence in refused[:_NAMES]:
            if sentence not in source.refused:
                self._log.warning("%s", sentence, extra={"facts": {"source": source.label}})
        return refused


def _sources(settings: DiscoverySettings, before: Mapping[str, _Source]) -> dict[str, _Source]:
    """Make the sources; one that did not change is the one that was, a changed one begins with what that knew."""
    sources: dict[str, _Source] = {}
    wanted: tuple[DnsSource | FileSource, ...] = (*settings.dns, *settings.files)
    for one in wanted:
        old = before.get(one.label)
        if old is not None and old.of == one:
            sources[one.label] = old
            continue
        files = None if isinstance(one, DnsSource) else Files(one)
        fresh = _Source(one, files, status=SourceStatus(one.label))
        if old is not None:
            fresh.targets = fresh.carried = old.targets
            fresh.status = old.status
        sources[one.label] = fresh
    return sources


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = len(ordered) - _NAMES
    return ", ".join(ordered[:_NAMES]) + (f" and {more} more" if more > 0 else "")
