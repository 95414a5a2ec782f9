"""Write ledgers, whole or what changed of them, into an open store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.store.blobs import pack, pack_ids, pack_text, unpack_ids
from triton_watch.store.columns import NEW, Columns

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from triton_watch.records import LedgerState, SeriesKey

_NO_SERIES = np.empty(0)
_NO_IDS = np.empty(0, np.int64)


def save_ledger(connection: sqlite3.Connection, state: LedgerState, known: Columns | None) -> Columns:
    """Write a ledger, or what changed of it, within the caller's transaction; return its columns from now on.

    `known` is what the last call returned, None for a ledger that the store does not have. Raises sqlite3.Error.
    """
    columns = known or Columns(_insert(connection, state), NEW, (), _NO_SERIES, _NO_IDS)
    if columns.layout == NEW or not columns.fit(state):
        columns = _arranged(connection, columns, state)
    _save_buckets(connection, columns, state)
    _forget_buckets(connection, columns.ledger, state)
    if columns.layouts > 1:
        columns = replace(columns, layouts=_forget_layouts(connection, columns))
    _save_head(connection, columns, state)
    return columns


def forget_ledgers(connection: sqlite3.Connection, at: float, live: Sequence[LedgerState], grace: float) -> list[int]:
    """Drop the ledgers whose last event is out of their period by `grace` seconds, but no live one; return ids."""
    kept = {(pack_text(state.target), state.period) for state in live}
    found = connection.execute("SELECT id, target, period FROM ledger WHERE wall + period + ? < ?", (grace, at))
    gone = [number for number, target, period in found.fetchall() if (target, period) not in kept]
    connection.executemany("DELETE FROM ledger WHERE id = ?", [(number,) for number in gone])
    return gone


def _insert(connection: sqlite3.Connection, state: LedgerState) -> int:
    values = (pack_text(state.target), state.period)
    added = connection.execute(
        "INSERT INTO ledger (target, period, time, wall, layout, spans, vectors) VALUES (?, ?, 0, 0, 0, x'', x'')",
        values,
    )
    return int(added.lastrowid or 0)


def _arranged(connection: sqlite3.Connection, old: Columns, state: LedgerState) -> Columns:
    ids = old.lives_of(state)
    fresh = np.flatnonzero(ids == NEW)
    ids[fresh] = [_insert_series(connection, old.ledger, state.keys[column]) for column in fresh]
    new = replace(old, keys=state.keys, since=state.since.copy(), ids=ids)
    if old.layout != NEW and old.begin(ids):
        connection.execute("UPDATE layout SET series = ? WHERE id = ?", (pack_ids(ids), old.layout))
        return new
    added = connection.execute("INSERT INTO layout (ledger, series) VALUES (?, ?)", (old.ledger, pack_ids(ids)))
    return replace(new, layout=int(added.lastrowid or 0), layouts=old.layouts + (old.layout != NEW))


def _insert_series(connection: sqlite3.Connection, ledger: int, key: SeriesKey) -> int:
    name = pack_text([key.slo, key.target, *key.model])
    return int(connection.execute("INSERT INTO series (ledger, name) VALUES (?, ?)", (ledger, name)).lastrowid or 0)


def _save_buckets(connection: sqlite3.Connection, columns: Columns, state: LedgerState) -> None:
    rows = (
        (columns.ledger, row.resolution, row.slot, row.time, columns.layout, pack((row.good, row.bad)))
        for row in state.rows
    )
    connection.executemany(
        "INSERT INTO bucket VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (ledger, resolution, slot) DO UPDATE"
        " SET time = excluded.time, layout = excluded.layout, vectors = excluded.vectors",
        rows,
    )


def _forget_buckets(connection: sqlite3.Connection, ledger: int, state: LedgerState) -> None:
    """Drop the rows that no window needs any more."""
    for resolution, span in state.spans:
        oldest = state.time - span
        connection.execute(
            "DELETE FROM bucket WHERE ledger = ? AND resolution = ? AND time < ?", (ledger, resolution, oldest)
        )
    levels = [resolution for resolution, _ in state.spans]
    marks = ", ".join("?" * len(levels))
    sql = f"DELETE FROM bucket WHERE ledger = ? AND resolution NOT IN ({marks})"  # noqa: S608 - question marks
    connection.execute(sql, (ledger, *levels))


def _forget_layouts(connection: sqlite3.Connection, columns: Columns) -> int:
    """Drop the layouts that no row has any more, and the series of no layout; return how many layouts are left."""
    own = (columns.ledger, columns.layout, columns.ledger)
    gone = connection.execute(
        "DELETE FROM layout WHERE ledger = ? AND id <> ? AND id NOT IN (SELECT layout FROM bucket WHERE ledger = ?)",
        own,
    ).rowcount
    if gone:
        _forget_series(connection, columns.ledger)
    return columns.layouts - gone


def _forget_series(connection: sqlite3.Connection, ledger: int) -> None:
    layouts = connection.execute("SELECT series FROM layout WHERE ledger = ?", (ledger,))
    used: set[int] = set().union(*(unpack_ids(series).tolist() for (series,) in layouts))
    known = connection.execute("SELECT id FROM series WHERE ledger = ?", (ledger,)).fetchall()
    connection.executemany("DELETE FROM series WHERE id = ?", [one for one in known if one[0] not in used])


def _save_head(connection: sqlite3.Connection, columns: Columns, state: LedgerState) -> None:
    vectors: Sequence[NDArray[np.float64]] = (state.good, state.bad, state.since, state.reported)
    connection.execute(
        "UPDATE ledger SET time = ?, wall = ?, layout = ?, spans = ?, vectors = ? WHERE id = ?",
        (state.time, state.wall, columns.layout, pack_text(state.spans), pack(vectors), columns.ledger),
    )
