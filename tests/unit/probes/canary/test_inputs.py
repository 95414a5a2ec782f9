"""Inputs that are made up of a configuration alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.probes.canary.inputs import MOST_ELEMENTS, NoInputError, generate, shape_of
from triton_watch.probes.canary.prompts import ALWAYS_GIVEN, KNOWN
from triton_watch.records import CanaryOptions, TensorSpec
from triton_watch.triton.infer.messages import FLOATS, KNOWN_DATATYPES
from unit.probes.canary.parts import config_of, spec

OPTIONS = CanaryOptions()
DIMS = st.lists(st.integers(-1, 4), max_size=3).map(tuple)
SPECS = st.builds(TensorSpec, st.sampled_from(["x", *KNOWN]), st.sampled_from(KNOWN_DATATYPES), DIMS, st.booleans())


@given(
    st.lists(SPECS, min_size=1, max_size=4, unique_by=lambda one: one.name),
    st.integers(0, 8),
    st.builds(CanaryOptions, dynamic_size=st.integers(0, 5), batch_size=st.integers(1, 9)),
)
def test_whatever_is_made_up_can_be_read_and_has_the_shape_that_a_client_sends(
    specs: list[TensorSpec], batch: int, options: CanaryOptions
) -> None:
    config = config_of(specs, max_batch_size=batch)
    for variant in generate(config, options):
        for one in specs:
            if one.optional and one.name not in ALWAYS_GIVEN:
                assert one.name not in variant
                continue
            made = variant[one.name]
            assert made.datatype == one.datatype
            assert made.array().shape == made.shape == shape_of(one, config, options)


@pytest.mark.parametrize("datatype", KNOWN_DATATYPES)
@pytest.mark.parametrize("dims", [(1,), (5,), (2, 3)])
def test_the_two_inputs_differ_in_every_datatype(datatype: str, dims: tuple[int, ...]) -> None:
    first, second = generate(config_of([spec("x", datatype, dims)]), OPTIONS)
    assert first["x"] != second["x"]


@pytest.mark.parametrize("datatype", sorted(FLOATS))
def test_floats_are_spread_between_0_and_1(datatype: str) -> None:
    for variant in generate(config_of([spec("x", datatype, (3, 224))]), OPTIONS):
        values = variant["x"].array().astype(np.float64)
        assert values.min() >= 0
        assert values.max() <= 1
        assert 0.4 < values.mean() < 0.6
        assert values.std() > 0.2


@pytest.mark.parametrize("datatype", [name for name in KNOWN_DATATYPES if "INT" in name])
def test_whole_numbers_are_1_and_2_for_they_may_be_indices(datatype: str) -> None:
    first, second = generate(config_of([spec("ids", datatype, (4,))]), OPTIONS)
    assert first["ids"].array().tolist() == [1, 2, 1, 2]
    assert second["ids"].array().tolist() == [2, 1, 2, 1]


@pytest.mark.parametrize(("wanted", "most", "sent"), [(1, 8, 1), (4, 8, 4), (16, 8, 8)])
def test_the_batch_is_as_large_as_the_model_takes_at_most(wanted: int, most: int, sent: int) -> None:
    (first, _) = generate(config_of(max_batch_size=most), CanaryOptions(batch_size=wanted))
    assert first["x"].shape == (sent, 4)


def test_a_model_without_batches_gets_no_batch_dimension() -> None:
    (first, _) = generate(config_of(), CanaryOptions(batch_size=3))
    assert first["x"].shape == (4,)


def test_dynamic_dimensions_have_the_size_of_the_options() -> None:
    (first, _) = generate(config_of([spec(dims=(-1, 3, -1))]), CanaryOptions(dynamic_size=7))
    assert first["x"].shape == (7, 3, 7)


def test_optional_inputs_are_left_out_unless_asked_for() -> None:
    config = config_of([spec(), spec("mask", optional=True)])
    assert [set(one) for one in generate(config, OPTIONS)] == [{"x"}, {"x"}]
    assert set(generate(config, CanaryOptions(optional_inputs=True))[0]) == {"x", "mask"}


def test_a_language_model_is_asked_for_a_few_tokens_even_where_it_need_not_be_told() -> None:
    config = config_of(
        [
            spec("text_input", "BYTES", (1,)),
            spec("stream", "BOOL", (1,), optional=True),
            spec("max_tokens", "INT32", (1,), optional=True),
            spec("sampling_parameters", "BYTES", (1,), optional=True),
        ]
    )
    first, second = generate(config, OPTIONS)
    assert set(first) == {"text_input", "max_tokens", "sampling_parameters"}
    assert first["text_input"].array().tolist() == [b"The capital of France is"]
    assert second["text_input"].array().tolist() == [b"Two and two make"]
    assert first["max_tokens"].array().tolist() == [4]
    assert b'"max_tokens": 4' in first["sampling_parameters"].array()[0]


@pytest.mark.parametrize(
    ("name", "datatype", "expected"),
    [
        ("TEMPERATURE", "FP32", 1.0),
        ("temperature", "INT32", 1),  # 1.0 is no whole number as it stands: as for any other input
        ("stream", "BOOL", False),
        ("stream", "BYTES", b"triton-watch"),
        ("prompt", "INT64", 1),
        ("top_k", "FP16", 1.0),
        ("max_tokens", "BOOL", True),
        ("bad_words", "BYTES", b""),
    ],
)
def test_a_known_name_has_its_value_where_the_datatype_suits(name: str, datatype: str, expected: object) -> None:
    (first, _) = generate(config_of([spec(name, datatype, (1,))]), OPTIONS)
    assert first[name].array().tolist() == [expected]


def test_every_known_value_goes_into_some_datatype() -> None:
    kinds = {bool: "BOOL", int: "INT32", float: "FP32", str: "BYTES"}
    for name, (value, _) in KNOWN.items():
        (first, _) = generate(config_of([spec(name, kinds[type(value)], (1,))]), OPTIONS)
        (made,) = first[name].array().tolist()
        assert made == (value.encode() if isinstance(value, str) else value)


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ([], "its configuration names no inputs: give one under canary.overrides"),
        ([spec("x", "FP8")], "its input x has the unknown type 'FP8': give an input"),
        (
            [spec("x", dims=(MOST_ELEMENTS + 1,))],
            f"its input x has the shape [{MOST_ELEMENTS + 1}], too large to make one up: give an input",
        ),
        (
            [spec("x", dims=(2**62, 2**62))],
            f"its input x has the shape [{2**62}, {2**62}], too large to make one up: give an input",
        ),
    ],
)
def test_where_no_input_can_be_made_a_sentence_says_why(inputs: list[TensorSpec], sentence: str) -> None:
    with pytest.raises(NoInputError) as caught:
        generate(config_of(inputs), OPTIONS)
    assert str(caught.value) == sentence
