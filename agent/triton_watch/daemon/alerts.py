"""The alerts of all targets as jobs.

alerts          once a second, in a thread of its own: what changed is evaluated, time passes, states are kept
notify:<peer>   when something is due to an Alertmanager, in threads of their own
audit           checks of the live configurations, in a thread of its own
"""

from __future__ import annotations

import datetime as dt
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.triggers.interval import IntervalTrigger

from triton_watch.alerting.definition import Facts
from triton_watch.alerting.definitions import ALERTS
from triton_watch.alerting.evaluator import Evaluator
from triton_watch.alerting.kept import pack, unpack
from triton_watch.alerting.manager.dispatcher import Dispatcher
from triton_watch.config.addresses import is_loopback, url_of
from triton_watch.daemon.audits import Audits
from triton_watch.daemon.chronicle import News, Topic
from triton_watch.daemon.state import AlertsView
from triton_watch.daemon.under_way import UnderWay
from triton_watch.records import AlertMode, AlertPhase, CheckSettings, EventKind, EventLevel

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

    from apscheduler.schedulers.background import BackgroundScheduler

    from triton_watch.daemon.audits import Audit
    from triton_watch.daemon.books import Books
    from triton_watch.daemon.chronicle import Chronicle
    from triton_watch.daemon.state import StateSource, TargetBudgets
    from triton_watch.probes.canary.run import Clocks
    from triton_watch.records import AlertKey, AlertState, CanaryState, Finding, ModelKey, Settings, TargetSnapshot

KIND: Final = "notify"
_EVERY: Final = 1.0
_AUDIT_EVERY: Final = 5.0
_SENDERS: Final = 32
"""Threads that tell Alertmanagers, started by need: one for each that hangs."""
_KEEP_EVERY: Final = 30.0
"""Seconds after which states are written even where only time has passed: pending alerts keep how long they held."""
_ENDED: Final = 100
"""Alerts that are remembered after nobody is told of them any more."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was last evaluated of a target; compared by identity."""

    snapshot: TargetSnapshot
    canaries: Mapping[ModelKey, CanaryState] | None
    budgets: TargetBudgets | None
    findings: tuple[Finding, ...] | None

    def is_same(self, other: _Seen | None) -> bool:
        """Whether nothing came since."""
        return other is not None and all(
            mine is theirs
            for mine, theirs in (
                (self.snapshot, other.snapshot),
                (self.canaries, other.canaries),
                (self.budgets, other.budgets),
                (self.findings, other.findings),
            )
        )


