"""Bookkeeping of the daemon: budgets counted, the store that keeps them or the Prometheus that has them."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.daemon.budgets import Budgets
from triton_watch.daemon.state import BudgetsView
from triton_watch.slo.changes import consequences
from triton_watch.slo.ledger import limited
from triton_watch.store.errors import StoreBusyError
from triton_watch.store.keeper import StoreKeeper

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence

    from triton_watch.daemon.history import HistoryReader
    from triton_watch.records import Course, LedgerState, ModelKey, Objective, SliTable, SloSettings
    from triton_watch.store.stored import StoredState


class Books:
    """What the supervisor needs of objectives, and a place for the state of alerts.

    With a Prometheus for history, or without objectives, there is a store only where alerts are to be kept
    (`keeps_alerts`), and what it has of objectives is left alone. `clock` gives monotonic seconds, `now` Unix
    seconds. Raises `StoreBusyError` when another process keeps its books in the same directory.
    """

    def __init__(
        self,
        settings: SloSettings,
        *,
        log: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        keeps_alerts: bool = False,
    ) -> None:
        self._settings = settings
        self._keeps_alerts = keeps_alerts
        self._alerts = b""
        self._log = log
        self._clock = clock
        self._now = now
        self._flushing = threading.Lock()
        self._closed = False
        self._history = _history(settings, log, now, clock)
        self._keeper: StoreKeeper | None = None
        self._has_ledgers = False  # whether the events of objectives are kept in the store
        stored = self._open_store(settings)
        self._budgets = Budgets(settings, stored, clock=clock, now=now)

    @property
    def flush_interval(self) -> float:
        """Seconds between two calls of `flush`."""
        return self._settings.flush_interval

    def watch(self, target: str) -> None:
        """Begin with a target."""
        self._budgets.watch(target)

    def forget(self, target: str) -> None:
        """A target is no longer watched."""
        self._budgets.forget(target)
        if self._history is not None:
            self._history.forget(target)

    def all_known(self) -> None:
        """All targets that there are were named to `watch` by now: others that the store knows are gone."""
        self._budgets.all_known()

    def observe(self, target: str, table: SliTable | None) -> None:
        """Count what a cycle found; from any thread, for one target from one at a time."""
        self._budgets.observe(target, table)

    def flush(self) -> None:
        """Write what was counted into the store, or ask the Prometheus."""
        with self._flushing:
            if self._keeper is not None and not self._closed:
                changes = self._budgets.changes(full=self._keeper.needs_full) if self._has_ledgers else ()
                self._keeper.flush(changes)
        if self._history is not None and not self._closed:
            self._history.read()

    def alerts(self) -> bytes:
        """What the store had of alerts, once; empty = nothing."""
        found, self._alerts = self._alerts, b""
        return found

    def save_alerts(self, blob: bytes) -> None:
        """Write the state of alerts at once, where there is a store; never raises for the disk."""
        with self._flushing:
            if self._keeper is not None and not self._closed:
                self._keeper.save_alerts(blob)

    def swap(self, settings: SloSettings, *, keeps_alerts: bool | None = None) -> None:
        """Go over to other objectives. Another directory, interval or Prometheus takes a restart.

        `keeps_alerts`: whether alerts are to be kept from now on; None = as before.
        """
        self._keeps_alerts = self._keeps_alerts if keeps_alerts is None else keeps_alerts
        kept = ("state_dir", "flush_interval", "prometheus")
        if any(getattr(settings, name) != getattr(self._settings, name) for name in kept):
            self._log.warning("slo.state_dir, flush_interval or prometheus changed: that takes effect after a restart")
        settings = replace(settings, **{name: getattr(self._settings, name) for name in kept})
        self._tell(self._settings.objectives, settings.objectives)
        self._settings = settings
        if self._history is not None:
            self._history.swap(settings.objectives)
        if self._keeper is not None and self._has_ledgers:
            self._keeper.save_objectives(settings.objectives)
        else:
            self._open_late(settings)
        self._budgets.swap(settings)

    def view(self) -> BudgetsView:
        """Everything that is known now; returns at once."""
        targets = self._budgets.targets()
        if self._history is not None:
            targets = MappingProxyType({name: self._history.overlaid(one, name) for name, one in targets.items()})
        return BudgetsView(
            objectives=self._settings.objectives,
            targets=targets,
            store=None if self._keeper is None else self._keeper.status(),
            history=None if self._history is None else self._history.status,
        )

    def courses(self, target: str, key: ModelKey) -> Mapping[str, Course]:
        """How the events of a model's objectives came about; nothing where a Prometheus has the events."""
        return {} if self._history is not None else self._budgets.courses(target, key)

    def close(self) -> None:
        """Write a last time and let others have the directory."""
        self.flush()
        with self._flushing:
            self._closed = True
            if self._keeper is not None:
                self._keeper.close()
        if self._history is not None:
            self._history.close()

    def _open_store(self, settings: SloSettings) -> tuple[LedgerState, ...]:
        """Take the state directory and return the ledgers in it; nothing where there is nothing to keep."""
        has_ledgers = bool(settings.objectives) and self._history is None
        if settings.state_dir is None or not (has_ledgers or (self._keeps_alerts and self._keeper is None)):
            return ()
        before, self._keeper = self._keeper, None
        if before is not None:  # it has kept alerts alone
            before.flush(())
            before.close()
        keeper = StoreKeeper(
            settings.state_dir, now=self._now, log=self._log, clock=self._clock, keeps_ledgers=has_ledgers
        )
        stored = keeper.open()
        self._keeper, self._has_ledgers = keeper, has_ledgers
        if before is None:
            self._alerts = stored.alerts
        return self._taken_over(keeper, stored, settings.objectives) if has_ledgers else ()

    def _taken_over(
        self, keeper: StoreKeeper, stored: StoredState, objectives: Sequence[Objective]
    ) -> tuple[LedgerState, ...]:
        """The stored ledgers, as far as they are still about the same."""
        if stored.ledgers:
            self._tell(stored.objectives, objectives)
        known = {one.name: one.sli for one in stored.objectives}
        same = {one.name for one in objectives if known.get(one.name) is one.sli}
        keeper.save_objectives(objectives)
        return tuple(limited(ledger, same) for ledger in stored.ledgers)

    def _tell(self, old: Sequence[Objective], new: Sequence[Objective]) -> None:
        for sentence in consequences(old, new):
            self._log.warning("%s", sentence)

    def _open_late(self, settings: SloSettings) -> None:
        """What is to be kept came with a reload: the store is opened now; where it is taken, that is told."""
        try:
            with self._flushing:
                self._budgets.recall(self._open_store(settings))
        except StoreBusyError as error:
            what = "the events of objectives are" if settings.objectives else "the state of alerts is"
            self._log.error("%s kept in memory only: %s", what, error)


def _history(
    settings: SloSettings, log: logging.Logger, now: Callable[[], float], clock: Callable[[], float]
) -> HistoryReader | None:
    if settings.prometheus is None or not settings.objectives:
        return None
    from triton_watch.daemon.history import HistoryReader  # noqa: PLC0415 - an HTTP client that few agents need

    return HistoryReader(settings, log=log, now=now, clock=clock)
