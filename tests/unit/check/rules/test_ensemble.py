"""An ensemble's platform, steps and tensors, judged by its own configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.repository import Repository
from triton_watch.check.rules import ensemble, ensemble_tensors
from triton_watch.check.rules.ensemble_examples import ensemble_text, step_text

if TYPE_CHECKING:
    from pathlib import Path

RULES = (*ensemble.RULES, *ensemble_tensors.RULES)
STEP = step_text("m", "A:IN", "B:OUT")
PLATFORM = 'platform: "ensemble"\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ensemble_text(STEP), []),
        (ensemble_text(STEP).replace(PLATFORM, ""), ["TW500"]),
        (ensemble_text(STEP).replace(PLATFORM, 'backend: "python"\n'), ["TW500"]),
        (ensemble_text(STEP).replace(PLATFORM, 'platform: "onnxruntime_onnx"\n'), ["TW500"]),
        (PLATFORM, ["TW501"]),
        (PLATFORM + "dynamic_batching { }\n", ["TW501"]),
        (PLATFORM + 'backend: "python"\n', []),  # that is wrong in another way
        (PLATFORM + "ensemble_scheduling { ste }\n", []),  # unreadable: the steps may be there
        (ensemble_text(), ["TW502"]),
        (ensemble_text("step { }\n"), ["TW503"]),
        (ensemble_text(step_text("m", "", "B:OUT")), ["TW504"]),
        (ensemble_text(step_text("m", "A:IN", "")), ["TW504"]),
        (ensemble_text(STEP) + "model_warmup { }\n", ["TW505"]),
        (ensemble_text(STEP, step_text("n", "A:IN", "B:OUT")), ["TW510"]),
        (ensemble_text(step_text("m", "A:IN", "B:OUT C:OUT")), ["TW510"]),
        (ensemble_text(STEP, inputs="IN MORE"), ["TW511"]),
        (ensemble_text(STEP, inputs="IN IN"), []),
        (ensemble_text(STEP, outputs="OUT MORE"), ["TW512"]),
        (ensemble_text(STEP, outputs="OUT IN"), []),
        (ensemble_text(STEP, inputs="IN OUT"), []),  # a step may write an input of the ensemble
        (ensemble_text(step_text("m", "A:IN", "B:OUT C:IN")), []),
        (ensemble_text(STEP, inputs=""), ["TW513"]),
        (ensemble_text(STEP, outputs=""), ["TW515"]),
        (ensemble_text(step_text("m", "A:IN C:MID", "B:OUT")), ["TW513"]),
        (ensemble_text(STEP, step_text("n", "A:X", "B:Y")), ["TW513", "TW515"]),
        (ensemble_text(STEP, step_text("n", "A:IN", "B:Y")), ["TW515"]),
        (ensemble_text(step_text("n", "A:MID", "B:OUT"), step_text("m", "A:IN", "B:MID")), []),
        (ensemble_text(step_text("m", "A:IN C:MORE", "B:OUT D:MORE")), ["TW514"]),
        (ensemble_text(STEP, step_text("n", "A:X", "B:Y"), step_text("o", "A:Y", "B:X")), ["TW514"]),
        (ensemble_text(step_text("m", "A:IN C:Y", "B:X"), step_text("n", "A:X", "B:Y D:OUT")), ["TW514"]),
        (ensemble_text(step_text("m", "IN:A", "OUT:B")), ["TW511", "TW512", "TW513", "TW515"]),
    ],
)
def test_what_triton_refuses_of_the_graph(text: str, expected: list[str], tmp_path: Path) -> None:
    assert ids(found(RULES, text, tmp_path), "error") == expected


@pytest.mark.parametrize(
    ("text", "rule", "part"),
    [
        (ensemble_text(step_text("m", "A:TOKEN", "B:OUT"), inputs="TOKENS"), "TW513", 'write "TOKENS"'),
        (ensemble_text(step_text("m", "A:TOKENS_", "B:OUT"), inputs="TOKENS"), "TW511", 'write "TOKENS_"'),
        (ensemble_text(step_text("m", "A:IN", "B:SCORES"), outputs="SCORE"), "TW515", 'write "SCORE"'),
        (ensemble_text(STEP, step_text("n", "A:IN", "B:Y")), "TW515", "remove the step"),
        (ensemble_text(step_text("m", "A:IN", "B:OUT C:Y")), "TW515", "remove the output_map entry"),
    ],
)
def test_the_fix_names_what_was_meant(text: str, rule: str, part: str, tmp_path: Path) -> None:
    fixes = [hit.fix for hit in found(RULES, text, tmp_path) if hit.rule == rule]

    assert any(fix is not None and part in fix for fix in fixes)


def test_the_message_tells_the_output_that_is_lost(tmp_path: Path) -> None:
    text = ensemble_text(step_text("m", "A:IN C:GONE", "B:MID"), step_text("n", "A:MID", "B:OUT"))

    (hit,) = found(RULES, text, tmp_path)

    assert "output 'OUT' for ensemble 'model' is not written" in hit.message
    assert hit.source is not None
    assert hit.source[hit.column - 1 if hit.column else 0 :].startswith('"GONE"')


def test_a_loop_is_shown_as_one(tmp_path: Path) -> None:
    text = ensemble_text(step_text("m", "A:IN C:Y", "B:X"), step_text("n", "A:X", "B:Y D:OUT"))

    (hit,) = found(RULES, text, tmp_path)

    assert "step 0 (m) waits for Y -> step 1 (n) waits for X -> step 0 (m)" in hit.message


def test_a_configuration_given_alone_is_judged_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.pbtxt"
    path.write_text(ensemble_text(STEP, inputs="IN MORE"))
    model = Repository(tmp_path, loose=path).model("pipeline")

    assert [rule.id for rule in RULES for _ in rule.check(model, None)] == ["TW511"]
