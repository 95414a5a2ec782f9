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
    from collections.abc import Callable, Sequence

    from triton_watch.daemon.history import HistoryReader
    from triton_watch.records import LedgerState, Objective, SliTable, SloSettings


class Books:
    """What the supervisor needs of objectives. With a Prometheus for history there is no store.

    `clock` gives monotonic seconds, `now` Unix seconds. Raises `StoreBusyError` when another process keeps
    its books in the same directory.
    """

    def __init__(
        self,
        settings: SloSettings,
        *,
        log: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._log = log
        self._clock = clock
        self._now = now
        self._flushing = threading.Lock()
        self._closed = False
        self._history = _history(settings, log, now, clock)
        self._keeper: StoreKeeper | None = None
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

    def observe(self, target: str, table: SliTable | None) -> None:
        """Count what a cycle found; from any thread, for one target from one at a time."""
        self._budgets.observe(target, table)

    def flush(self) -> None:
        """Write what was counted into the store, or ask the Prometheus."""
        with self._flushing:
            if self._keeper is not None and not self._closed:
                self._keeper.flush(self._budgets.changes(full=self._keeper.needs_full))
        if self._history is not None and not self._closed:
            self._history.read()

    def swap(self, settings: SloSettings) -> None:
        """Go over to other objectives. Another directory, interval or Prometheus takes a restart."""
        kept = ("state_dir", "flush_interval", "prometheus")
        if any(getattr(settings, name) != getattr(self._settings, name) for name in kept):
            self._log.warning("slo.state_dir, flush_interval or prometheus changed: that takes effect after a restart")
        settings = replace(settings, **{name: getattr(self._settings, name) for name in kept})
        self._tell(self._settings.objectives, settings.objectives)
        self._settings = settings
        if self._history is not None:
            self._history.swap(settings.objectives)
        if self._keeper is not None:
            self._keeper.save_objectives(settings.objectives)
        else:
            self._open_late(settings)
        self._budgets.swap(settings)

    def view(self) -> BudgetsView:
        """Everything that is known now; returns at once."""
        targets = self._budgets.targets()
        if self._history is not None:
            targets = MappingProxyType({name: self._history.overlaid(one) for name, one in targets.items()})
        return BudgetsView(
            objectives=self._settings.objectives,
            targets=targets,
            store=None if self._keeper is None else self._keeper.status(),
            history=None if self._history is None else self._history.status,
        )

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
        """Take the state directory and return what is in it; nothing where there is nothing to keep."""
        if settings.state_dir is None or not settings.objectives or self._history is not None:
            return ()
        keeper = StoreKeeper(settings.state_dir, now=self._now, log=self._log, clock=self._clock)
        stored = keeper.open()
        if stored.ledgers:
            self._tell(stored.objectives, settings.objectives)
        known = {one.name: one.sli for one in stored.objectives}
        same = {one.name for one in settings.objectives if known.get(one.name) is one.sli}
        keeper.save_objectives(settings.objectives)
        self._keeper = keeper
        return tuple(limited(ledger, same) for ledger in stored.ledgers)

    def _tell(self, old: Sequence[Objective], new: Sequence[Objective]) -> None:
        for sentence in consequences(old, new):
            self._log.warning("%s", sentence)

    def _open_late(self, settings: SloSettings) -> None:
        """The first objectives came with a reload: the store is opened now; where it is taken, that is told."""
        try:
            self._budgets.recall(self._open_store(settings))
        except StoreBusyError as error:
            self._log.error("the events of objectives are kept in memory only: %s", error)


def _history(
    settings: SloSettings, log: logging.Logger, now: Callable[[], float], clock: Callable[[], float]
) -> HistoryReader | None:
    if settings.prometheus is None or not settings.objectives:
        return None
    from triton_watch.daemon.history import HistoryReader  # noqa: PLC0415 - an HTTP client that few agents need

    return HistoryReader(settings, log=log, now=now, clock=clock)
