"""Tensors as bytes: every datatype goes there and back, and what does not fit is refused in words."""

from __future__ import annotations

import struct
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from triton_watch.triton.infer.messages import DTYPES, Tensor, TensorError, tensor_of

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
FIXED = sorted(set(DTYPES) - {"BF16"})


@given(
    st.sampled_from(FIXED).flatmap(lambda name: st.tuples(st.just(name), hnp.arrays(np.dtype(DTYPES[name]), SHAPES)))
)
def test_arrays_of_every_fixed_datatype_come_back_as_they_were(case: tuple[str, np.ndarray[Any, Any]]) -> None:
    name, values = case
    tensor = tensor_of(values, name)
    again = tensor.array()
    assert (tensor.shape, again.shape) == (values.shape, values.shape)
    assert again.dtype == values.dtype
    assert again.tobytes() == values.tobytes()


@given(hnp.arrays(np.float64, SHAPES, elements=st.floats(width=32)), st.booleans())
def test_layout_and_byte_order_of_the_array_do_not_matter(values: np.ndarray[Any, Any], is_big_endian: bool) -> None:
    given_values = values.T.astype(">f8") if is_big_endian else values.T
    np.testing.assert_array_equal(tensor_of(given_values, "FP32").array(), values.T.astype(np.float32))


@given(st.lists(st.binary(max_size=9), max_size=6))
def test_texts_come_back_byte_by_byte(texts: list[bytes]) -> None:
    values = np.empty(len(texts), dtype=np.object_)
    values[:] = texts
    tensor = tensor_of(values, "BYTES")
    assert tensor.data == b"".join(struct.pack("<I", len(text)) + text for text in texts)
    assert tensor.array().tolist() == texts


@given(st.binary(max_size=40), st.lists(st.integers(-2, 5), max_size=3))
def test_any_bytes_under_any_shape_are_texts_or_a_tensor_error(data: bytes, shape: list[int]) -> None:
    try:
        found = Tensor("BYTES", tuple(shape), data).array()
    except TensorError:
        return
    assert found.shape == tuple(shape)
    assert sum(4 + len(text) for text in found.reshape(-1)) == len(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x01\0\0", "end inside a length"),
        (b"\x05\0\0\0abc", "a text of 5 bytes is announced where 3 are left"),
        (b"\xff\xff\xff\xffabc", "a text of 4294967295 bytes"),
        (b"", "0 texts for shape [1]"),
        (b"\0\0\0\0\0\0\0\0", "2 texts for shape [1]"),
    ],
)
def test_broken_texts_are_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(TensorError) as caught:
        Tensor("BYTES", (1,), data).array()
    assert words in str(caught.value)


def test_texts_for_a_shape_beyond_memory_are_refused_before_any_is_taken() -> None:
    with pytest.raises(TensorError, match="0 texts for shape"):
        Tensor("BYTES", (10**15,), b"").array()


@pytest.mark.parametrize("shape", [(-1, -1), (-2, -2), (0, 10**30), (-1, 0), (1,) * 80])
@pytest.mark.parametrize("datatype", ["INT8", "BYTES"])
def test_a_shape_that_no_array_has_is_refused(shape: tuple[int, ...], datatype: str) -> None:
    size = abs(Tensor(datatype, shape, b"").size)
    with pytest.raises(TensorError):
        Tensor(datatype, shape, b"\0" * size * (4 if datatype == "BYTES" else 1)).array()


@given(hnp.arrays(np.float32, SHAPES))
def test_bf16_is_rounded_as_ml_dtypes_rounds_it(values: np.ndarray[Any, Any]) -> None:
    with np.errstate(all="ignore"):
        expected = values.astype(ml_dtypes.bfloat16)
    tensor = tensor_of(values, "BF16")
    wide = expected.astype(np.float32)
    np.testing.assert_array_equal(tensor.array(), wide)
    finite = ~np.isnan(wide)
    assert (np.frombuffer(tensor.data, "<u2").reshape(values.shape)[finite] == expected.view(np.uint16)[finite]).all()


@given(st.integers(0, 0xFFFF))
def test_every_bf16_number_stays_itself(bits: int) -> None:
    value = Tensor("BF16", (1,), struct.pack("<H", bits)).array()
    assert value.view("<u4").tolist() == [bits << 16]
    assert np.isnan(value[0]) or tensor_of(value, "BF16").data == struct.pack("<H", bits)


@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_nan_of_all_ones_stays_a_nan_in_bf16(shape: tuple[int, ...]) -> None:
    values = np.full(shape, 0xFFFFFFFF, dtype="<u4").view("<f4")
    assert np.isnan(tensor_of(values, "BF16").array()).all()


INTEGERS = [name for name in FIXED if "INT" in name]


@given(st.sampled_from(INTEGERS), st.lists(st.integers(-(2**70), 2**70), min_size=1, max_size=4))
def test_whole_numbers_go_in_unchanged_or_not_at_all(name: str, values: list[int]) -> None:
    limits = np.iinfo(np.dtype(DTYPES[name]))
    array = np.array(values, dtype=np.object_)
    if all(limits.min <= value <= limits.max for value in values):
        assert tensor_of(array, name).array().tolist() == values
    else:
        with pytest.raises(TensorError, match="outside of"):
            tensor_of(array, name)


@pytest.mark.parametrize(
    ("values", "datatype"),
    [
        (np.array([1.5]), "INT32"),
        (np.array([np.inf]), "INT64"),
        (np.array([np.nan]), "UINT8"),
        (np.array([2.0**63]), "INT64"),
        (np.array([-1]), "UINT64"),
        (np.array([1.5, 2], dtype=np.object_), "INT32"),
        (np.array([None]), "INT32"),
        (np.array([None]), "FP32"),
        (np.array(["high"]), "FP32"),
        (np.array(["high"]), "BF16"),
        (np.array(["high"]), "INT8"),
        (np.array([1e300]), "FP32"),
        (np.array([1e300]), "BF16"),
        (np.array([1e6]), "FP16"),
        (np.array(["\ud800"]), "BYTES"),
        (np.array([1]), "FP8"),
    ],
)
def test_values_that_do_not_go_into_the_datatype_are_refused(values: np.ndarray[Any, Any], datatype: str) -> None:
    with pytest.raises(TensorError):
        tensor_of(values, datatype)


@pytest.mark.parametrize("datatype", ["FP16", "BF16", "FP32", "FP64"])
def test_infinity_and_nan_go_into_every_float(datatype: str) -> None:
    values = np.array([np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(tensor_of(values, datatype).array(), values)


def test_bytes_that_are_too_few_or_too_many_and_unknown_datatypes_are_named() -> None:
    with pytest.raises(TensorError, match=r"15 bytes for shape \[2, 2\] of FP32"):
        Tensor("FP32", (2, 2), b"\0" * 15).array()
    with pytest.raises(TensorError, match="'FP8' is not known"):
        Tensor("FP8", (1,), b"\0").array()
