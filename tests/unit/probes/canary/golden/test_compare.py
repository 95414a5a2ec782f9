"""An output agrees with its golden exactly if plain Python arithmetic says so."""

from __future__ import annotations

import math
import re
import struct
import time
import warnings
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.probes.canary.golden.compare import Method, Rule, default_rule, difference
from triton_watch.triton.infer.messages import FLOATS, KNOWN_DATATYPES, Tensor
from unit.probes.canary.golden.tensors import INTEGERS, LIMITS, RULES, raw, tensor, tensors

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject

EXACT = Rule(Method.EXACT)
TOP1 = Rule(Method.TOP1)
FORMS = {"FP16": "<e", "FP32": "<f", "FP64": "<d"}
RANGES = {name: (np.iinfo(name.lower()).min, np.iinfo(name.lower()).max) for name in INTEGERS}


def floats_of(one: Tensor) -> list[float]:
    """The values by struct alone."""
    if one.datatype == "BF16":
        pairs = [one.data[at : at + 2] for at in range(0, len(one.data), 2)]
        return [struct.unpack("<f", b"\0\0" + pair)[0] for pair in pairs]
    return [value for (value,) in struct.iter_unpack(FORMS[one.datatype], one.data)]


def is_close(expected: float, got: float, rtol: float, atol: float) -> bool:
    if math.isnan(expected) or math.isnan(got):
        return math.isnan(expected) and math.isnan(got)
    if math.isinf(expected) or math.isinf(got):
        return expected == got
    return abs(got - expected) <= abs(expected) * rtol + atol


@pytest.mark.parametrize("datatype", sorted(FLOATS))
@given(data=st.data(), rtol=LIMITS, atol=LIMITS)
def test_floats_agree_exactly_if_the_formula_says_so(datatype: str, data: DataObject, rtol: float, atol: float) -> None:
    expected = data.draw(tensors((datatype,)))
    other = data.draw(st.binary(min_size=len(expected.data), max_size=len(expected.data)))
    keep = data.draw(st.integers(0, len(other)))
    got = Tensor(datatype, expected.shape, expected.data[:keep] + other[keep:])
    pairs = list(zip(floats_of(expected), floats_of(got), strict=True))
    close = all(is_close(one, two, rtol, atol) for one, two in pairs)
    assert (difference(expected, got, Rule(Method.CLOSE, rtol, atol)) == "") is close
    assert (difference(expected, got, EXACT) == "") is all(is_close(one, two, 0, 0) for one, two in pairs)


@pytest.mark.parametrize("datatype", INTEGERS)
@given(data=st.data(), rtol=LIMITS, atol=LIMITS)
def test_integers_agree_exactly_if_pythons_integers_say_so(
    datatype: str, data: DataObject, rtol: float, atol: float
) -> None:
    low, high = RANGES[datatype]
    any_value = st.integers(low, high) | st.sampled_from([low, low + 1, high - 1, high])
    old = data.draw(st.lists(any_value, min_size=1, max_size=4))
    new = [min(high, max(low, value + data.draw(st.integers(-3, 3)))) for value in old]
    new = data.draw(st.just(new) | st.lists(any_value, min_size=len(old), max_size=len(old)))
    expected, got = raw(datatype, *old), raw(datatype, *new)
    limits = [abs(float(value)) * rtol + atol for value in old]
    close = all(abs(two - one) <= limit for one, two, limit in zip(old, new, limits, strict=True))
    assert (difference(expected, got, Rule(Method.CLOSE, rtol, atol)) == "") is close
    text = difference(expected, got, EXACT)
    assert (text == "") is (old == new)
    if old != new:
        assert f"the largest difference is {max(abs(Fraction(b) - a) for a, b in zip(old, new, strict=True))} " in text


