"""Read ledgers and objectives out of an open store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from triton_watch.records import BucketRow, LedgerState, ModelKey, SeriesKey
from triton_watch.store.blobs import unpack, unpack_ids, unpack_text
from triton_watch.store.columns import Columns, carried
from triton_watch.store.objectives import unpack_objectives
from triton_watch.store.stored import StoredState

if TYPE_CHECKING:
    import sqlite3

    import numpy as np
    from numpy.typing import NDArray

_HEAD = 4
"""Vectors of a ledger's row: good, bad, since, reported."""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """What a store holds, and the columns of each ledger for those who go on writing."""

    state: StoredState
    columns: tuple[Columns, ...]


def load(connection: sqlite3.Connection) -> Loaded:
    """Everything, as of one moment. Raises sqlite3.Error, and for damage what `errors.decoding` takes."""
    connection.execute("BEGIN")
    try:
        names = "id, target, period, time, wall, layout, spans, vectors"
        heads = connection.execute(f"SELECT {names} FROM ledger ORDER BY id").fetchall()  # noqa: S608 - constants
        read = [_ledger(connection, head) for head in heads]
        facts = dict(connection.execute("SELECT name, value FROM fact"))
    finally:
        connection.execute("ROLLBACK")
    objectives = unpack_objectives(facts["objectives"]) if "objectives" in facts else ()
    written = float(unpack_text(facts["written"])) if "written" in facts else None
    alerts = facts.get("alerts", b"")
    if not isinstance(alerts, bytes):
        raise TypeError(f"alerts are a {type(alerts).__name__}, not bytes")
    ledgers = tuple(state for state, _ in read)
    return Loaded(StoredState(objectives, ledgers, written, alerts), tuple(columns for _, columns in read))


def _ledger(connection: sqlite3.Connection, head: tuple[Any, ...]) -> tuple[LedgerState, Columns]:
    number, target, period, time, wall, current, spans, vectors = head
    layouts = _layouts(connection, number)
    ids = layouts[current]
    good, bad, since, reported = unpack(vectors, _HEAD)
    if good.size != ids.size:
        raise ValueError(f"a ledger has {good.size} columns, and its layout {ids.size}")
    keys = _keys(connection, number, ids)
    state = LedgerState(
        target=unpack_text(target),
        period=float(period),
        time=float(time),
        wall=float(wall),
        keys=keys,
        good=good,
        bad=bad,
        since=since,
        reported=reported,
        rows=tuple(_buckets(connection, number, layouts, current)),
        spans=tuple((float(resolution), float(span)) for resolution, span in unpack_text(spans)),
    )
    return state, Columns(number, current, keys, since, ids, len(layouts))


def _layouts(connection: sqlite3.Connection, ledger: int) -> dict[int, NDArray[np.int64]]:
    found = connection.execute("SELECT id, series FROM layout WHERE ledger = ?", (ledger,))
    return {number: unpack_ids(series) for number, series in found}


def _keys(connection: sqlite3.Connection, ledger: int, ids: NDArray[np.int64]) -> tuple[SeriesKey, ...]:
    found = connection.execute("SELECT id, name FROM series WHERE ledger = ?", (ledger,))
    names = {number: unpack_text(name) for number, name in found}
    return tuple(_key(*names[number]) for number in ids.tolist())


def _key(slo: str, target: str, model: str, version: str, namespace: str) -> SeriesKey:
    return SeriesKey(slo, target, ModelKey(model, version, namespace))


def _buckets(
    connection: sqlite3.Connection, ledger: int, layouts: dict[int, NDArray[np.int64]], current: int
) -> list[BucketRow]:
    found = connection.execute(
        "SELECT resolution, slot, time, layout, vectors FROM bucket WHERE ledger = ? ORDER BY resolution, slot",
        (ledger,),
    )
    rows = []
    for resolution, slot, time, layout, blob in found:
        good, bad = carried(unpack(blob, 2), layouts[layout], layouts[current])
        rows.append(BucketRow(float(resolution), int(slot), float(time), good, bad))
    return rows
