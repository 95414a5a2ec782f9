"""The tables, who may say that a file has them, and how an older file gets them.

    ledger  one row a ledger: its time line and the vectors of all its series now
    series  one life of one series: its name, stored once; an evicted series that returns is a new life
    layout  which series the columns of a blob are
    bucket  cumulative events at one moment, one row a (ledger, resolution, slot)
    fact    whatever there is only one of, by name

The file is known by `application_id`; `user_version` is the version of the schema. Both live in SQLite's header,
both change in the transaction that changes the tables.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from triton_watch.store.errors import NewerError, foreign

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

APPLICATION_ID = 0x7477534C
"""The letters "twSL"."""

Steps: TypeAlias = "Sequence[Sequence[str]]"

STEPS: Steps = (
    (
        "CREATE TABLE fact (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
        "CREATE TABLE ledger (id INTEGER PRIMARY KEY, target BLOB NOT NULL, period REAL NOT NULL, time REAL NOT NULL,"
        " wall REAL NOT NULL, layout INTEGER NOT NULL, spans BLOB NOT NULL, vectors BLOB NOT NULL,"
        " UNIQUE (target, period))",
        # AUTOINCREMENT: the id of a series that is gone is never given to another one.
        "CREATE TABLE series (id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " ledger INTEGER NOT NULL REFERENCES ledger ON DELETE CASCADE, name BLOB NOT NULL)",
        "CREATE INDEX series_of_ledger ON series (ledger)",
        "CREATE TABLE layout (id INTEGER PRIMARY KEY AUTOINCREMENT,"
        " ledger INTEGER NOT NULL REFERENCES ledger ON DELETE CASCADE, series BLOB NOT NULL)",
        "CREATE INDEX layout_of_ledger ON layout (ledger)",
        "CREATE TABLE bucket (ledger INTEGER NOT NULL REFERENCES ledger ON DELETE CASCADE, resolution REAL NOT NULL,"
        " slot INTEGER NOT NULL, time REAL NOT NULL, layout INTEGER NOT NULL, vectors BLOB NOT NULL,"
        " UNIQUE (ledger, resolution, slot))",
    ),
)
"""Step i leads from version i to version i + 1. Steps that were released never change."""

PRAGMAS: Mapping[str, object] = MappingProxyType(
    {
        # Readers beside the one writer, and a transaction that was not ended is no part of the file.
        "journal_mode": "WAL",
        # kill -9 loses nothing that was committed: the system has it. A power cut can lose what was committed
        # since the last checkpoint (`sqlite.SqliteStore` makes one at least every 20 flushes) and damages nothing.
        "synchronous": "NORMAL",
        # The log is emptied by our own checkpoints, after the transaction; this is the net below them.
        "wal_autocheckpoint": 4000,  # pages
        "journal_size_limit": 4 * 2**20,
        "cache_size": -512,  # KiB; a flush touches few pages, and those once
        "foreign_keys": "ON",
        "cell_size_check": "ON",
        "trusted_schema": "OFF",
    }
)


def set_up(connection: sqlite3.Connection) -> None:
    """Apply `PRAGMAS`. Raises sqlite3.Error."""
    if not pragma(connection, "page_count"):
        # Only a new file can be told so. With the usual 4 KiB a few hundred series waste half of their pages, and the
        # log is three times as long. Pages that were freed can be given back (`sqlite.SqliteStore.save`).
        connection.execute("PRAGMA page_size = 1024")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    for name, value in PRAGMAS.items():
        connection.execute(f"PRAGMA {name} = {value}").fetchall()


def version_of(connection: sqlite3.Connection, path: Path, steps: Steps = STEPS) -> int:
    """The schema's version; 0 = an empty file. Raises `ForeignError`, `NewerError`, sqlite3.Error."""
    identity, version = pragma(connection, "application_id"), pragma(connection, "user_version")
    if identity != APPLICATION_ID and (identity or version or _has_tables(connection)):
        raise foreign(path)
    if version > len(steps):
        raise NewerError(
            f"{path} was written by a newer triton-watch (schema {version}, this one knows {len(steps)})",
            "use that version, or name another directory",
        )
    return version


def migrate(connection: sqlite3.Connection, path: Path, steps: Steps = STEPS) -> None:
    """Bring the tables to the newest version, all in one transaction. Raises as `version_of` does."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(connection, path, steps)
        for step in steps[version:]:
            for statement in step:
                connection.execute(statement)
        if version < len(steps):
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """The value of a numeric pragma. Raises sqlite3.Error."""
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _has_tables(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is not None
