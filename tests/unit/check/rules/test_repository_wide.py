"""What only a look over all models shows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from support.rule_examples import found, ids, write
from triton_watch.check.engine import run_rules
from triton_watch.check.options import Options
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope
from triton_watch.check.rules import repository_wide
from triton_watch.check.rules.repository_wide import is_slip
from triton_watch.check.summary import ModelSummary, Summaries, summarize

if TYPE_CHECKING:
    from pathlib import Path

RULES = repository_wide.RULES
GIB = 1024**3


def models(*described: tuple[str, str]) -> str:
    return "".join(
        f'--- {name}/config.pbtxt\nbackend: "onnxruntime"\n{config}\n--- {name}/1/model.onnx\nx\n'
        for name, config in described
    )


def summaries(path: Path, *, whole: bool = True) -> Summaries:
    repository = Repository(path)
    read = (repository.model(name) for name in repository.names)
    return Summaries(path, {model.name: summarize(model) for model in read if model}, whole)


def test_a_model_in_two_repositories_is_an_error_where_both_are_whole(tmp_path: Path) -> None:
    first = write(models(("ranker", ""), ("encoder", "")), tmp_path / "a")
    second = write(models(("ranker", "")), tmp_path / "b")

    def findings(*, whole: bool) -> list[str]:
        both = [summaries(first), summaries(second, whole=whole)]
        return [str(one.file) for one in run_rules(RULES, Scope.COLLECTION, both, Options())]

    assert findings(whole=True) == [str(second / "ranker")]
    assert findings(whole=False) == []  # found in some tree, not given as a repository of the same server


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("text_encoder", "text_encodr", True),
        ("text_encoder", "text_encdoer", True),
        ("text_encoder", "text_enkoder", True),
        ("text_encoder", "text_encooder", True),
        ("text_encoder", "text_encoders", False),  # a plural
        ("text_encoder", "text_decoder", False),
        ("model_1", "model_2", False),
        ("resnet_v1", "resnet_v2", False),
        ("bert_fp16", "bert_fp32", False),
        ("ranker_de", "ranker_en", False),
        ("ranker_large", "ranker_small", False),
        ("resnet50", "resnet51", False),
        ("preprocess", "postprocess", False),
        ("Encoder", "encoder", False),  # another rule's
        ("text_encoder", "text_encoder", False),
        ("text_encoder", "texts_encodr", False),
        ("dalle", "palle", False),
        ("banker", "ranker", False),  # another word
    ],
)
def test_slips_are_told_from_names_that_were_meant(first: str, second: str, expected: bool) -> None:
    assert is_slip(first, second) is expected
    assert is_slip(second, first) is expected


def test_ten_thousand_names_are_compared_in_a_second(tmp_path: Path) -> None:
    names = [f"recommendation_model_{index}_encoder" for index in range(10_000)]
    one = summarize_one(tmp_path)
    subject = Summaries(tmp_path, dict.fromkeys([*names, "text_encoder", "text_encodr"], one))

    started = time.process_time()
    findings = list(run_rules(RULES, Scope.REPOSITORY, subject, Options()))

    assert [finding.rule for finding in findings] == ["TW142"]
    assert time.process_time() - started < 10


def summarize_one(tmp_path: Path) -> ModelSummary:
    (summary,) = summaries(write(models(("ranker", "")), tmp_path / "one")).models.values()
    return summary


GPU = "instance_group [ {{ kind: KIND_GPU gpus: [ {} ] }} ]".format


@pytest.mark.parametrize(
    ("described", "gpus", "expected"),
    [
        ((("a", GPU("0")), ("b", GPU("0"))), None, []),
        ((("a", GPU("0")), ("b", GPU("0"))), 2, ["warning"]),
        ((("a", GPU("0")), ("b", GPU("1"))), 2, []),
        ((("a", GPU("0, 2")),), None, ["info"]),
        ((("a", GPU("0")), ("b", "instance_group [ { kind: KIND_GPU } ]")), 4, []),
        ((("a", GPU("0")), ("b", "")), 4, []),
        ((("a", GPU("0")), ("b", "instance_group [ { kind: KIND_CPU } ]")), 4, ["warning"]),
        ((("a", GPU("0")), ("b", "instance_group [ { kind: KIND_MODEL } ]")), 4, []),
        ((("a", "instance_group [ { kind: KIND_CPU } ]"),), 4, []),
        ((("a", GPU("2000000000")),), None, []),
    ],
)
def test_idle_gpus_are_told_where_all_others_are_named(
    described: tuple[tuple[str, str], ...], gpus: int | None, expected: list[str], tmp_path: Path
) -> None:
    findings = found(RULES, models(*described), tmp_path, Options(gpus=gpus))

    assert [one.severity.value for one in findings if one.rule == "TW660"] == expected


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (("{ kind: KIND_GPU gpus: [ 0 ] }", "{ kind: KIND_GPU gpus: [ 0 ] }"), ["TW661"]),
        (("{ kind: KIND_GPU gpus: [ 0 ] }", "{ kind: KIND_GPU gpus: [ 1 ] }"), []),
        (("{ kind: KIND_GPU }", "{ kind: KIND_GPU gpus: [ 1 ] }"), ["TW661"]),
        (("{ kind: KIND_GPU }", "{ kind: KIND_GPU }"), ["TW661"]),
        (("{ kind: KIND_GPU }", "{ kind: KIND_CPU }"), []),
    ],
)
def test_the_models_of_a_gpu_are_added_up(groups: tuple[str, str], expected: list[str], tmp_path: Path) -> None:
    described = "".join(
        f'--- {name}/config.pbtxt\nbackend: "onnxruntime"\ninstance_group [ {group} ]\n'
        f"--- {name}/1/model.onnx\nsize: {9 * GIB}\n"
        for name, group in zip(("ranker", "encoder"), groups, strict=True)
    )

    assert ids(found(RULES, described, tmp_path, Options(gpu_memory=16 * GIB))) == expected


def test_a_broken_link_beside_the_models_stops_them_all(tmp_path: Path) -> None:
    broken = models(("ranker", "")) + "--- old\nlink: nowhere\n"

    assert ids(found(RULES, broken, tmp_path / "broken")) == ["TW143"]
    assert not found(RULES, broken.replace("nowhere", "ranker"), tmp_path / "whole")
