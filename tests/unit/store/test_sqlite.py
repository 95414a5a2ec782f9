from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triton_watch.records import BucketRow, FloatArray, LedgerState, ModelKey, SeriesKey
from triton_watch.store.sqlite import SqliteStore
from unit.store.ledgers import DAY, HOUR, START, Ledger, key, told
from unit.store.test_blobs import ANY_TEXT
from unit.store.test_objectives import EVERYTHING, PLAIN

if TYPE_CHECKING:
    from triton_watch.store.stored import StoredState

KEYS = st.builds(SeriesKey, ANY_TEXT, ANY_TEXT, st.builds(ModelKey, ANY_TEXT, ANY_TEXT, ANY_TEXT))
FLOATS = st.floats(allow_nan=False)


def vectors(size: int) -> st.SearchStrategy[FloatArray]:
    return st.lists(st.floats(), min_size=size, max_size=size).map(np.array)


@st.composite
def states(draw: st.DrawFn) -> LedgerState:
    keys = draw(st.lists(KEYS, unique=True, max_size=6))
    spans = ((5.0, 300.0), (3600.0, 1e9))
    places = draw(st.lists(st.tuples(st.sampled_from([5.0, 3600.0]), st.integers(0, 50)), unique=True))
    lengths = [draw(st.integers(0, len(keys))) for _ in places]
    rows = [
        BucketRow(*place, 1000.0, draw(vectors(k)), draw(vectors(k)))
        for place, k in zip(sorted(places), lengths, strict=True)
    ]
    good, bad, reported = (draw(vectors(len(keys))) for _ in range(3))
    since = draw(st.lists(FLOATS, min_size=len(keys), max_size=len(keys)).map(np.array))
    period, wall = draw(st.floats(1, 1e9)), draw(FLOATS)
    return LedgerState(
        draw(ANY_TEXT), period, 1010.0, wall, tuple(keys), good, bad, since, reported, tuple(rows), spans
    )


def saved(store: SqliteStore, *changes: LedgerState, at: float = 0.0, full: bool = False) -> None:
    store.save(changes, at=at, objectives=None, full=full)


def reopened(store: SqliteStore, path: Path) -> SqliteStore:
    store.close()
    return SqliteStore(path)


def stored(path: Path) -> StoredState:
    with closing(SqliteStore(path)) as store:
        return store.take()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "slo.sqlite"


@settings(max_examples=60, deadline=None)
@given(st.lists(states(), max_size=3, unique_by=lambda state: (state.target, state.period)), st.booleans())
def test_what_is_saved_is_loaded(given_states: list[LedgerState], full: bool) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "slo.sqlite"
        with closing(SqliteStore(path)) as store:
            saved(store, *given_states, at=-1e308, full=full)  # long ago, so that none is too old to be kept
        assert [told(one) for one in stored(path).ledgers] == [told(one) for one in given_states]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_changes_add_up_to_the_whole_whatever_comes_and_goes(data: st.DataObject) -> None:
    ledger, names = Ledger(), [key(name) for name in "abcd"]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "slo.sqlite"
        store = SqliteStore(path)
        try:
            for _ in range(data.draw(st.integers(1, 25))):
                act(data, ledger, names)
                if data.draw(st.booleans()):
                    saved(store, ledger.change())
                if data.draw(st.integers(0, 9)) == 0:
                    store = reopened(store, path)
            saved(store, ledger.change())
        finally:
            store.close()  # Hypothesis ends an example by an exception of its own
        assert told(stored(path).ledgers[0]) == told(ledger.whole())


def act(data: st.DataObject, ledger: Ledger, names: list[SeriesKey]) -> None:
    """Let one thing happen to a ledger."""
    happens = st.integers(0, 3)
    absent = [name for name in names if name not in ledger.keys]
    if absent and data.draw(happens) < 2:
        ledger.add(data.draw(st.sampled_from(absent)))
    if ledger.keys and data.draw(happens) == 0:
        ledger.evict(data.draw(st.integers(0, len(ledger.keys) - 1)))
    seconds = data.draw(st.sampled_from([1.0, 4.0, 15.0, 400.0, 2 * HOUR, 8 * DAY]))
    ledger.pass_by(seconds, data.draw(st.integers(0, 9)) / 1024, float(data.draw(st.integers(0, 9))))


def test_a_series_that_returns_does_not_get_its_old_events_back(path: Path) -> None:
    ledger = Ledger()
    ledger.add(key("stays"), key("returns"))
    ledger.pass_by(5.0, 1000.0, 10.0)
    store = SqliteStore(path)
    saved(store, ledger.change())
    ledger.evict(1)
    ledger.add(key("returns"))
    ledger.pass_by(5.0, 1.0, 0.0)
    saved(store, ledger.change())
    store.close()
    (read,) = stored(path).ledgers
    assert read.good.tolist() == [1001.0, 1.0]
    first = min(read.rows, key=lambda row: (row.resolution, row.slot))
    assert first.good.tolist() == [1000.0]


def test_a_full_state_replaces_everything(path: Path) -> None:
    old, new = Ledger(target="old"), Ledger(target="new")
    for ledger in (old, new):
        ledger.add(key("a"))
        ledger.pass_by(5.0, 1.0, 0.0)
    with closing(SqliteStore(path)) as store:
        saved(store, old.change())
        saved(store, new.whole(), full=True)
        new.pass_by(5.0, 1.0, 0.0)
        saved(store, new.change())
    assert [told(one) for one in stored(path).ledgers] == [told(new.whole())]


def test_a_ledger_that_nobody_writes_is_forgotten_a_day_after_its_period(path: Path) -> None:
    gone, live = Ledger(target="gone"), Ledger(target="live")
    with closing(SqliteStore(path)) as store:
        saved(store, gone.change(), live.change(), at=START)
        saved(store, live.change(), at=START + 31 * DAY)
        assert [one.target for one in stored(path).ledgers] == ["gone", "live"]
        saved(store, live.change(), at=START + 31 * DAY + 1)
        assert [one.target for one in stored(path).ledgers] == ["live"]
        gone.add(key("a"))
        saved(store, gone.change(), live.change(), at=START + 31 * DAY + 2)
    assert [len(one.keys) for one in stored(path).ledgers] == [0, 1]


def test_objectives_stay_until_others_come(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.save((), at=1.0, objectives=(PLAIN, EVERYTHING), full=False)
        store.save((), at=2.5, objectives=None, full=True)
    read = stored(path)
    assert (read.objectives, read.written) == ((PLAIN, EVERYTHING), 2.5)
    with closing(SqliteStore(path)) as store:
        store.save((), at=3.0, objectives=(), full=False)
    assert stored(path).objectives == ()


def test_a_save_that_fails_changes_nothing(path: Path) -> None:
    ledger = Ledger()
    ledger.add(key("a"))
    with closing(SqliteStore(path)) as store:
        saved(store, ledger.change(), at=1.0)
        with pytest.raises(ValueError, match="shape"):
            saved(store, ledger.whole(), replace(ledger.whole(), target="b", good=np.zeros(7)), at=2.0, full=True)
        assert store.size() > 0
    read = stored(path)
    assert (read.written, [told(one) for one in read.ledgers]) == (1.0, [told(ledger.whole())])
