"""The response cache and decoupled models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.options import Options
from triton_watch.check.rules.cache import RULES
from triton_watch.check.rules.ensemble_examples import GOOD, model_text, repository_text

if TYPE_CHECKING:
    from pathlib import Path

CACHE = "response_cache { enable: true }\n"
DECOUPLED = "model_transaction_policy { decoupled: true }\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CACHE, []),
        (CACHE + "sequence_batching { }", ["TW460"]),
        ("response_cache { } sequence_batching { }", []),
        (CACHE + DECOUPLED, ["TW461"]),
        (CACHE + "model_transaction_policy { decoupled: false }", []),
        (DECOUPLED, []),
        (CACHE + DECOUPLED + "sequence_batching { }", ["TW460", "TW461"]),
    ],
)
def test_what_cannot_be_cached_is_refused(text: str, expected: list[str], tmp_path: Path) -> None:
    assert ids(found(RULES, f'backend: "onnxruntime"\nmax_batch_size: 8\n{text}\n', tmp_path), "error") == expected


@pytest.mark.parametrize(
    ("more", "expected"), [("", []), (DECOUPLED, ["TW461"])], ids=["plain member", "decoupled member"]
)
def test_an_ensemble_is_as_decoupled_as_its_members(more: str, expected: list[str], tmp_path: Path) -> None:
    text = repository_text(GOOD + CACHE, resize=model_text(more=more))

    assert ids([hit for hit in found(RULES, text, tmp_path) if hit.model == "pipeline"], "error") == expected


@pytest.mark.parametrize(("cache", "severities"), [(None, ["info"]), (False, ["warning"]), (True, [])])
def test_a_cache_that_is_not_there_is_told(cache: bool | None, severities: list[str], tmp_path: Path) -> None:
    hits = found(RULES, f'backend: "onnxruntime"\n{CACHE}', tmp_path, Options(cache=cache))

    assert [hit.severity.value for hit in hits] == severities


@pytest.mark.parametrize(("backend", "severities"), [("vllm", ["warning"]), ("python", ["info"]), ("onnxruntime", [])])
def test_answers_that_vary_are_not_for_the_cache(backend: str, severities: list[str], tmp_path: Path) -> None:
    hits = found(RULES, f'backend: "{backend}"\n{CACHE}', tmp_path, Options(cache=True))

    assert [hit.severity.value for hit in hits] == severities


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("class TritonPythonModel:\n    def execute(self, requests):\n        return []\n", ["TW465"]),
        (
            "class TritonPythonModel:\n    def execute(self, requests):\n        requests[0].get_response_sender()\n",
            [],
        ),
        ("from base import TritonPythonModel\n", []),  # it may be asked for there
        (
            "from helper import Base\nclass TritonPythonModel(Base):\n    def execute(self, requests):\n        pass\n",
            [],
        ),
        (
            "class Base:\n    pass\nclass TritonPythonModel(Base):\n    def execute(self, requests):\n        pass\n",
            ["TW465"],
        ),
        ("def broken(\n", []),
    ],
)
def test_a_decoupled_python_model_asks_for_a_sender(code: str, expected: list[str], tmp_path: Path) -> None:
    text = f'--- model/config.pbtxt\nbackend: "python"\n{DECOUPLED}--- model/1/model.py\n{code}'

    assert ids(found(RULES, text, tmp_path)) == expected


def test_backends_with_one_answer_are_not_decoupled(tmp_path: Path) -> None:
    assert ids(found(RULES, f'backend: "tensorrt"\n{DECOUPLED}', tmp_path / "a")) == ["TW464"]
    assert not found(RULES, f'backend: "mine"\n{DECOUPLED}', tmp_path / "b")