@given(one=tensors(), other=tensors(), rule=RULES, data=st.data())
def test_every_pair_is_judged_without_a_warning_or_an_exception(
    one: Tensor, other: Tensor, rule: Rule, data: DataObject
) -> None:
    bits = data.draw(st.binary(min_size=len(one.data), max_size=len(one.data)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert difference(one, one, rule) == ""
        for got in (other, Tensor(one.datatype, one.shape, bits)):
            text = difference(one, got, rule)
            assert "\n" not in text
            assert not text.endswith(".")


@given(one=tensors(tuple(FORMS)), rule=RULES)
def test_a_copy_with_other_nans_agrees(one: Tensor, rule: Rule) -> None:
    values = one.array().copy()
    values[np.isnan(values)] = -np.nan
    assert difference(one, Tensor(one.datatype, one.shape, values.tobytes()), rule) == ""


def test_the_sentence_has_both_figures_and_where_they_are() -> None:
    text = difference(tensor([[1.0, 100.0], [0.5, 2.0]]), tensor([[1.0, 103.0], [1.0, 2.0]]), default_rule("FP32"))
    assert text == (
        "2 of 4 values differ by more than rtol 0.01 and atol 0.01 allow: the largest difference is 3 at [0, 1], where"
        " 100.0 was expected and 103.0 came; the largest relative difference is 1 at [1, 0], where 0.5 was expected"
        " and 1.0 came"
    )


def test_a_nan_where_there_was_a_number_is_named() -> None:
    text = difference(tensor([1.0, 2.0]), tensor([1.0, float("nan")]), Rule(Method.CLOSE, 1e300, 1e300))
    assert "the first that is not finite on both sides at [1], where 2.0 was expected and nan came" in text
    assert "cosine" not in difference(tensor([1.0]), tensor([float("inf")]), Rule(Method.COSINE, least=0.1))


def test_infinities_agree_with_their_own_sign_alone() -> None:
    inf = float("inf")
    rule = Rule(Method.CLOSE, 1.0, 1.0)
    assert difference(tensor([inf, -inf, 1.0]), tensor([inf, -inf, 1.5]), rule) == ""
    assert difference(tensor([inf, 1.0]), tensor([-inf, 1.0]), rule)


def test_a_value_at_the_very_limit_agrees_and_zero_has_no_sign() -> None:
    assert difference(tensor([1.0, 2.0]), tensor([1.5, 2.0]), Rule(Method.CLOSE, 0.0, 0.5)) == ""
    assert difference(tensor([4.0, -4.0]), tensor([5.0, -5.0]), Rule(Method.CLOSE, 0.25)) == ""
    assert difference(tensor([0.0]), tensor([-0.0]), EXACT) == ""


def test_a_float64_difference_beyond_float64_is_a_difference() -> None:
    assert "the largest difference is inf" in difference(tensor([1e308], "FP64"), tensor([-1e308], "FP64"), EXACT)


def test_the_largest_uint64_is_not_rounded() -> None:
    text = difference(raw("UINT64", 2**64 - 1), raw("UINT64", 2**64 - 2), EXACT)
    assert "the largest difference is 1 at [0], where 18446744073709551615 was expected" in text
    assert "18446744073709551615 at" in difference(raw("INT64", -(2**63)), raw("INT64", 2**63 - 1), EXACT)


@pytest.mark.parametrize("rule", [EXACT, TOP1, Rule(Method.CLOSE, 9, 9), Rule(Method.COSINE)])
def test_booleans_and_texts_are_compared_exactly_whatever_the_rule(rule: Rule) -> None:
    assert difference(tensor([True, False], "BOOL"), tensor([True, True], "BOOL"), rule) == "1 of 2 values differs"
    assert difference(Tensor("BOOL", (2,), b"\1\0"), Tensor("BOOL", (2,), b"\2\0"), rule) == ""
    assert difference(tensor(["a", "b"], "BYTES"), tensor(["a", "c"], "BYTES"), rule) == (
        '1 of 2 texts differs: at [1] "b" was expected and "c" came'
    )


def test_long_texts_are_cut_to_where_they_differ() -> None:
    text = difference(tensor(["x" * 500 + "A" + "y" * 500], "BYTES"), tensor(["x" * 500 + "B\n"], "BYTES"), EXACT)
    assert f'"…{"x" * 20}A{"y" * 39}…" was expected and "…{"x" * 20}B\\n" came' in text


def test_another_class_is_named_with_its_row() -> None:
    expected = tensor([[0.1, 0.9, 0.0], [0.2, 0.1, 0.7]])
    assert difference(expected, tensor([[0.4, 0.5, 0.1], [0.3, 0.3, 0.4]]), TOP1) == ""
    assert difference(expected, tensor([[0.4, 0.5, 0.1], [0.6, 0.3, 0.1]]), TOP1) == (
        "the largest value is elsewhere in 1 of 2 vectors: class 2 was expected and class 0 came, at [1]"
        " (0.1 for class 2, 0.6 for class 0)"
    )


def test_nan_is_no_class() -> None:
    nan = float("nan")
    assert difference(tensor([nan, 1.0, 2.0]), tensor([nan, 3.0, 2.0]), TOP1)
    assert difference(tensor([nan, 1.0, 2.0]), tensor([nan, 1.0, 3.0]), TOP1) == ""
    assert "NaN" in difference(tensor([0.0, 1.0, 2.0]), tensor([0.0, nan, 2.0]), TOP1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), st.floats(1e-3, 1e3))
def test_the_cosine_is_blind_to_size_and_sees_the_direction(values: list[float], size: float) -> None:
    expected = np.array([*values, 1.0])
    rule = Rule(Method.COSINE, least=0.999999)
    assert difference(tensor(expected, "FP64"), tensor(expected * size, "FP64"), rule) == ""
    assert difference(tensor(expected, "FP64"), tensor(-expected, "FP64"), rule)


def test_the_cosine_survives_the_ends_of_float64() -> None:
    rule = Rule(Method.COSINE, least=0.99)
    for size in (1e308, 5e-324):
        assert difference(tensor([size, size], "FP64"), tensor([1.0, 1.0], "FP64"), rule) == ""
    assert "similarity is 0.0000" in difference(tensor([1.0, 1.0]), tensor([0.0, 0.0]), rule)


def test_another_shape_or_datatype_is_a_sentence() -> None:
    assert difference(tensor([1.0]), tensor([[1.0]]), EXACT) == "the shape is [1, 1] where [1] was expected"
    assert difference(tensor([1.0]), tensor([1], "INT8"), EXACT) == "the datatype is INT8 where FP32 was expected"
    assert "cannot be read" in difference(tensor([1.0]), Tensor("FP32", (1,), b"abc"), EXACT)


@pytest.mark.parametrize("datatype", KNOWN_DATATYPES)
def test_every_datatype_has_a_rule_and_floats_alone_have_limits(datatype: str) -> None:
    rule = default_rule(datatype, scale=20.0)
    assert rule.method is (Method.CLOSE if datatype in FLOATS else Method.EXACT)
    assert rule.atol == pytest.approx(20 * default_rule(datatype).atol)


@pytest.mark.parametrize("datatype", ["FP32", "FP16", "BF16", "INT64"])
def test_a_million_values_take_milliseconds(datatype: str) -> None:
    values = np.random.default_rng(1).normal(0, 100, 1_000_000).round()
    expected, got = tensor(values, datatype), tensor(np.append(values[1:], 3), datatype)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        assert re.search(r"\d+ of 1000000 values differ", difference(expected, got, default_rule(datatype)))
        times.append(time.perf_counter() - began)
    assert min(times) < 0.25, times
