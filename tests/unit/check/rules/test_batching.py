"""max_batch_size, preferred sizes, and models that ought to batch."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.rule_examples import found, ids
from triton_watch.check.options import Options
from triton_watch.check.repository import Repository
from triton_watch.check.rules.batching import RULES, preferred_sizes

if TYPE_CHECKING:
    from triton_watch.check.model import Model

HEAD = 'backend: "onnxruntime"\nmax_batch_size: 8\n'
IO = (
    'input { name: "A" data_type: TYPE_FP32 dims: [ 4 ] }\noutput { name: "B" data_type: TYPE_FP32 dims: [ 4 ] }\n'
    "dynamic_batching { }\n"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max_batch_size: -1", ["TW400"]),
        ("max_batch_size: -1 dynamic_batching { preferred_batch_size: 4 }", ["TW400"]),
        ("max_batch_size: -1 dynamic_batching { preferred_batch_size: 0 }", ["TW400", "TW401"]),
        ("max_batch_size: 0", []),
        ("max_batch_size: 2147483647", []),
        ("max_batch_size: 8 dynamic_batching { preferred_batch_size: [ 1, 8 ] }", []),
        ("max_batch_size: 8 dynamic_batching { preferred_batch_size: 9 }", ["TW402"]),
        ("max_batch_size: 8 dynamic_batching { preferred_batch_size: [ 9, 0, 10 ] }", ["TW401", "TW402"]),
        ("max_batch_size: 0 dynamic_batching { preferred_batch_size: 1 }", ["TW402"]),
        ("dynamic_batching { preferred_batch_size: 1 }", ["TW402"]),
        ("max_batch_size: 8 dynamic_batching { preferred_batch_size: [ ] }", []),
        ("max_batch_size: 8 sequence_batching { oldest { preferred_batch_size: 9 } }", ["TW402"]),
        ("max_batch_size: 8 sequence_batching { oldest { preferred_batch_size: [ 0, 8 ] } }", ["TW401"]),
        ("sequence_batching { oldest { preferred_batch_size: 1 } }", ["TW402"]),
        ("max_batch_size: 8 sequence_batching { direct { } }", []),
    ],
)
def test_triton_refuses_batch_sizes_that_are_none_and_nothing_else(
    text: str, expected: list[str], tmp_path: Path
) -> None:
    assert ids(found(RULES, f'backend: "onnxruntime"\n{text}\n', tmp_path), "error") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('backend: "onnxruntime"\nmax_batch_size: 2\n', ["TW403"]),
        ('backend: "onnxruntime"\nmax_batch_size: 2\ndynamic_batching { }\n', []),
        ('backend: "onnxruntime"\nmax_batch_size: 2\nsequence_batching { }\n', []),
        ('backend: "onnxruntime"\nmax_batch_size: 1\n', ["TW404"]),
        ('backend: "onnxruntime"\nmax_batch_size: 0\n', ["TW404"]),
        ('backend: "onnxruntime"\n', []),  # the backend fills in max_batch_size and dynamic_batching
        (f'backend: "onnxruntime"\n{IO}', ["TW405"]),
        ('backend: "pytorch"\n', ["TW404"]),
        ('backend: "pytorch"\ndynamic_batching { }\n', ["TW405"]),
        ('backend: "onnxruntime"\nmax_batch_size: 1\ndynamic_batching { }\n', ["TW405"]),
        ('backend: "onnxruntime"\nsequence_batching { }\nmax_batch_size: 0\n', []),
        ('backend: "vllm"\nmax_batch_size: 0\n', []),
        ('backend: "tensorrtllm"\nmax_batch_size: 64\n', []),
        ('platform: "ensemble"\nmax_batch_size: 8\nensemble_scheduling { }\n', []),
        ("--- model/1/model.onnx\nx\n", []),  # no configuration at all is another red line
        ('backend: "onnxruntime"\nmax_batch_size: 8\ninstance_group { coun: 1 }\n', []),  # the rest may be unread
    ],
)
def test_models_that_do_not_batch_cross_a_red_line(text: str, expected: list[str], tmp_path: Path) -> None:
    hits = found(RULES, text, tmp_path)

    assert ids(hits) == expected
    assert all(hit.red_line and hit.severity.value == "warning" for hit in hits)


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ('backend: "python"\nmax_batch_size: 0\ninput { name: "A" }\noutput { name: "B" }\n', "medium"),
        ('backend: "onnxruntime"\nmax_batch_size: 0\n', "high"),
        (f"{HEAD}model_transaction_policy {{ decoupled: true }}\n", "medium"),
        (HEAD, "high"),
    ],
)
def test_models_that_may_have_a_reason_are_judged_with_less_confidence(
    text: str, confidence: str, tmp_path: Path
) -> None:
    assert [hit.confidence.value for hit in found(RULES, text, tmp_path)] == [confidence]


def test_the_finding_points_at_the_size(tmp_path: Path) -> None:
    hit = found(RULES, HEAD + "dynamic_batching {\n  preferred_batch_size: [ 4, 16 ]\n}\n", tmp_path)[0]

    assert (hit.line, hit.column, hit.source) == (4, 30, "  preferred_batch_size: [ 4, 16 ]")


@given(largest=st.integers(0, 20), sizes=st.lists(st.integers(-3, 25), max_size=6))
def test_a_model_is_refused_exactly_when_a_size_is_no_batch_of_it(largest: int, sizes: list[int]) -> None:
    def refused(model: Model) -> bool:
        return any(True for rule in RULES[1:3] for _ in rule.check(model, Options()))

    model = _model(f"max_batch_size: {largest} dynamic_batching {{ preferred_batch_size: {sizes} }}")

    assert [size for _, _, size in preferred_sizes(model)] == sizes
    assert refused(model) == any(not 0 < size <= largest for size in sizes)


def _model(text: str) -> Model:
    with TemporaryDirectory() as folder:
        path = Path(folder, "some.pbtxt")
        path.write_text(text)
        model = Repository(path.parent, loose=path).model("some")
        assert model is not None
        assert model.message is not None
        return model


def test_the_sizes_of_one_list_are_one_finding(tmp_path: Path) -> None:
    (one,) = found(RULES, f"{HEAD}dynamic_batching {{ preferred_batch_size: [ 4, 16, 32, 16 ] }}\n", tmp_path)
    assert (one.rule, one.column) == ("TW402", 47)
    assert one.message.startswith("the preferred batch sizes 16 and 32 are above max_batch_size, 8")
    assert one.fix == "remove them, or write max_batch_size: 32 if the model takes such batches"
