"""What flows between the models of an ensemble. Each verdict here is one of tritonserver 2.51.0."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.rule import Box
from triton_watch.check.rules.ensemble_edges import RULES
from triton_watch.check.rules.ensemble_examples import ensemble_text, repository_text, step_text

if TYPE_CHECKING:
    from pathlib import Path

STEP = step_text("m", "A:X", "B:Y")
DECOUPLED = "model_transaction_policy { decoupled: true }\n"


def io(kind: str, *tensors: str) -> str:
    """Tensors written as `NAME TYPE DIMS MORE`, as in `A FP32 4,2 optional: true`."""
    text = ""
    for tensor in tensors:
        name, data_type, dims, *more = tensor.split(" ", 3)
        text += f'{kind} {{ name: "{name}" data_type: TYPE_{data_type} dims: [ {dims} ] {" ".join(more)} }}\n'
    return text


def model(inputs: tuple[str, ...] = ("A FP32 4",), outputs: tuple[str, ...] = ("B FP32 4",), batch: int = 8) -> str:
    return f'backend: "onnxruntime"\nmax_batch_size: {batch}\n{io("input", *inputs)}{io("output", *outputs)}'


def ensemble(
    *steps: str, inputs: tuple[str, ...] = ("X FP32 4",), outputs: tuple[str, ...] = ("Y FP32 4",), batch: int = 8
) -> str:
    head = f'platform: "ensemble"\nmax_batch_size: {batch}\n{io("input", *inputs)}{io("output", *outputs)}'
    return f"{head}ensemble_scheduling {{\n{''.join(steps or (STEP,))}}}\n"


def errors(text: str, folder: Path) -> list[str]:
    return ids([hit for hit in found(RULES, text, folder) if hit.model == "pipeline"], "error")


@pytest.mark.parametrize(
    ("pipeline", "member", "expected"),
    [
        (ensemble(), model(), []),
        # reshape: the ensemble's own counts, a member's does not
        (ensemble(inputs=("X FP32 2,2 reshape { shape: 4 }",)), model(), []),
        (ensemble(inputs=("X FP32 4 reshape { shape: [ 2, 2 ] }",)), model(), ["TW534"]),
        (ensemble(outputs=("Y FP32 2,2 reshape { shape: 4 }",)), model(), []),
        (ensemble(), model(("A FP32 2,2 reshape { shape: 4 }",)), ["TW534"]),
        (ensemble(inputs=("X FP32 2,2",)), model(("A FP32 2,2 reshape { shape: 4 }",)), []),
        (ensemble(inputs=("X FP32 1 reshape { }",)), model(("A FP32 1 reshape { }",)), ["TW534"]),
        # the batch dimension: dims fit as they are, or with it
        (ensemble(), model(batch=0), []),
        (ensemble(), model(("A FP32 -1,4",), ("B FP32 -1,4",), batch=0), []),
        (ensemble(), model(("A FP32 3,4",), ("B FP32 3,4",), batch=0), []),
        (ensemble(), model(("A FP32 5",), batch=0), ["TW534"]),
        (ensemble(batch=0), model(), []),
        (ensemble(inputs=("X FP32 1,4",), batch=0), model(), []),
        (ensemble(inputs=("X FP32 -1",)), model(("A FP32 -1,4",), batch=0), []),
        (ensemble(), model(batch=4), ["TW530"]),
        (ensemble(batch=4), model(), []),
        (ensemble(batch=1), model(batch=0), []),
        # types and shapes
        (ensemble(inputs=("X INT32 4",)), model(), ["TW533"]),
        (ensemble(outputs=("Y INT32 4",)), model(), ["TW533"]),
        (ensemble(inputs=("X FP32 5",)), model(), ["TW534"]),
        (ensemble(inputs=("X FP32 -1",)), model(), []),
        (ensemble(inputs=("X FP32 4,1",)), model(), ["TW534"]),
        (ensemble(inputs=("X INT8 1", "X FP32 4")), model(), ["TW533"]),
        (ensemble(inputs=("X FP32 4", "X INT8 1")), model(), []),
        (ensemble(), model(("A FP32 4", "A INT8 4")), ["TW533"]),
        (ensemble(), model(outputs=("B FP32 4", "B INT8 4")), ["TW533", "TW536"]),
        (ensemble(), model(outputs=("B FP32 4", "B FP32 4")), ["TW536"]),
        (ensemble(), model(outputs=("B FP32 4", "C FP32 4", "C FP32 4")), []),
        (ensemble(), model(("A FP32 4", "A FP32 4")), []),
        # names
        (ensemble(step_text("m", "a:X", "B:Y")), model(), ["TW531"]),
        (ensemble(step_text("m", "A:X", "b:Y")), model(), ["TW531"]),
        (ensemble(), model(("A FP32 4", "C FP32 1")), ["TW532"]),
        (ensemble(), model(("A FP32 4", "C FP32 1 optional: true")), []),
        (ensemble(step_text("m", "A:X C:X", "B:Y")), model(("A FP32 4", "C FP32 4")), []),
        (ensemble(step_text("m", "A:X C:X", "B:Y")), model(("A FP32 4", "C INT8 4")), ["TW533"]),
        (ensemble(), model(outputs=("B FP32 4", "C FP32 9")), []),
    ],
)
def test_one_step(pipeline: str, member: str, expected: list[str], tmp_path: Path) -> None:
    assert errors(repository_text(pipeline, m=member), tmp_path) == expected


MN = (step_text("m", "A:X", "B:T"), step_text("n", "A:T", "B:Y"))


@pytest.mark.parametrize(
    ("pipeline", "members", "expected"),
    [
        (ensemble(*MN), {"m": model(), "n": model()}, []),
        (ensemble(*MN), {"m": model(outputs=("B FP32 3",)), "n": model()}, ["TW534"]),
        (ensemble(*MN), {"m": model(outputs=("B FP16 4",)), "n": model()}, ["TW533"]),
        (ensemble(*MN), {"m": model(), "n": model(("A FP32 -1,4",), ("B FP32 -1,4",), batch=0)}, []),
        (ensemble(*reversed(MN)), {"m": model(outputs=("B FP32 3",)), "n": model()}, ["TW534"]),
        # Triton compares with what it saw first, so what fits that need not fit each other
        (
            ensemble(MN[0], step_text("n", "A:X C:T", "B:Y"), inputs=("X FP32 -1",)),
            {"m": model(), "n": model(("A FP32 7", "C FP32 4"))},
            [],
        ),
        (
            ensemble(*MN, step_text("o", "A:T", "B:Z"), outputs=("Y FP32 4", "Z FP32 -1")),
            {"m": model(outputs=("B FP32 -1",)), "n": model(("A FP32 3",)), "o": model(("A FP32 9",))},
            [],
        ),
    ],
)
def test_between_steps(pipeline: str, members: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    assert errors(repository_text(pipeline, **members), tmp_path) == expected


DIAMOND = ensemble(step_text("m", "A:X", "B:T"), step_text("n", "A:X", "B:U"), step_text("o", "A:T C:U", "B:Y"))
JOIN = model(("A FP32 4", "C FP32 4"))
SPLIT = model(outputs=("B FP32 4", "C FP32 4")) + DECOUPLED
TWO_OUT = ("Y FP32 4", "Z FP32 4")


@pytest.mark.parametrize(
    ("pipeline", "members", "refused"),
    [
        (DIAMOND, {"m": model(), "n": model(), "o": JOIN}, False),
        (DIAMOND, {"m": model() + DECOUPLED, "n": model(), "o": JOIN}, True),
        (DIAMOND, {"m": model() + DECOUPLED, "n": model() + DECOUPLED, "o": JOIN}, True),
        (DIAMOND, {"m": model(), "n": model(), "o": JOIN + DECOUPLED}, False),
        (ensemble(step_text("m", "A:X", "B:T C:U"), step_text("o", "A:T C:U", "B:Y")), {"m": SPLIT, "o": JOIN}, False),
        (
            ensemble(step_text("m", "A:X", "B:T"), step_text("o", "A:T C:X", "B:Y")),
            {"m": model() + DECOUPLED, "o": JOIN},
            True,
        ),
        (ensemble(*MN), {"m": model() + DECOUPLED, "n": model() + DECOUPLED}, False),
        (
            ensemble(*MN, step_text("o", "A:T C:Y", "B:Z"), outputs=("Z FP32 4",)),
            {"m": model() + DECOUPLED, "n": model(), "o": JOIN},
            False,
        ),
        (
            ensemble(*MN, step_text("o", "A:T C:Y", "B:Z"), outputs=("Z FP32 4",)),
            {"m": model() + DECOUPLED, "n": model() + DECOUPLED, "o": JOIN},
            True,
        ),
        (
            ensemble(step_text("m", "A:X", "B:Y"), step_text("n", "A:X", "B:Z"), outputs=TWO_OUT),
            {"m": model() + DECOUPLED, "n": model()},
            True,
        ),
        (
            ensemble(step_text("m", "A:X", "B:Y"), step_text("n", "A:Y", "B:Z"), outputs=TWO_OUT),
            {"m": model() + DECOUPLED, "n": model()},
            False,
        ),
        (
            ensemble(step_text("m", "A:X", "B:T"), step_text("m", "A:X", "B:U"), step_text("o", "A:T C:U", "B:Y")),
            {"m": model() + DECOUPLED, "o": JOIN},
            True,
        ),
        (
            ensemble(step_text("e", "X:X", "Y:T"), step_text("o", "A:T C:X", "B:Y")),
            {"e": ensemble(), "m": model() + DECOUPLED, "o": JOIN},
            True,
        ),
        (
            ensemble(step_text("e", "X:X", "Y:T"), step_text("o", "A:T C:X", "B:Y")),
            {"e": ensemble() + DECOUPLED, "m": model(), "o": JOIN},  # an ensemble's own policy does not count
            False,
        ),
    ],
)
def test_what_meets_in_a_step_comes_from_one_decoupled_model(
    pipeline: str, members: dict[str, str], refused: bool, tmp_path: Path
) -> None:
    assert errors(repository_text(pipeline, **members), tmp_path) == (["TW535"] if refused else [])


PYTHON = 'backend: "python"\nmax_batch_size: 8\n'
WIDE = io("input", "A FP32 4") + io("output", "B FP32 9")


@pytest.mark.parametrize(
    ("files", "severities"),
    [
        (
            "--- m/config.pbtxt\n"
            + PYTHON
            + io("input", "A FP32 4")
            + io("output", "B FP32 9")
            + "--- m/1/model.py\n%s",
            [],
        ),
        ("--- m/config.pbtxt\n" + PYTHON + "--- m/1/model.py\n%s", []),
        ('--- m/config.pbtxt\nbackend: "mine"\n--- m/1/x\nx\n', []),
        ('--- m/config.pbtxt\nbackend: "vllm"\n--- m/1/model.json\n{}\n', []),
        ("--- m/1/model.onnx\nnone\n", []),
    ],
)
def test_what_a_backend_completes_is_never_an_error(files: str, severities: list[str], tmp_path: Path) -> None:
    code = "class TritonPythonModel:\n    @staticmethod\n    def auto_complete_config(c):\n        return c\n"
    text = repository_text(ensemble()) + files.replace("%s", code)

    assert errors(text, tmp_path) == severities


def test_a_python_model_without_completion_is_what_its_configuration_says(tmp_path: Path) -> None:
    code = "class TritonPythonModel:\n    def execute(self, requests):\n        return []\n"
    text = repository_text(ensemble()) + f"--- m/config.pbtxt\n{PYTHON}{WIDE}--- m/1/model.py\n{code}"

    assert errors(text, tmp_path) == ["TW534"]


def test_the_message_shows_the_way_of_the_tensor(tmp_path: Path) -> None:
    pipeline = ensemble(
        step_text("tokenizer", "TEXT:TEXT", "TOKENS:TOKENS"),
        step_text("encoder", "TOKENS:TOKENS", "OUT:Y"),
        inputs=("TEXT STRING 1",),
    )
    members = {
        "tokenizer": model(("TEXT STRING 1",), ("TOKENS INT64 16",)),
        "encoder": model(("TOKENS INT32 16",), ("OUT FP32 4",)),
    }

    (hit,) = found(RULES, repository_text(pipeline, **members), tmp_path)

    way = "ensemble input TEXT [STRING, 1] -> tokenizer.TOKENS [INT64, 16] -> encoder.TOKENS [INT32, 16]"
    assert way in hit.message
    assert "TYPE_INT64 is inferred from model tokenizer while TYPE_INT32 is inferred from model encoder" in hit.message
    assert hit.source is not None
    assert hit.source.strip().startswith('step { model_name: "encoder"')


def test_the_message_says_that_key_and_value_are_swapped(tmp_path: Path) -> None:
    pipeline = ensemble(step_text("m", "X:A", "B:Y"))

    hits = found(RULES, repository_text(pipeline, m=model()), tmp_path)

    assert [hit.fix for hit in hits] == ['swap them: key: "A" value: "X"']


def test_the_ensembles_own_shape_is_given_the_value_to_write(tmp_path: Path) -> None:
    (hit,) = found(RULES, repository_text(ensemble(inputs=("X FP32 -1,4",)), m=model()), tmp_path)

    assert hit.fix == "write dims: [4] for the ensemble's input X"
    assert hit.line == 3


def test_large_ensembles_are_judged_quickly(tmp_path: Path) -> None:
    names = ["IN", *(f"t{number}" for number in range(1500)), "OUT"]
    steps = [step_text("m", f"A:{one}", f"B:{other}") for one, other in pairwise(names)]

    assert not errors(repository_text(ensemble_text(*steps), m=model()), tmp_path)


def test_a_key_that_is_no_tensor_of_the_ensemble_either_is_not_swapped(tmp_path: Path) -> None:
    pipeline = ensemble(step_text("m", "AA:A", "B:Y"), inputs=("A FP32 4",))
    hits = found(RULES, repository_text(pipeline, m=model()), tmp_path)
    assert [hit.fix for hit in hits if hit.rule == "TW531"] == ['write key: "A"']


def test_types_and_shapes_count_for_the_box_of_shapes() -> None:
    assert {rule.slug for rule in RULES if rule.box is Box.SHAPES} == {
        "ensemble-types-differ",
        "ensemble-shapes-differ",
    }