class AlertJobs:
    """Evaluates and sends on the supervisor's scheduler.

    `source` is what is evaluated; `books` have what was kept of an earlier process, and keep it. `audit` checks a live
    server; None = nobody does.
    """

    def __init__(
        self,
        settings: Settings,
        scheduler: BackgroundScheduler,
        source: StateSource,
        *,
        audit: Audit | None,
        books: Books,
        chronicle: Chronicle,
        clocks: Clocks,
        rng: random.Random,
    ) -> None:
        self._settings = settings.alerts
        self._external_url = external_url(settings)
        self._targets = frozenset(target.name for target in settings.targets)
        self._scheduler = scheduler
        self._source = source
        self._books = books
        self._chronicle = chronicle
        self._log = log = chronicle.log
        self._clock, self._now = clock, now = clocks.clock, clocks.now
        stored = books.alerts()
        kept = unpack(stored)
        if kept.problem:
            log.warning("the alerts of the process before are not known: %s", kept.problem)
        self._warn_of_links(settings)
        self._evaluator = Evaluator(settings.alerts, ALERTS, kept.states, log=log, clock=clock, now=now)
        self._dispatcher = Dispatcher(
            settings.alerts, external_url=self._external_url, kept=kept.peers, clock=clock, now=now, rng=rng, log=log
        )
        self._audits = Audits(audit, settings.check or CheckSettings(), _interval(settings), log=log, clock=clock)
        self._seen: dict[str, _Seen] = {}
        self._lock = threading.Lock()
        self._sending: set[str] = set()
        self._sends = 0
        self._under_way = UnderWay()
        self._told: frozenset[AlertKey] = frozenset(_firing(kept.states))
        self._unseen = frozenset(dict(state.key.labels).get("target", "") for state in kept.states)
        """Targets of the process before that this one has not watched yet."""
        self._kept = stored
        self._kept_at = clock()
        self._mark: object = None
        self._offered: tuple[AlertState, ...] | None = None
        self._ended: tuple[AlertState, ...] = ()
        self._evaluated_at: float | None = None

    @staticmethod
    def executors() -> dict[str, ThreadPoolExecutor]:
        """The pools of threads that the scheduler needs; threads are started by need."""
        return {
            "alerts": ThreadPoolExecutor(1),
            "notify": ThreadPoolExecutor(_SENDERS),
            "audit": ThreadPoolExecutor(1),
        }

    def start(self) -> None:
        """Begin; the scheduler may run or not."""
        self._scheduler.add_job(self.tick, IntervalTrigger(seconds=_EVERY), id="alerts", executor="alerts")
        self._scheduler.add_job(self._check, IntervalTrigger(seconds=_AUDIT_EVERY), id="audit", executor="audit")

    def tick(self) -> None:
        """Evaluate what changed, let a moment pass, and see to it that who is to be told is told."""
        with self._under_way.one() as may_begin:
            if may_begin:
                self._tick()

    def _tick(self) -> None:
        self._evaluator.observe_all(self._news())
        self._evaluator.advance()
        self._evaluated_at = self._now()
        states = self._evaluator.states()
        if states is not self._offered:
            self._remember_ended(self._offered or (), states)
            self._offered = states
            self._dispatcher.offer(states)
            self._tell_changes(states)
        for url in self._dispatcher.peers():
            if self._dispatcher.due(url):
                self._begin(url)
        self._keep()

    def watch(self, targets: Iterable[str], *, is_whole: bool) -> None:
        """From now on these targets are watched: alerts of others resolve.

        Without `is_whole` there may be others, which were not found yet: alerts that the process before had of them
        stay. From any thread.
        """
        names = frozenset(targets)
        self._unseen = frozenset() if is_whole else self._unseen - names
        self._targets = names | self._unseen

    def swap(self, settings: Settings) -> None:
        """Go over to other settings; peers come and go. `watch` says which targets there are from then on."""
        self._settings = settings.alerts
        self._external_url = external_url(settings)
        self._evaluator.swap(settings.alerts)
        self._dispatcher.swap(settings.alerts, self._external_url)
        self._audits.swap(settings.check or CheckSettings(), _interval(settings))

    def view(self) -> AlertsView:
        """Everything that is known now; returns at once."""
        return AlertsView(
            settings=self._settings,
            external_url=self._external_url,
            states=self._evaluator.states(),
            peers=self._dispatcher.statuses(),
            findings=self._audits.findings(),
            refused=self._evaluator.refused,
            ended=self._ended,
            evaluated_at=self._evaluated_at,
        )

    def close(self, patience: float) -> bool:
        """Tell a last time what is due, and keep what there is; return whether all that was under way has ended.

        Firing alerts stay so: agents end to begin again.
        """
        self._under_way.close()
        self._audits.close()
        self._dispatcher.close()
        self._keep(always=True)
        return self._under_way.wait(patience)

    def _warn_of_links(self, settings: Settings) -> None:
        if settings.alerts.alertmanagers and not settings.alerts.external_url and is_loopback(settings.web.host):
            self._log.warning(
                "alerts link to %s, which only this machine reaches: set alerts.external_url", self._external_url
            )

    def _news(self) -> list[Facts]:
        """The targets of which something is new."""
        snapshots, canaries = self._source.snapshots(), self._source.canaries()
        budgets, findings = self._source.budgets(), self._audits.findings()
        self._evaluator.only(self._targets)
        self._seen = {name: seen for name, seen in self._seen.items() if name in snapshots}
        objectives = {one.name: one for one in budgets.objectives}
        found = []
        for name, snapshot in snapshots.items():
            of_target = budgets.targets.get(name)
            seen = _Seen(snapshot, canaries.get(name), of_target, findings.get(name))
            before = self._seen.get(name)
            if seen.is_same(before) or _begin_anew(seen, before):
                continue
            self._seen[name] = seen
            found.append(
                Facts(
                    snapshot=snapshot,
                    canaries=seen.canaries or {},
                    budgets=() if of_target is None else of_target.tables,
                    objectives=objectives,
                    findings=seen.findings,
                )
            )
        return found

    def _begin(self, url: str) -> None:
        with self._lock:
            if url in self._sending:
                return
            self._sending.add(url)
            self._sends += 1
        # Each is a job of its own: the scheduler counts one as running for a moment after it has ended.
        self._scheduler.add_job(
            self._send,
            args=(url,),
            id=f"{KIND}:{self._sends}",
            executor="notify",
            next_run_time=dt.datetime.now(dt.timezone.utc),
        )

    def _send(self, url: str) -> None:
        try:
            with self._under_way.one() as may_begin:
                if may_begin:
                    self._dispatcher.send(url)
        finally:
            with self._lock:
                self._sending.discard(url)

    def _check(self) -> None:
        with self._under_way.one() as may_begin:
            if may_begin and self._settings.mode is not AlertMode.OFF:
                self._audits.run_due(self._source.snapshots())

    def _tell_changes(self, states: tuple[AlertState, ...]) -> None:
        """Tell each alert that fires or has resolved since the last time."""
        firing = _firing(states)
        for key, state in firing.items():
            if key not in self._told:
                self._chronicle.tell(_news(key, EventLevel.TROUBLE, f"fires: {state.detail or state.summary}"))
        for state in states:
            if state.phase is AlertPhase.RESOLVED and state.key in self._told:
                self._chronicle.tell(_news(state.key, EventLevel.RECOVERY, f"has resolved: {state.summary}"))
        self._told = frozenset(firing)

    def _remember_ended(self, before: Iterable[AlertState], states: Iterable[AlertState]) -> None:
        """Keep what was resolved and is no more: it was told for long enough, or fires again."""
        resolved = {(state.key, state.resolved_at) for state in states if state.phase is AlertPhase.RESOLVED}
        gone = [
            state
            for state in before
            if state.phase is AlertPhase.RESOLVED and (state.key, state.resolved_at) not in resolved
        ]
        if gone:
            self._ended = tuple(sorted((*gone, *self._ended), key=_resolved_at, reverse=True)[:_ENDED])

    def _keep(self, *, always: bool = False) -> None:
        """Write what is new: at once what happened, and now and then for how long something has held."""
        states = self._evaluator.states()
        mark = (tuple((state.key, state.phase) for state in states), self._dispatcher.mark())
        now = self._clock()
        if mark == self._mark and now - self._kept_at < _KEEP_EVERY and not always:
            return
        self._mark, self._kept_at = mark, now
        blob = pack(states, self._dispatcher.dump())
        if blob != self._kept:
            self._kept = blob
            self._books.save_alerts(blob)


