"""The store as the daemon has it: whatever happens to the disk, the daemon goes on."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.store.errors import StoreBusyError, StoreError
from triton_watch.store.reader import read
from triton_watch.store.shelf import Shelf
from triton_watch.store.status import StoreStatus
from triton_watch.store.stored import StoredState

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from triton_watch.records import LedgerState, Objective
    from triton_watch.store.sqlite import SqliteStore

RETRY = 55.0
"""Seconds between attempts while nothing can be written; every second flush at the usual interval of 30."""


class StoreKeeper:
    """Keeps the store of one process in `folder`; while that cannot be, says so and tries again.

    `now` gives Unix seconds, `clock` monotonic seconds. `open` comes first, then `flush` and `save_alerts`, one at a
    time with what `needs_full` said before; `status` is for any thread. Without `keeps_ledgers` only alerts are
    written, and the ledgers and objectives in the file are left as they are.
    """

    def __init__(
        self,
        folder: Path,
        *,
        now: Callable[[], float],
        log: logging.Logger,
        clock: Callable[[], float] = time.monotonic,
        keeps_ledgers: bool = True,
    ) -> None:
        self._folder = folder
        self._now = now
        self._log = log
        self._clock = clock
        self._keeps_ledgers = keeps_ledgers
        self._guard = threading.Lock()
        self._shelf = Shelf(folder, now=now, on_aside=self._note_aside)
        self._objectives: tuple[Objective, ...] | None = None
        self._objectives_due = False
        self._alerts: bytes | None = None
        self._alerts_due = False
        self._known = False  # whether the caller has been given what the file holds
        self._needs_full = True
        self._retry_at = -math.inf
        self._status = StoreStatus(persistent=False, path=str(self._shelf.path), reason="the store is not open yet")

    @property
    def needs_full(self) -> bool:
        """Whether the next `flush` must be given every ledger whole: it will replace whatever is stored."""
        return self._needs_full

    def status(self) -> StoreStatus:
        """Return how the store fares."""
        return self._status

    def open(self) -> StoredState:
        """Take the directory and return what is stored in it; empty where nothing is, or nothing can be read.

        Raises `StoreBusyError` when another process has the directory, and nothing else for the disk.
        """
        with self._guard:
            try:
                stored = self._shelf.open().take()
            except StoreBusyError:
                raise
            except StoreError as error:
                self._go_without(error)
                stored = self._read_only()
            else:
                self._known, self._needs_full = True, False
                self._status = replace(self._status, persistent=True, reason="")
            self._alerts = stored.alerts or None
            return stored

    def save_objectives(self, objectives: Sequence[Objective]) -> None:
        """Let the next flush write these objectives too; they are written again into every new file."""
        with self._guard:
            self._objectives, self._objectives_due = tuple(objectives), True

    def save_alerts(self, alerts: bytes) -> None:
        """Write the alerts at once, on their own; they are written again into every new file.

        Never raises for the disk: what cannot be written now comes with the next flush that can.
        """
        with self._guard:
            self._alerts, self._alerts_due = alerts, True
            if self._shelf.store is None:
                return
            try:
                self._shelf.store.save_alerts(alerts)
            except StoreError as error:
                self._mend(error)
            else:
                self._alerts_due = False

    def flush(self, changes: Sequence[LedgerState]) -> None:
        """Write what changed since the last flush, in one transaction; every ledger whole if `needs_full`.

        A ledger that is not among the changes is forgotten when its period is over. Never raises for the
        disk: what cannot be written is asked for again by `needs_full`, in about a minute.
        """
        with self._guard:
            if self._clock() < self._retry_at:
                return
            began = self._clock()
            try:
                size = self._write(self._shelf.store or self._opened_again(), changes)
            except StoreError as error:
                self._mend(error)
            else:
                self._note_flush(self._clock() - began, size)

    def close(self) -> None:
        """Close the file and let others have the directory. It does not flush."""
        with self._guard:
            self._shelf.close()

    def _write(self, store: SqliteStore, changes: Sequence[LedgerState]) -> int:
        alerts = self._alerts if self._alerts_due or self._needs_full else None
        if self._keeps_ledgers:
            objectives = self._objectives if self._objectives_due or self._needs_full else None
            store.save(changes, at=self._now(), objectives=objectives, full=self._needs_full, alerts=alerts)
        elif alerts is not None:
            store.save_alerts(alerts)
        self._needs_full = self._objectives_due = self._alerts_due = False
        return store.size()

    def _opened_again(self) -> SqliteStore:
        store = self._shelf.open()
        if store.take().ledgers and not self._known and self._keeps_ledgers:
            # Such as a volume that was mounted late: a longer history than ours, which nobody has seen.
            unread = StoreError(f"{self._shelf.path} could not be read at the start", "read it with `slo report`")
            self._shelf.set_aside(unread, "unread")
            store = self._shelf.open()
        self._known = True
        return store

    def _mend(self, error: StoreError) -> None:
        self._needs_full = True
        try:
            self._shelf.mend(error)
        except StoreError as another:
            error = another
        if self._shelf.store is None:
            self._go_without(error)

    def _go_without(self, error: StoreError) -> None:
        self._shelf.shut()
        self._needs_full = True
        self._retry_at = self._clock() + RETRY
        if self._status.reason != str(error):
            what = "the events of objectives are" if self._keeps_ledgers else "the state of alerts is"
            self._log.error("%s kept in memory only: %s", what, error)
        self._status = replace(self._counted(error), persistent=False, reason=str(error))

    def _read_only(self) -> StoredState:
        """What can be read where nothing can be written."""
        try:
            stored = read(self._folder)
        except StoreError:
            return StoredState()
        self._known = True
        return stored

    def _note_aside(self, error: StoreError, aside: Path) -> None:
        self._log.error("%s: it was set aside as %s, and a new one is begun", error.what, aside.name)
        self._status = replace(self._counted(error), set_aside=self._status.set_aside + 1)

    def _note_flush(self, seconds: float, size: int) -> None:
        if not self._status.persistent:
            self._log.info("the store %s is written again", self._shelf.path)
        self._status = replace(
            self._status,
            persistent=True,
            reason="",
            last_flush=self._now(),
            last_flush_seconds=seconds,
            bytes=size,
        )

    def _counted(self, error: StoreError) -> StoreStatus:
        kind = error.kind.value
        failures = {**self._status.failures, kind: self._status.failures[kind] + 1}
        return replace(self._status, failures=MappingProxyType(failures))
