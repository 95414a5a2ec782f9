"""From several answers to one input: the rule for each output, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triton_watch.probes.canary.golden.compare import Method, Rule, default_rule, difference
from triton_watch.probes.canary.golden.repeats import RepeatVerdict, judge_repeats, merged
from triton_watch.triton.infer.messages import KNOWN_DATATYPES, Tensor
from unit.probes.canary.golden.tensors import tensor, tensors

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOGITS = np.random.default_rng(5).normal(0, 4, (1, 1000))


def noisy(share: float, repeats: int = 5) -> list[Tensor]:
    """The logits with noise of this share of their root mean square."""
    rng = np.random.default_rng(6)
    return [tensor(LOGITS + rng.normal(0, 4 * share, LOGITS.shape)) for _ in range(repeats)]


def judged(*repeats: Tensor) -> RepeatVerdict:
    return judge_repeats([[{"y": one}] for one in repeats])


@given(tensors(KNOWN_DATATYPES), st.integers(1, 3))
def test_the_same_answer_each_time_gets_the_default(one: Tensor, repeats: int) -> None:
    verdict = judged(*[one] * repeats)
    rule = verdict.rules["y"]
    assert (rule.method, rule.rtol) == (default_rule(one.datatype).method, default_rule(one.datatype).rtol)
    assert (verdict.notes, verdict.refusals) == ((), ())


def test_the_absolute_limit_is_a_share_of_the_values_own_size() -> None:
    small, large = (judged(tensor(LOGITS * size)).rules["y"].atol for size in (0.001, 1000))
    assert large == pytest.approx(1e6 * small, rel=0.1)
    assert difference(tensor(LOGITS * 0.001), tensor(LOGITS * 0), judged(tensor(LOGITS * 0.001)).rules["y"])


def test_little_noise_gets_the_default() -> None:
    assert judged(*noisy(0.001)).notes == ()


def test_more_noise_loosens_the_limits_fourfold_and_says_so() -> None:
    answers = noisy(0.01)
    verdict = judged(*answers)
    rule = verdict.rules["y"]
    assert rule.method is Method.CLOSE
    seen, less = (Rule(Method.CLOSE, rule.rtol / share, rule.atol / share) for share in (3.7, 4.3))
    assert all(difference(answers[0], one, seen) == "" for one in answers)
    assert any(difference(answers[0], one, less) for one in answers)
    (note,) = verdict.notes
    assert note.startswith('output "y" varies between repeats (')
    assert f"wider limits, rtol {rule.rtol:g} and atol {rule.atol:g}" in note


def test_limits_that_would_let_anything_pass_become_a_direction() -> None:
    verdict = judged(*noisy(0.1))
    rule = verdict.rules["y"]
    assert rule.method is Method.COSINE
    assert 0.9 < rule.least < 0.97
    assert "cosine similarity of at least" in verdict.notes[0]
    assert difference(noisy(0.1)[0], tensor(LOGITS[:, ::-1]), rule)


def test_answers_with_nothing_in_common_but_their_class_get_top1() -> None:
    def one(seed: int) -> NDArray[np.float64]:
        values = np.random.default_rng(seed).normal(0, 1, (1, 10))
        values[0, 4] = 5
        return values

    verdict = judged(*(tensor(one(seed)) for seed in range(4)))
    assert verdict.rules["y"] == Rule(Method.TOP1)
    assert "its largest value alone" in verdict.notes[0]


def test_noise_alone_is_refused_with_what_to_do() -> None:
    rng = np.random.default_rng(3)
    verdict = judged(*(tensor(rng.normal(0, 1, (1, 100))) for _ in range(3)))
    assert verdict.rules == {}
    assert "seed" in verdict.refusals[0]
    assert "ignore" in verdict.refusals[0]


def test_a_nan_that_comes_and_goes_is_refused() -> None:
    assert judged(tensor([1.0, 2.0]), tensor([1.0, float("nan")])).refusals


@pytest.mark.parametrize(
    ("first", "second"),
    [(tensor([1], "INT64"), tensor([2], "INT64")), (tensor(["a"], "BYTES"), tensor(["b"], "BYTES"))],
)
def test_integers_and_texts_that_vary_are_refused(first: Tensor, second: Tensor) -> None:
    (refusal,) = judged(first, first, second).refusals
    assert "compared exactly (1 of 1 " in refusal
    assert "fixed seed" in refusal


def test_one_output_that_is_refused_leaves_the_others() -> None:
    fine = tensor([1.0, 2.0])
    verdict = judge_repeats([[{"y": fine, "id": tensor([number], "INT32")}] for number in range(2)])
    assert list(verdict.rules) == ["y"]
    assert 'output "id"' in verdict.refusals[0]


def test_all_responses_of_a_stream_count() -> None:
    first, second = tensor(["a"], "BYTES"), tensor(["b"], "BYTES")
    assert judge_repeats([[{"y": first}, {"y": second}], [{"y": first}, {"y": first}]]).refusals
    assert judge_repeats([[{"y": first}, {}], [{"y": first}, {}]]).rules == {"y": Rule(Method.EXACT)}


def test_another_number_of_responses_or_another_form_is_refused() -> None:
    one = {"y": tensor([1.0])}
    assert "1 responses to the first request and 2 to a repeat" in judge_repeats([[one], [one, one]]).refusals[0]
    other = {"y": tensor([1.0, 2.0])}
    assert 'output "y" was FP32 [1] in the first answer and FP32 [2]' in judge_repeats([[one], [other]]).refusals[0]
    assert "absent" in judge_repeats([[one], [{}]]).refusals[0]
    assert judge_repeats([]).refusals == judge_repeats([[]]).refusals != ()


def test_of_two_variants_the_more_lenient_rule_holds() -> None:
    close, wide, top = Rule(Method.CLOSE, 0.1, 0.5), Rule(Method.CLOSE, 0.2, 0.1), Rule(Method.TOP1)
    verdict = merged(
        [
            RepeatVerdict({"a": close, "b": top, "c": close}, ("one",), ()),
            RepeatVerdict({"a": wide, "b": close}, ("one", "two"), ("no",)),
        ]
    )
    assert verdict == RepeatVerdict({"a": Rule(Method.CLOSE, 0.2, 0.5), "b": top, "c": close}, ("one", "two"), ("no",))