def _firing(states: Iterable[AlertState]) -> dict[AlertKey, AlertState]:
    return {state.key: state for state in states if state.phase is AlertPhase.FIRING}


def _resolved_at(state: AlertState) -> float:
    return state.resolved_at or 0.0


def _news(key: AlertKey, level: EventLevel, what: str) -> News:
    labels = dict(key.labels)
    target, model, version = (labels.pop(label, "") for label in ("target", "model", "version"))
    topic = Topic(EventKind.ALERT, target, model, version, " ".join((key.alert, key.severity.value, *labels.values())))
    return News(topic, level, f"{key.alert} ({key.severity.value}) {what}")


def _begin_anew(seen: _Seen, before: _Seen | None) -> bool:
    """Whether the canaries of a target were taken away by a reload: the next poll brings them back."""
    return before is not None and seen.snapshot is before.snapshot and bool(before.canaries) and not seen.canaries


def _interval(settings: Settings) -> float | None:
    return None if settings.alerts.mode is AlertMode.OFF else settings.alerts.config_check


def external_url(settings: Settings) -> str:
    """Where people reach this agent: as configured, else where it listens; no slash at its end."""
    if settings.alerts.external_url:
        return settings.alerts.external_url
    host = settings.web.host
    if host in ("0.0.0.0", "::"):  # noqa: S104 - asked, not listened on
        host = socket.gethostname()
    return url_of(host, settings.web.port, tls=settings.web.tls)
