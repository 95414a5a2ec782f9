"""What is wrong with an answer, by its golden."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given

from triton_watch.probes.canary.golden.check import against
from triton_watch.probes.canary.golden.compare import Method, Rule
from triton_watch.records import CanaryReason
from unit.probes.canary.golden.tensors import golden, goldens, tensor

if TYPE_CHECKING:
    from triton_watch.probes.canary.golden.model import Golden

CAT, DOG = tensor([0.9, 0.1, 0.0]), tensor([0.1, 0.8, 0.1])
TOP1 = Rule(Method.TOP1)


@given(goldens())
def test_the_recorded_answer_itself_is_ok(one: Golden) -> None:
    for variant, responses in enumerate(one.outputs):
        assert against(one, variant, responses) == (CanaryReason.OK, "")


def test_a_close_answer_is_ok() -> None:
    assert against(golden(CAT, DOG), 0, [{"y": tensor([0.901, 0.1, 0.0])}]) == (CanaryReason.OK, "")


def test_another_answer_is_a_mismatch_in_words() -> None:
    reason, text = against(golden(CAT, DOG), 0, [{"y": tensor([0.3, 0.3, 0.4])}])
    assert reason is CanaryReason.GOLDEN_MISMATCH
    assert text.startswith('output "y" is not what was recorded: 3 of 3 values differ by more than rtol 0.01')


def test_the_answer_to_the_other_input_is_swapped() -> None:
    reason, text = against(golden(CAT, DOG), 0, [{"y": DOG}])
    assert reason is CanaryReason.SWAPPED
    assert text.startswith('the answer is the one to input 1, and input 0 was sent: output "y" is not what')


def test_goldens_that_do_not_differ_are_never_swapped() -> None:
    near = tensor([0.905, 0.1, 0.0])
    reason, _ = against(golden(CAT, near), 0, [{"y": tensor([0.914, 0.1, 0.0])}])
    assert reason is CanaryReason.GOLDEN_MISMATCH


def test_a_constant_answer_is_constant_and_not_the_constant_golden_of_another_input() -> None:
    zeros = tensor([0.0, 0.0, 0.0])
    reason, text = against(golden(CAT, zeros), 0, [{"y": zeros}])
    assert reason is CanaryReason.CONSTANT
    assert "all 3 values are 0.0" in text


def test_zeros_are_constant_although_their_first_is_the_class_that_was_expected() -> None:
    assert against(golden(CAT, rule=TOP1), 0, [{"y": tensor([0.5, 0.5, 0.5])}])[0] is CanaryReason.CONSTANT


def test_a_constant_answer_within_the_limits_is_ok() -> None:
    one = golden(tensor([1e-6, 2e-6]), rule=Rule(Method.CLOSE, 0, 1e-5))
    assert against(one, 0, [{"y": tensor([0.0, 0.0])}])[0] is CanaryReason.OK


def test_the_number_of_responses_is_that_of_the_golden() -> None:
    one = golden(CAT)
    assert against(one, 0, []) == (CanaryReason.TOO_FEW_RESPONSES, "0 responses came, and the golden answer has 1")
    assert against(one, 0, [{"y": CAT}] * 2)[0] is CanaryReason.TOO_MANY_RESPONSES


def test_the_response_of_a_stream_is_named() -> None:
    one = golden(CAT, outputs=(({"y": CAT}, {"y": DOG}),))
    assert 'output "y" of response 1 ' in against(one, 0, [{"y": CAT}, {"y": CAT}])[1]


def test_outputs_without_a_rule_are_not_compared() -> None:
    one = golden(CAT, outputs=(({"y": CAT, "id": tensor([1], "INT32")},),), ignore=("id",))
    assert against(one, 0, [{"y": CAT, "id": tensor([2], "INT32")}])[0] is CanaryReason.OK


def test_a_missing_output_another_shape_or_an_unknown_variant_end_in_no_exception() -> None:
    assert against(golden(CAT), 0, [{}]) == (
        CanaryReason.MISSING_OUTPUT,
        'output "y" is missing, and the golden answer has it',
    )
    assert against(golden(CAT), 0, [{"y": tensor([[0.0]])}])[0] is CanaryReason.GOLDEN_MISMATCH
    assert against(golden(CAT), 1, [{"y": DOG}]) == (CanaryReason.OK, "")
