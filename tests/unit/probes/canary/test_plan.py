"""What a model is asked, by its configuration, its options and its golden."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from triton_watch.probes.canary.inputs import NoInputError
from triton_watch.probes.canary.plan import Kind
from triton_watch.records import CanaryOptions, GivenInput, GivenTensor
from unit.probes.canary.golden.tensors import golden
from unit.probes.canary.parts import plan, spec, tensor

GIVEN = CanaryOptions(inputs=(GivenInput((GivenTensor("x", (1, 2, 3, 4)),)),))


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({}, Kind.UNARY),
        ({"decoupled": True}, Kind.STREAM),
        ({"sequence_batching": True}, Kind.SEQUENCE),
        ({"sequence_batching": True, "decoupled": True}, Kind.STREAM),
    ],
)
def test_the_kind_follows_from_the_configuration(config: dict[str, Any], kind: Kind) -> None:
    assert plan(**config).kind is kind


def test_a_golden_goes_before_given_inputs_and_these_before_made_up_ones() -> None:
    recorded = golden(tensor([1.0]))
    assert (plan().source, len(plan().variants), plan().was_made_up) == ("made up", 2, True)
    assert (plan(GIVEN).source, len(plan(GIVEN).variants), plan(GIVEN).was_made_up) == ("given", 1, False)
    both = plan(GIVEN, recorded)
    assert (both.source, both.variants, both.was_made_up) == ("golden", recorded.inputs, False)


def test_a_golden_without_inputs_is_as_good_as_none() -> None:
    empty = replace(golden(tensor([1.0])), inputs=(), outputs=())
    made = plan(None, empty)
    assert (made.source, made.golden, len(made.variants)) == ("made up", None, 2)


def test_inputs_that_cannot_be_made_are_no_plan() -> None:
    with pytest.raises(NoInputError, match="unknown type"):
        plan(inputs=[spec("x", "FP8")])


def test_rows_are_those_of_the_first_input_and_none_without_batches() -> None:
    assert plan().batch_size is None
    assert plan(CanaryOptions(batch_size=3), max_batch_size=8).batch_size == 3
    assert (
        plan(CanaryOptions(inputs=(GivenInput((GivenTensor("x", 1, shape=(5, 4)),)),)), max_batch_size=8).batch_size
        == 5
    )
    assert plan(inputs=[spec(optional=True)], max_batch_size=8).batch_size == 1


def test_sequences_are_remembered_in_a_stream_too() -> None:
    made = plan(sequence_batching=True, decoupled=True, text_sequence_ids=True)
    assert (made.in_sequence, made.text_sequence_ids) == (True, True)
    assert not plan().in_sequence
