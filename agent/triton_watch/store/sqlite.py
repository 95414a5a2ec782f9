"""The open store of the one process that writes: load once, then one transaction a flush."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from triton_watch.store.blobs import pack_text
from triton_watch.store.errors import StoreError, corrupt, decoding, storing
from triton_watch.store.load import Loaded, load
from triton_watch.store.objectives import pack_objectives
from triton_watch.store.reader import identify
from triton_watch.store.save import forget_ledgers, save_ledger
from triton_watch.store.schema import STEPS, Steps, migrate, pragma, set_up
from triton_watch.store.stored import StoredState

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from triton_watch.records import LedgerState, Objective
    from triton_watch.store.columns import Columns

_BUSY = 1.0
"""Seconds to wait for a stranger's lock: an operator's sqlite3 shell."""
_CHECKPOINT_BYTES = (128 * 2**10, 2 * 2**20)
"""The log is emptied when it is over an eighth of the file, but not below the first or above the second."""
_CHECKPOINT_FLUSHES = 20
"""Transactions after which a power cut can take no more of them."""
_WAL_LIMIT = 32 * 2**20
"""Bytes of log at which writing stops: some reader has been holding on to it, and no checkpoint can empty it."""
_SPARE_PAGES = 256
"""Free pages that are kept for the next flushes."""
_PAGES_A_FLUSH = 2000
"""Free pages that one flush gives back at most: some 10 ms."""
_GRACE = 86_400.0
"""Seconds for which a ledger whose target is gone is kept beyond its period."""


class SqliteStore:
    """The store at `path`, made when there is none. The caller holds the directory's lock.

    Raises `CorruptError`, `ForeignError`, `NewerError` (nothing was touched then) or `StoreError`, here and in
    every method.
    """

    def __init__(self, path: Path, steps: Steps = STEPS) -> None:
        self._path = path
        self._flushes = 0
        with storing(path):
            identify(path, steps)
            self._connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
            with self._closing_on_error():
                loaded = self._open(steps)
                self._inode = path.stat().st_ino
        self._held = loaded.state
        ledgers = zip(loaded.state.ledgers, loaded.columns, strict=True)
        self._columns = {(one.target, one.period): columns for one, columns in ledgers}

    def take(self) -> StoredState:
        """What the store held when it was opened, once: it is many megabytes, and not kept."""
        held, self._held = self._held, StoredState()
        return held

    def save(
        self,
        changes: Sequence[LedgerState],
        *,
        at: float,
        objectives: Sequence[Objective] | None,
        full: bool,
        alerts: bytes | None = None,
    ) -> None:
        """Write changes in one transaction; `full`: they are everything, and replace what is stored.

        `at` is Unix seconds. `objectives` and `alerts` replace the stored ones; None leaves those.
        """
        with storing(self._path):
            self._look_out()
            with self._transaction():
                if full:
                    self._connection.execute("DELETE FROM ledger")
                columns = self._save_ledgers(changes, {} if full else dict(self._columns), at)
                self._save_fact("written", pack_text(at))
                if objectives is not None:
                    self._save_fact("objectives", pack_objectives(objectives))
                if alerts is not None:
                    self._save_fact("alerts", alerts)
                self._give_back_pages()
            self._columns = columns
            self._tidy_log()

    def save_alerts(self, alerts: bytes) -> None:
        """Write the alerts alone, in a transaction of their own; ledgers and objectives are left as they are."""
        with storing(self._path):
            self._look_out()
            with self._transaction():
                self._save_fact("alerts", alerts)
                self._give_back_pages()
            self._tidy_log()

    def size(self) -> int:
        """Size of the file and its log in bytes."""
        with storing(self._path):
            return self._path.stat().st_size + self._wal_bytes()

    def close(self) -> None:
        """Close the file; SQLite empties the log into it. Never raises for the disk: what was committed stays."""
        try:
            self._connection.close()
        except sqlite3.Error:
            return  # the log stays beside the file, and is read with it next time

    def _open(self, steps: Steps) -> Loaded:
        set_up(self._connection)
        migrate(self._connection, self._path, steps)
        found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise corrupt(self._path, " ".join(str(found).split()))
        with decoding(self._path):
            return load(self._connection)

    def _save_ledgers(
        self, changes: Sequence[LedgerState], columns: dict[tuple[str, float], Columns], at: float
    ) -> dict[tuple[str, float], Columns]:
        for state in changes:
            key = (state.target, state.period)
            columns[key] = save_ledger(self._connection, state, columns.get(key))
        gone = set(forget_ledgers(self._connection, at, changes, _GRACE))
        return {key: known for key, known in columns.items() if known.ledger not in gone}

    def _save_fact(self, name: str, value: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def _look_out(self) -> None:
        """Refuse to write where nobody would find it again, or without bound."""
        try:
            there = self._path.stat().st_ino == self._inode
        except FileNotFoundError:
            there = False
        if not there:
            raise StoreError(
                f"{self._path} was removed or replaced while it was in use",
                "it is made again in about a minute; tell what removes it to leave it alone",
            )
        if self._wal_bytes() > _WAL_LIMIT and not self._checkpoint():
            raise StoreError(f"{self._path} has been held open by a reader for long", "end that process")

    def _give_back_pages(self) -> None:
        """Shorten the file when much of it is free, as after many series went; a few free pages are always in use."""
        free, pages = pragma(self._connection, "freelist_count"), pragma(self._connection, "page_count")
        if free > max(_SPARE_PAGES, pages // 4):
            for _ in range(min(free - _SPARE_PAGES, _PAGES_A_FLUSH)):
                self._connection.execute("PRAGMA incremental_vacuum")  # Python steps it once: a page a call

    def _tidy_log(self) -> None:
        self._flushes += 1
        if self._flushes >= _CHECKPOINT_FLUSHES or self._log_is_long():
            self._checkpoint()

    def _log_is_long(self) -> bool:
        least, most = _CHECKPOINT_BYTES
        return self._wal_bytes() > max(least, min(most, self._path.stat().st_size // 8))

    def _checkpoint(self) -> bool:
        """Bring the log into the file and empty it; return whether no reader was in the way, and wait for none."""
        self._flushes = 0
        self._connection.execute("PRAGMA busy_timeout = 0")
        blocked = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        self._connection.execute(f"PRAGMA busy_timeout = {round(1000 * _BUSY)}")
        return not blocked

    def _wal_bytes(self) -> int:
        try:
            return self._path.with_name(f"{self._path.name}-wal").stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:  # SQLite has ended it itself after some errors
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _closing_on_error(self) -> Iterator[None]:
        done = False
        try:
            yield
            done = True
        finally:
            if not done:
                self.close()
