from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from triton_watch.store.errors import ForeignError, NewerError
from triton_watch.store.reader import read
from triton_watch.store.schema import APPLICATION_ID, STEPS
from triton_watch.store.sqlite import SqliteStore
from unit.store.ledgers import Ledger, key, told

if TYPE_CHECKING:
    from pathlib import Path

NEXT = (*STEPS, ("ALTER TABLE ledger ADD COLUMN note TEXT NOT NULL DEFAULT 'moved'", "CREATE TABLE more (a)"))
"""A made-up version 2."""
BROKEN = (*STEPS, ("CREATE TABLE more (a)", "INSERT INTO nowhere VALUES (1)"))


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.add(key("a"), key("b"))
    ledger.pass_by(15.0, 5.0, 1.0)
    return ledger


@pytest.fixture
def path(tmp_path: Path, ledger: Ledger) -> Path:
    """A store of version 1 with something in it."""
    path = tmp_path / "slo.sqlite"
    with closing(SqliteStore(path)) as store:
        store.save((ledger.whole(),), at=1.0, objectives=None, full=False)
    return path


def asked(path: Path, query: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchone()[0]


def test_the_file_says_whose_it_is_and_which_version_it_has(path: Path) -> None:
    assert asked(path, "PRAGMA application_id") == APPLICATION_ID
    assert asked(path, "PRAGMA user_version") == len(STEPS) == 1
    header = path.read_bytes()
    assert (header[60:64], header[68:72]) == (b"\0\0\0\1", b"twSL")


def test_an_older_file_gets_the_new_tables_and_keeps_its_events(path: Path, ledger: Ledger) -> None:
    with closing(SqliteStore(path, NEXT)) as store:
        assert told(store.take().ledgers[0]) == told(ledger.whole())
    assert asked(path, "PRAGMA user_version") == 2
    assert asked(path, "SELECT note FROM ledger") == "moved"


def test_a_step_that_fails_leaves_the_old_file(path: Path, ledger: Ledger) -> None:
    with pytest.raises(Exception, match="no such table: nowhere"):
        SqliteStore(path, BROKEN)
    assert asked(path, "PRAGMA user_version") == 1
    assert asked(path, "SELECT count(*) FROM sqlite_master WHERE name = 'more'") == 0
    assert told(read(path.parent).ledgers[0]) == told(ledger.whole())


def test_a_reader_migrates_an_older_file_in_memory_only(path: Path, ledger: Ledger) -> None:
    before = path.read_bytes()
    assert told(read(path.parent, NEXT).ledgers[0]) == told(ledger.whole())
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["slo.sqlite"]


def test_a_newer_file_is_refused_untouched(path: Path) -> None:
    SqliteStore(path, NEXT).close()
    before = path.read_bytes()
    with pytest.raises(NewerError) as error:
        SqliteStore(path)
    assert str(error.value) == (
        f"{path} was written by a newer triton-watch (schema 2, this one knows 1):"
        " use that version, or name another directory"
    )
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["slo.sqlite"]


def test_a_newer_file_whose_version_is_only_in_its_log_is_refused_untouched(path: Path, tmp_path: Path) -> None:
    with closing(SqliteStore(path, NEXT)):
        killed = tmp_path / "killed"
        killed.mkdir()
        for name in ("slo.sqlite", "slo.sqlite-wal", "slo.sqlite-shm"):
            (killed / name).write_bytes((tmp_path / name).read_bytes())
    files = [killed / "slo.sqlite", killed / "slo.sqlite-wal"]
    before = [file.read_bytes() for file in files]
    assert before[0][60:64] == b"\0\0\0\1"
    with pytest.raises(NewerError):
        SqliteStore(files[0])
    assert [file.read_bytes() for file in files] == before


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE notes (a)", f"PRAGMA user_version = {len(STEPS)}", f"PRAGMA application_id = {APPLICATION_ID + 1}"],
)
def test_the_file_of_another_application_is_foreign(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "slo.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
    before = path.read_bytes()
    with pytest.raises(ForeignError, match=r"slo\.sqlite is not a store of triton-watch: move it away, or name"):
        SqliteStore(path)
    assert path.read_bytes() == before


def test_an_empty_file_and_an_empty_database_become_stores(tmp_path: Path) -> None:
    # That is what is there when a process was killed while it made its first store.
    path = tmp_path / "slo.sqlite"
    path.touch()
    SqliteStore(path).close()
    assert asked(path, "PRAGMA application_id") == APPLICATION_ID
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    SqliteStore(path).close()
    assert asked(path, "PRAGMA application_id") == APPLICATION_ID
