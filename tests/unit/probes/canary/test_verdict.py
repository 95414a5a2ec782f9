"""Whether an answer is what the configuration promises: each way in which it may not be, and which is told first."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.probes.canary.golden.rules import Method, Rule
from triton_watch.probes.canary.verdict import judge
from triton_watch.records import CanaryOptions, CanaryReason, TensorSpec
from triton_watch.triton.infer.messages import FLOATS, KNOWN_DATATYPES, InferAnswer, Tensor
from unit.probes.canary.golden.tensors import golden
from unit.probes.canary.parts import answer, plan, spec, tensor

if TYPE_CHECKING:
    from triton_watch.probes.canary.golden.model import Golden
    from triton_watch.probes.canary.plan import Plan

GOOD = tensor([0.1, 0.2, 0.3, 0.4])


def judged(plan: Plan, *outputs: dict[str, Tensor], version: str = "1", seconds: float = 0.1) -> tuple[str, str]:
    reason, sentence = judge(plan, 0, [answer(one, version=version) for one in outputs], seconds)
    assert (reason is CanaryReason.OK) == (sentence == "")
    return reason.value, sentence


def test_what_was_promised_is_ok() -> None:
    assert judged(plan(), {"y": GOOD}) == ("ok", "")
    assert judged(plan(), {"y": GOOD}, version="") == ("ok", "")


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ({}, ("missing_output", "the answer has no output y, which the configuration promises")),
        (
            {"y": GOOD, "b": GOOD, "a": GOOD},
            ("extra_output", "the answer has an output a, which the configuration does not know"),
        ),
        ({"y": tensor([1, 2, 3, 4], "INT32")}, ("wrong_dtype", "y is INT32, and the configuration promises FP32")),
        ({"y": tensor([1.0])}, ("wrong_shape", "y has shape [1], and the configuration promises [4]")),
        (
            {"y": tensor([[0.1, 0.2, 0.3, 0.4]])},
            ("wrong_shape", "y has shape [1, 4], and the configuration promises [4]"),
        ),
        (
            {"y": Tensor("FP32", (4,), b"\0" * 15)},
            ("unreadable", "y cannot be read: 15 bytes for shape [4] of FP32"),
        ),
        ({"y": tensor([1, 2, np.nan, np.nan])}, ("not_finite", "2 of 4 values of y are NaN")),
        ({"y": tensor([1, 2, np.inf, -np.inf])}, ("not_finite", "2 of 4 values of y are infinite")),
        ({"y": tensor([1, 2, np.nan, np.inf])}, ("not_finite", "2 of 4 values of y are NaN or infinite")),
    ],
)
def test_each_way_to_be_wrong_has_a_reason_and_a_sentence(
    outputs: dict[str, Tensor], expected: tuple[str, str]
) -> None:
    assert judged(plan(), outputs) == expected


def test_another_version_is_wrong() -> None:
    assert judged(plan(), {"y": GOOD}, version="2") == ("wrong_version", "version 2 answered, and 1 was asked")


@pytest.mark.parametrize("datatype", sorted(FLOATS))
def test_nan_is_found_in_every_float(datatype: str) -> None:
    made = plan(outputs=[spec("y", datatype, (2,))])
    assert judged(made, {"y": tensor([1.0, np.nan], datatype)})[0] == "not_finite"
    assert judged(made, {"y": tensor([1.0, 2.0], datatype)})[0] == "ok"


def test_what_is_not_finite_may_be_allowed() -> None:
    assert judged(plan(CanaryOptions(allow_non_finite=True)), {"y": tensor([1, 2, np.nan, np.inf])})[0] == "ok"


def test_the_batch_is_part_of_the_shape() -> None:
    made = plan(CanaryOptions(batch_size=2), max_batch_size=8)
    assert judged(made, {"y": tensor([[1.0, 2, 3, 4]] * 2)})[0] == "ok"
    assert judged(made, {"y": tensor([[1.0, 2, 3, 4]])}) == (
        "wrong_shape",
        "y has shape [1, 4], and the configuration and a batch of 2 promise [2, 4]",
    )


def test_a_dimension_that_the_configuration_leaves_open_may_have_any_size() -> None:
    made = plan(outputs=[spec("y", "FP32", (-1, 2))])
    assert judged(made, {"y": tensor([[1.0, 2]] * 5)})[0] == "ok"
    assert judged(made, {"y": tensor([[1.0, 2, 3]])})[0] == "wrong_shape"


def test_a_configuration_that_promises_no_outputs_forbids_none() -> None:
    assert judged(plan(outputs=[]), {"y": GOOD, "z": Tensor("FP32", (4,), b"")}) == ("ok", "")


def test_an_answer_over_max_latency_is_too_slow() -> None:
    made = plan(CanaryOptions(max_latency=0.25))
    assert judged(made, {"y": GOOD}, seconds=0.25)[0] == "ok"
    assert judged(made, {"y": GOOD}, seconds=0.3) == (
        "too_slow",
        "the answer took 0.3 s, and max_latency is 0.25 s",
    )


SEVERAL = [spec("y"), spec("z", "INT32", (1,))]
FINE = tensor([1], "INT32")
BAD_SHAPE, BAD_BYTES = tensor([1.0]), Tensor("FP32", (4,), b"")
NAN = tensor([1, 2, 3, np.nan])


@pytest.mark.parametrize(
    ("outputs", "version", "first"),
    [
        ({"y": NAN}, "2", "wrong_version"),
        ({"y": NAN, "q": NAN}, "1", "missing_output"),
        ({"y": NAN, "z": FINE, "q": NAN}, "1", "extra_output"),
        ({"y": BAD_SHAPE, "z": tensor([1.0])}, "1", "wrong_dtype"),
        ({"y": BAD_BYTES, "z": tensor([1, 2], "INT32")}, "1", "wrong_shape"),
        ({"y": NAN, "z": Tensor("INT32", (1,), b"")}, "1", "unreadable"),
        ({"y": NAN, "z": FINE}, "1", "not_finite"),
        ({"y": GOOD, "z": FINE}, "1", "golden_mismatch"),
    ],
)
def test_what_is_most_basic_is_told_first(outputs: dict[str, Tensor], version: str, first: str) -> None:
    recorded = golden(tensor([9.0, 8, 7, 6]))
    made = plan(CanaryOptions(max_latency=0.001), recorded, outputs=SEVERAL)
    assert judged(made, outputs, version=version, seconds=9)[0] == first


def test_slowness_is_told_last() -> None:
    made = plan(CanaryOptions(max_latency=0.001), golden(GOOD))
    assert judged(made, {"y": GOOD}, seconds=9)[0] == "too_slow"


def stream(options: CanaryOptions | None = None, **config: Any) -> Plan:
    return plan(options, decoupled=True, **config)


def test_a_stream_has_as_many_responses_as_the_options_say() -> None:
    made = stream(CanaryOptions(min_responses=2, max_responses=3))
    assert judged(made, {"y": GOOD}) == ("too_few_responses", "1 response came, and at least 2 are expected")
    assert judged(made, *[{"y": GOOD}] * 3)[0] == "ok"
    assert judged(made, *[{"y": GOOD}] * 4) == (
        "too_many_responses",
        "more than 3 responses came, which max_responses allows",
    )


def test_a_stream_without_a_response_is_too_few_unless_none_are_needed() -> None:
    assert judged(stream()) == ("too_few_responses", "0 responses came, and at least 1 are expected")
    assert judged(stream(CanaryOptions(min_responses=0))) == ("ok", "")


def test_a_stream_may_have_an_output_in_some_responses_only() -> None:
    made = stream(outputs=SEVERAL)
    assert judged(made, {"y": GOOD}, {"z": FINE})[0] == "ok"
    assert judged(made, {"y": GOOD}, {"y": GOOD})[0] == "missing_output"


def test_every_response_of_a_stream_is_looked_at() -> None:
    assert judged(stream(), {"y": GOOD}, {"y": NAN})[0] == "not_finite"


def test_a_stream_may_answer_with_another_number_of_rows() -> None:
    made = stream(max_batch_size=4)
    assert judged(made, {"y": tensor([[1.0, 2, 3, 4]] * 3)})[0] == "ok"
    assert judged(made, {"y": tensor([1.0, 2, 3, 4])}) == (
        "wrong_shape",
        "y has shape [4], and the configuration promises [-1, 4]",
    )


def test_every_answer_of_a_sequence_must_be_whole() -> None:
    made = plan(sequence_batching=True, outputs=SEVERAL)
    assert judged(made, {"y": GOOD, "z": FINE}, {"y": GOOD})[0] == "missing_output"


def test_nan_that_was_recorded_is_compared_and_not_forbidden() -> None:
    recorded = golden(NAN)
    assert judged(plan(None, recorded), {"y": NAN})[0] == "ok"
    assert judged(plan(None, recorded), {"y": tensor([np.nan, 2, 3, 4])})[0] == "golden_mismatch"
    assert judged(plan(None, golden(GOOD)), {"y": NAN})[0] == "not_finite"


def test_a_golden_from_when_the_output_had_another_datatype_ends_in_a_mismatch() -> None:
    recorded = golden(tensor(["a"], "BYTES"), rule=Rule(Method.EXACT))
    reason, sentence = judged(plan(None, recorded), {"y": GOOD})
    assert reason == "golden_mismatch"
    assert "the datatype is FP32 where BYTES was expected" in sentence


def test_the_golden_is_that_of_the_input_that_was_sent() -> None:
    recorded = golden(GOOD, tensor([9.0, 8, 7, 6]))
    made = plan(None, recorded)
    assert judge(made, 1, [answer({"y": tensor([9.0, 8, 7, 6])})], 0.1)[0] is CanaryReason.OK
    assert judge(made, 1, [answer({"y": GOOD})], 0.1)[0] is CanaryReason.SWAPPED


SIZES = st.integers(-2, 4) | st.sampled_from([2**31, 2**62, 10**30])
HOSTILE = st.builds(
    Tensor,
    st.sampled_from([*KNOWN_DATATYPES, "FP8", ""]),
    st.lists(SIZES, max_size=4).map(tuple),
    st.binary(max_size=40) | st.sampled_from([struct.pack("<I", 2**32 - 1), b"\0" * 16, b"\xff" * 16]),
)
ANSWERS = st.lists(
    st.builds(
        InferAnswer,
        st.just("m"),
        st.sampled_from(["1", "", "2"]),
        st.dictionaries(st.sampled_from(["y", "z", ""]), HOSTILE, max_size=3),
        st.just(0.1),
    ),
    max_size=3,
)
PROMISES = st.lists(
    st.builds(
        TensorSpec,
        st.sampled_from(["y", "z"]),
        st.sampled_from(KNOWN_DATATYPES),
        st.lists(SIZES, max_size=3).map(tuple),
    ),
    max_size=2,
)
GOLDENS = st.none() | st.sampled_from([golden(GOOD, NAN), golden(tensor(["a"], "BYTES"), FINE)])


@given(ANSWERS, PROMISES, GOLDENS, st.booleans(), st.integers(0, 2), st.integers(0, 1))
def test_whatever_is_answered_ends_in_a_verdict(
    answers: list[InferAnswer],
    outputs: list[TensorSpec],
    recorded: Golden | None,
    is_stream: bool,
    batch: int,
    variant: int,
) -> None:
    made = plan(None, recorded, outputs=outputs, decoupled=is_stream, max_batch_size=batch)
    reason, sentence = judge(made, variant, answers, 0.1)
    assert (reason is CanaryReason.OK) == (sentence == "")
