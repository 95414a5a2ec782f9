"""What bounds the file: rows, names and layouts go, pages are given back, and the log is emptied."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from triton_watch.store.errors import StoreError
from triton_watch.store.sqlite import SqliteStore
from unit.store.ledgers import HOUR, MINUTE, Ledger, key
from unit.store.test_sqlite import saved, stored

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "slo.sqlite"


def test_rows_older_than_their_span_are_forgotten(path: Path) -> None:
    ledger = Ledger(spans=((5.0, MINUTE), (MINUTE, HOUR)))
    ledger.add(key("a"))
    with closing(SqliteStore(path)) as store:
        for _ in range(800):
            ledger.pass_by(5.0, 1.0, 0.0)
            saved(store, ledger.change())
    counts = [row.resolution for row in stored(path).ledgers[0].rows]
    assert (counts.count(5.0), counts.count(MINUTE)) == (13, 61)


def test_rows_of_a_level_that_is_no_more_are_forgotten(path: Path) -> None:
    ledger = Ledger(spans=((5.0, MINUTE), (MINUTE, HOUR)))
    ledger.add(key("a"))
    ledger.pass_by(5.0, 1.0, 0.0)
    with closing(SqliteStore(path)) as store:
        saved(store, ledger.change())
        saved(store, replace(ledger.change(), spans=((5.0, MINUTE),)))
    assert [row.resolution for row in stored(path).ledgers[0].rows] == [5.0]


def test_names_and_layouts_of_gone_series_are_forgotten_with_their_rows(path: Path) -> None:
    ledger = Ledger(spans=((5.0, MINUTE),))
    with closing(SqliteStore(path)) as store:
        for number in range(100):
            ledger.add(key(f"model_{number}"))
            ledger.pass_by(5.0, 1.0, 0.0)
            saved(store, ledger.change())
            ledger.evict(0)
        ledger.add(key("last"))
        ledger.pass_by(100.0, 1.0, 0.0)
        saved(store, ledger.change())
    with closing(sqlite3.connect(path)) as connection:
        counts = "SELECT (SELECT count(*) FROM series), (SELECT count(*) FROM layout)"
        assert connection.execute(counts).fetchone() == (1, 1)


def test_the_file_shrinks_when_most_of_it_is_free(path: Path) -> None:
    ledger = Ledger()
    ledger.add(*(key(f"model_{number}") for number in range(2000)))
    rng = np.random.default_rng(3)
    with closing(SqliteStore(path)) as store:
        for _ in range(100):
            ledger.pass_by(7 * HOUR, rng.random(2000), rng.random(2000))
            saved(store, ledger.change())
        large = path.stat().st_size
        saved(store, Ledger().whole(), full=True)
    assert path.stat().st_size < large * 0.6
    assert large > 2_000_000


def test_the_log_stays_below_an_eighth_of_the_file(path: Path) -> None:
    ledger = Ledger()
    ledger.add(*(key(f"model_{number}") for number in range(1000)))
    rng = np.random.default_rng(4)
    with closing(SqliteStore(path)) as store:
        for _ in range(60):
            ledger.pass_by(15.0, rng.random(1000), rng.random(1000))
            saved(store, ledger.change())
            log, file = path.with_name("slo.sqlite-wal").stat().st_size, path.stat().st_size
            assert log <= max(128 * 2**10, file / 8)


def test_twenty_flushes_are_all_that_a_power_cut_can_take(path: Path) -> None:
    ledger = Ledger()
    ledger.add(key("a"))
    log = path.with_name("slo.sqlite-wal")
    with closing(SqliteStore(path)) as store:
        for _ in range(20):
            ledger.pass_by(5.0, 1.0, 0.0)
            saved(store, ledger.change())
        assert log.stat().st_size == 0


def test_a_reader_that_never_ends_cannot_make_the_log_grow_for_ever(path: Path) -> None:
    ledger = Ledger()
    ledger.add(*(key(f"model_{number}") for number in range(20_000)))
    with closing(SqliteStore(path)) as store, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        saved(store, ledger.change())
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM ledger").fetchall()
        with pytest.raises(StoreError, match=r"slo\.sqlite has been held open by a reader for long: end that process$"):
            flush_often(store, ledger)
        assert store.size() < 40 * 2**20
        reader.execute("ROLLBACK")
        saved(store, ledger.whole(), full=True)


def flush_often(store: SqliteStore, ledger: Ledger) -> None:
    rng, size = np.random.default_rng(5), len(ledger.keys)
    for _ in range(100):
        ledger.pass_by(5.0, rng.random(size), rng.random(size))
        saved(store, ledger.change())
