"""Batch sizes of the models that somebody looks at: their servers are asked for statistics, and no others.

looks   once a second while anybody looks, in a thread of its own; there is no such job while nobody does
"""

from __future__ import annotations

import datetime as dt
import math
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.triggers.interval import IntervalTrigger

from triton_watch.daemon.chronicle import LONGEST
from triton_watch.daemon.under_way import UnderWay
from triton_watch.records import BatchSizes
from triton_watch.triton.client import TritonClient
from triton_watch.triton.errors import AnswerTimeoutError, ConnectError, TritonError
from triton_watch.triton.http import HttpFetcher
from triton_watch.wording.text import clip, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from apscheduler.schedulers.background import BackgroundScheduler

    from triton_watch.probes.canary.run import Clocks
    from triton_watch.records import Target
    from triton_watch.triton.statistics import ModelStatistics

_JOB: Final = "looks"
LOOKED: Final = 60.0
"""Seconds for which somebody looks who asked once."""
PACE: Final = 10.0
"""Seconds between two requests for one model."""
KEPT: Final = 600.0
"""Seconds for which an answer is told."""
MODELS: Final = 500
"""Models that are remembered; the one that was not looked at for longest makes room."""
AT_A_TIME: Final = 20
PATIENCE: Final = 2.0
"""Seconds for one answer."""
OF_A_SERVER: Final = 3.0
"""Seconds for one server, until the others have their turn."""
_LONGEST_REST: Final = 60.0


class _Place(NamedTuple):
    target: str
    name: str
    version: str


@dataclass(slots=True)
class _Look:
    """When a model was last looked at, and when its server was asked; monotonic seconds."""

    seen: float = 0.0
    asked: float | None = None
    answer: BatchSizes | None = None

    @property
    def due(self) -> float:
        """When to ask next."""
        return -math.inf if self.asked is None else self.asked + PACE


@dataclass(slots=True)
class _Server:
    """One target. A server that does not answer is left alone until `rests_until`."""

    target: Target
    rest: float = 0.0
    rests_until: float = 0.0
    problem: str = ""


class Looks:
    """Notes who looks at what, and asks for it on the supervisor's scheduler. For any number of threads."""

    def __init__(self, scheduler: BackgroundScheduler, clocks: Clocks) -> None:
        self._scheduler = scheduler
        self._clock, self._now = clocks.clock, clocks.now
        self._lock = threading.Lock()
        """Held for moments."""
        self._servers: dict[str, _Server] = {}
        self._looks: dict[_Place, _Look] = {}
        """Those that were looked at last are last."""
        self._is_awake = False
        self._under_way = UnderWay()

    @staticmethod
    def executors() -> dict[str, ThreadPoolExecutor]:
        """The pool of threads that the scheduler needs; its thread is started by need."""
        return {_JOB: ThreadPoolExecutor(1)}

    def watch(self, target: Target) -> None:
        """Begin with a target."""
        with self._lock:
            self._servers[target.name] = _Server(target)

    def forget(self, name: str) -> None:
        """A target is no longer watched."""
        with self._lock:
            self._servers.pop(name, None)
            self._looks = {place: look for place, look in self._looks.items() if place.target != name}

    def sizes(self, target: str, name: str, version: str) -> BatchSizes | None:
        """What is known, at once; None = nothing yet. Notes that somebody looks."""
        place, now = _Place(target, name, version), self._clock()
        with self._lock:
            if target not in self._servers:
                return None
            look = self._looks.pop(place, None) or _Look()
            look.seen, self._looks[place] = now, look
            if len(self._looks) > MODELS:
                del self._looks[next(iter(self._looks))]
            if not self._is_awake:
                self._is_awake, at_once = True, dt.datetime.now(dt.timezone.utc)
                every = IntervalTrigger(seconds=1)
                self._scheduler.add_job(self.tick, every, id=_JOB, executor=_JOB, next_run_time=at_once)
            return look.answer if look.asked is not None and now - look.asked < KEPT else None

    def tick(self) -> None:
        """Ask for what is due; called again and again, by one thread."""
        with self._under_way.one() as may_begin:
            if may_begin:
                for server, places in self._due():
                    self._ask(server, places)

    def close(self) -> None:
        """Begin no request any more."""
        self._under_way.close()

    def wait(self, patience: float) -> bool:
        """Wait at most so many seconds for a request that is under way; return whether it has ended."""
        return self._under_way.wait(patience)

    def _due(self) -> Iterable[tuple[_Server, list[_Place]]]:
        """What to ask now, by server, those first that have waited longest; sleep where nobody looks any more."""
        now = self._clock()
        with self._lock:
            self._looks = {place: look for place, look in self._looks.items() if now - look.seen < KEPT}
            looked = [(place, look) for place, look in self._looks.items() if now - look.seen < LOOKED]
            if not looked and self._is_awake:
                self._is_awake = False
                with suppress(JobLookupError):  # the scheduler was stopped just now
                    self._scheduler.remove_job(_JOB)
            waiting = [(look.due, place) for place, look in looked if look.due <= now]
            found: dict[str, list[_Place]] = {}
            for _, place in sorted(waiting)[:AT_A_TIME]:
                found.setdefault(place.target, []).append(place)
            return [(self._servers[name], places) for name, places in found.items()]

    def _ask(self, server: _Server, places: Sequence[_Place]) -> None:
        end = self._clock() + OF_A_SERVER
        with HttpFetcher(server.target, clock=self._clock) as fetcher:
            client = TritonClient(server.target, fetcher)
            for place in places:
                begin = self._clock()
                if begin >= end or self._under_way.is_closed:
                    return
                if begin < server.rests_until:
                    self._answer(server, place, server.problem)
                    continue
                try:
                    found = client.statistics(place.name, place.version or None, deadline=begin + PATIENCE)
                except TritonError as error:
                    self._answer(server, place, self._problem(server, error))
                else:
                    server.rest = 0.0
                    self._answer(server, place, *_sizes(place, found))

    def _problem(self, server: _Server, error: TritonError) -> str:
        problem = clip(printable(f"The server's statistics could not be read: {error}."), LONGEST)
        if isinstance(error, (ConnectError, AnswerTimeoutError)):
            server.rest = min(max(PACE, 2 * server.rest), _LONGEST_REST)
            server.rests_until, server.problem = self._clock() + server.rest, problem
        return problem

    def _answer(self, server: _Server, place: _Place, problem: str, executions: dict[int, int] | None = None) -> None:
        with self._lock:
            look = self._looks.get(place)
            if look is not None and self._servers.get(place.target) is server:
                look.asked, look.answer = self._clock(), BatchSizes(self._now(), executions or {}, problem)


def _sizes(place: _Place, found: Iterable[ModelStatistics]) -> tuple[str, dict[int, int]]:
    """A problem or "", and executions by batch size: Triton counts an execution, not its requests, in batch_stats."""
    mine = [one for one in found if one.key.name == place.name and place.version in ("", one.key.version)]
    if not mine:
        return "The server's statistics do not tell of this version of the model.", {}
    counts: Counter[int] = Counter()
    for one in mine:
        counts.update({batch.batch_size: batch.compute_infer.count for batch in one.batches})
    return "", dict(sorted(counts.items()))
