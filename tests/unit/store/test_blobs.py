from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from triton_watch.store.blobs import pack, pack_ids, pack_text, unpack, unpack_ids, unpack_text
from triton_watch.store.errors import DamageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from triton_watch.records import FloatArray

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
"""Lone surrogates and NUL included."""


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(0, 40))))
def test_vectors_come_back_bit_by_bit(matrix: FloatArray) -> None:
    assert unpack(pack(list(matrix)), len(matrix)).tobytes() == matrix.tobytes()


@given(hnp.arrays(np.int64, st.integers(0, 40)))
def test_ids_come_back(ids: NDArray[np.int64]) -> None:
    assert unpack_ids(pack_ids(ids)).tolist() == ids.tolist()


@given(st.recursive(ANY_TEXT | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner)))
def test_every_string_of_python_comes_back(value: object) -> None:
    assert unpack_text(pack_text(value)) == value


def test_two_lone_surrogates_do_not_become_one_character() -> None:
    assert [ord(char) for char in unpack_text(pack_text("\ud83d\ude00"))] == [0xD83D, 0xDE00]


def test_vectors_of_neighbours_need_a_third_of_their_bytes() -> None:
    good = np.random.default_rng(1).integers(250_000_000, 260_000_000, 3000).astype(np.float64)
    assert len(pack([good, good * 0])) < good.nbytes * 2 / 3


@pytest.mark.parametrize("blob", [None, 5, "text", b"", b"x", pack_text("x"), pack([np.ones(3)])[:-1]])
def test_what_is_no_blob_is_called_damage(blob: object) -> None:
    with pytest.raises(DamageError):
        unpack(blob, 2)


def test_a_flipped_bit_is_called_damage() -> None:
    blob = bytearray(pack([np.arange(500.0), np.arange(500.0)]))
    blob[len(blob) // 2] ^= 1
    with pytest.raises(DamageError):
        unpack(bytes(blob), 2)


def test_a_blob_of_another_count_of_vectors_is_called_damage() -> None:
    with pytest.raises(DamageError):
        unpack(pack([np.ones(5)]), 2)


@pytest.mark.parametrize("blob", [None, "text", b"\xff", b"{", b"[" * 100_000])
def test_what_is_no_json_is_called_damage(blob: object) -> None:
    with pytest.raises(DamageError):
        unpack_text(blob)
