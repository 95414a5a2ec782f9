"""Names against the model's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found
from triton_watch.check.rules.model_examples import onnx
from triton_watch.check.rules.shapes import example, tensor
from triton_watch.check.rules.tensor_names import RULES

if TYPE_CHECKING:
    from pathlib import Path

MODEL = onnx("input_ids INT64 -1, attention_mask INT64 -1", "logits FP32 -1, hidden FP32 -1")
IDS, MASK = (tensor("input", name, "INT64", "-1") for name in ("input_ids", "attention_mask"))
LOGITS = tensor("output", "logits", "FP32", "-1")


@pytest.mark.parametrize(
    ("io", "rules"),
    [
        (IDS + MASK + LOGITS, []),
        (IDS + LOGITS, ["TW347"]),
        (IDS + MASK + tensor("output", "logit", "FP32", "-1"), ["TW348"]),
        (IDS.replace("input_ids", "ids") + MASK + LOGITS, ["TW346"]),
        (IDS + MASK + tensor("input", "extra", "INT64", "-1") + LOGITS, ["TW346"]),
        (IDS.replace("input_ids", "ids") + LOGITS, ["TW346", "TW347"]),
        (LOGITS, []),
        ("", []),
        (
            IDS
            + LOGITS
            + 'batch_input { target_name: "attention_mask" data_type: TYPE_INT32 source_input: "input_ids" }',
            [],
        ),
        (IDS + LOGITS + 'sequence_batching { control_input { name: "attention_mask" } }', []),
        (IDS + LOGITS + 'sequence_batching { state { input_name: "attention_mask" output_name: "hidden" } }', []),
    ],
)
def test_the_configuration_names_all_inputs_and_only_outputs_that_there_are(
    io: str, rules: list[str], tmp_path: Path
) -> None:
    hits = found(RULES, example(f"{io}\n", MODEL), tmp_path)
    assert [one.rule for one in hits] == rules
    assert all(one.severity.value == "error" for one in hits)


@pytest.mark.parametrize(
    ("name", "fix"),
    [("input_id", 'write name: "input_ids"'), ("whatever", 'write name: "input_ids"')],
)
def test_a_misspelt_name_gets_the_one_that_is_left(name: str, fix: str, tmp_path: Path) -> None:
    (one,) = found(RULES, example(IDS.replace("input_ids", name) + MASK + LOGITS, MODEL), tmp_path)
    assert one.fix == fix


def test_a_missing_input_is_written_out(tmp_path: Path) -> None:
    (one,) = found(RULES, example("max_batch_size: 4\n" + IDS + LOGITS, MODEL), tmp_path)
    assert one.fix == 'add input { name: "attention_mask" data_type: TYPE_INT64 dims: [ 1 ] }'
