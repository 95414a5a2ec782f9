from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from triton_watch.store.columns import NEW, Columns, carried
from unit.store.ledgers import Ledger, key

if TYPE_CHECKING:
    from triton_watch.records import LedgerState


def ids(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, np.int64)


def state(names: str) -> LedgerState:
    """A ledger whose series, one a letter, were all added at one time."""
    ledger = Ledger()
    ledger.add(*(key(name) for name in names))
    return ledger.whole()


@pytest.mark.parametrize(
    ("names", "lives"),
    [
        ("abc", [1, 2, 3]),
        ("abcd", [1, 2, 3, NEW]),
        ("ac", [1, 3]),
        ("", []),
        ("bca", [2, 3, NEW]),  # it went and came back between two flushes, within one tick of the ledger's time
        ("xyz", [NEW, NEW, NEW]),
    ],
)
def test_a_series_that_is_not_in_its_old_order_is_a_new_life(names: str, lives: list[int]) -> None:
    old = state("abc")
    columns = Columns(1, 1, old.keys, old.since, ids(1, 2, 3))
    assert columns.lives_of(state(names)).tolist() == lives
    assert columns.fit(state(names)) is (names == "abc")


def test_a_series_that_began_at_another_time_is_a_new_life() -> None:
    old = state("ab")
    columns = Columns(1, 1, old.keys, old.since, ids(1, 2))
    new = replace(old, since=np.array([0.0, 5.0]))
    assert columns.lives_of(new).tolist() == [1, NEW]
    assert not columns.fit(new)


def test_vectors_move_to_where_their_series_are_now() -> None:
    vectors = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert carried(vectors, ids(7, 8, 9, 10), ids(7, 11, 9)).tolist() == [[1.0, 0.0, 3.0], [4.0, 0.0, 6.0]]
    assert carried(vectors, ids(7, 8, 9), ids(20)).shape == (2, 0)


def test_vectors_longer_than_their_layout_are_damage() -> None:
    with pytest.raises(ValueError, match="3 columns, and its layout 2"):
        carried(np.zeros((2, 3)), ids(1, 2), ids(1, 2))
