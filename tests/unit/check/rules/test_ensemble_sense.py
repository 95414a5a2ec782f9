"""Ensembles that load and serve badly, and pipelines that are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids
from triton_watch.check.rules import ensemble_sense, pipelines
from triton_watch.check.rules.ensemble_examples import (
    GOOD,
    TWO,
    ensemble_text,
    model_text,
    repository_text,
    step_text,
    tensors_text,
)

if TYPE_CHECKING:
    from pathlib import Path

BATCHED = model_text(more="dynamic_batching { }\n")
HEAD = 'backend: "onnxruntime"\nmax_batch_size: 0\n'


def single(dims: str) -> str:
    return HEAD + tensors_text("input", "A", dims) + tensors_text("output", "B", dims)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (repository_text(GOOD, resize=BATCHED), []),
        (repository_text(GOOD, resize=single("[ 4 ]")), ["TW540"]),
        (repository_text(GOOD, resize=single("[ 3, 4 ]")), ["TW540"]),
        (repository_text(GOOD, resize=single("[ -1, 4 ]")), []),
        (repository_text(GOOD.replace("max_batch_size: 8", "max_batch_size: 1"), resize=single("[ 4 ]")), []),
        (repository_text(TWO, resize=BATCHED, rank=BATCHED), []),
        (repository_text(TWO, resize=BATCHED, rank=model_text()), ["TW541"]),
        (repository_text(TWO, resize=model_text(), rank=model_text()), []),  # told at each model
        (repository_text(TWO, resize=BATCHED, rank=model_text(more="sequence_batching { }\n")), []),
        (repository_text(GOOD, resize=model_text(batch=16)), ["TW542"]),
        (repository_text(TWO, resize=model_text(batch=16), rank=model_text()), []),
        (repository_text(GOOD.replace("model_version: -1", "model_version: 1"), resize=BATCHED), ["TW543"]),
        (repository_text(GOOD.replace("model_version: -1", "model_version: 9"), resize=BATCHED), []),
        (repository_text(GOOD.replace("[ 4 ]", "[ 4 ] optional: true", 1), resize=BATCHED), ["TW544"]),
        (
            repository_text(
                GOOD.replace("[ 4 ]", "[ 4 ] optional: true", 1),
                resize=BATCHED.replace("[ 4 ]", "[ 4 ] optional: true", 1),
            ),
            [],
        ),
    ],
)
def test_what_is_said_of_an_ensemble_that_loads(text: str, expected: list[str], tmp_path: Path) -> None:
    hits = found(ensemble_sense.RULES, text, tmp_path)

    assert ids(hits) == expected
    assert not ids(hits, "error")


def models(**configs: str) -> str:
    return "".join(f"--- {name}/config.pbtxt\n{config}" for name, config in configs.items())


ENCODER = model_text("TOKENS", "EMBEDDING")
RANKER = model_text("EMBEDDING", "SCORE")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (models(encoder=ENCODER, ranker=RANKER), ["ranker"]),
        (models(encoder=ENCODER, ranker=RANKER.replace("FP32", "FP16")), []),
        (models(encoder=ENCODER, ranker=RANKER.replace("[ 4 ]", "[ 5 ]")), []),
        (models(encoder=ENCODER, ranker=model_text("EMBEDDING USER", "SCORE")), []),
        (models(encoder=model_text("TOKENS", "EMBEDDING USER"), ranker=model_text("EMBEDDING USER", "S")), ["ranker"]),
        (models(encoder=ENCODER, user=model_text("ID", "USER"), ranker=model_text("EMBEDDING USER", "S")), []),
        (models(encoder=ENCODER, ranker=RANKER, bls='backend: "python"\n'), []),
        (models(a=model_text("INPUT0", "OUTPUT0"), b=model_text("OUTPUT0", "Z")), []),
        (models(echo=model_text("STATE", "STATE")), []),
        (models(encoder=ENCODER, ranker=RANKER, e=ensemble_text(step_text("ranker", "EMBEDDING:IN", "SCORE:OUT"))), []),
    ],
)
def test_a_pipeline_is_suspected_only_where_everything_fits(text: str, expected: list[str], tmp_path: Path) -> None:
    hits = found(pipelines.RULES, text, tmp_path)

    assert [hit.model for hit in hits] == expected
    assert all(hit.severity.value == "info" and hit.confidence.value == "low" for hit in hits)
