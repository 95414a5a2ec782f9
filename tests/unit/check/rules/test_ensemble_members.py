"""The models that an ensemble calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.check_examples import write_repository
from support.rule_examples import found, ids
from triton_watch.check.engine import run_rules
from triton_watch.check.options import Options
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope
from triton_watch.check.rules.ensemble_examples import GOOD, ensemble_text, model_text, repository_text, step_text
from triton_watch.check.rules.ensemble_members import RULES
from triton_watch.check.summary import Summaries, summarize

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import Finding

MODEL = model_text()


def calls(name: str) -> str:
    return ensemble_text(step_text(name, "IN:IN", "OUT:OUT"))


def pinned(version: str) -> str:
    return ensemble_text(step_text("resize", "A:IN", "B:OUT", version))


def of(model: str, findings: list[Finding]) -> list[str]:
    return ids([one for one in findings if one.model == model])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (repository_text(GOOD, resize=MODEL), []),
        (repository_text(GOOD), ["TW520"]),
        (repository_text(GOOD, Resize=MODEL), ["TW520"]),
        (repository_text(GOOD, resize=model_text(batch=-1)), ["TW521"]),
        (repository_text(GOOD, resize="max_batch_size 8\n"), ["TW521"]),
        (repository_text(calls("other"), other=GOOD, resize=MODEL), []),
        (repository_text(calls("other"), other=GOOD), ["TW521"]),
        (repository_text(calls("other"), other=GOOD, resize=model_text(batch=-1)), ["TW521"]),
        (repository_text(calls("other"), other=GOOD, resize=model_text(batch=4)), ["TW521"]),
        (repository_text(calls("pipeline")), ["TW522"]),
        (repository_text(calls("other"), other=calls("pipeline")), ["TW522"]),
        (repository_text(calls("a"), a=calls("b"), b=calls("pipeline")), ["TW522"]),
        (repository_text(calls("a"), a=calls("b"), b=calls("a")), ["TW522"]),
        (repository_text(calls("a"), a=calls("b"), b=GOOD, resize=MODEL), []),
    ],
)
def test_an_ensemble_loads_when_all_below_it_does(text: str, expected: list[str], tmp_path: Path) -> None:
    assert of("pipeline", found(RULES, text, tmp_path)) == expected


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345"


def test_what_only_a_backend_refuses_is_told_apart(tmp_path: Path) -> None:
    text = repository_text(calls("other"), other=GOOD, resize=MODEL).replace("a model", POINTER)
    hits = found(RULES, text, tmp_path)

    assert {hit.model: hit.rule for hit in hits} == {"pipeline": "TW524", "other": "TW524"}


VERSIONS = "--- resize/2/model.onnx\nx\n"


@pytest.mark.parametrize(
    ("version", "member", "more", "expected"),
    [
        ("model_version: -1", MODEL, "", []),
        ("model_version: 1", MODEL, "", []),
        ("model_version: 2", MODEL, "", ["TW523"]),
        ("model_version: -2", MODEL, "", ["TW523"]),
        ("model_version: 0", MODEL, "", ["TW523"]),
        ("", MODEL, "", ["TW523"]),
        ("", MODEL, "--- resize/0/model.onnx\nx\n", ["TW523"]),
        ("", MODEL + "version_policy { all { } }\n", "--- resize/0/model.onnx\nx\n", []),
        ("model_version: 1", MODEL, VERSIONS, ["TW523"]),
        ("model_version: 2", MODEL, VERSIONS, []),
        ("model_version: 1", MODEL + "version_policy { all { } }\n", VERSIONS, []),
        ("model_version: 1", MODEL + "version_policy { latest { num_versions: 2 } }\n", VERSIONS, []),
        ("model_version: 2", MODEL + "version_policy { specific { versions: 1 } }\n", VERSIONS, ["TW523"]),
        ("model_version: 1", MODEL + "version_policy { specific { versions: [ 1, 5 ] } }\n", VERSIONS, []),
    ],
)
def test_a_step_asks_for_a_version_that_is_loaded(
    version: str, member: str, more: str, expected: list[str], tmp_path: Path
) -> None:
    assert of("pipeline", found(RULES, repository_text(pinned(version), resize=member) + more, tmp_path)) == expected


def test_a_version_left_out_is_explained(tmp_path: Path) -> None:
    (hit,) = found(RULES, repository_text(pinned(""), resize=MODEL), tmp_path)

    assert "what is left out is 0" in hit.message
    assert hit.fix == "write model_version: -1 for the newest version"


def test_a_missing_member_is_looked_for_under_similar_names(tmp_path: Path) -> None:
    (hit,) = found(RULES, repository_text(GOOD, resise=MODEL), tmp_path)

    assert hit.fix == 'write model_name: "resise"'
    assert (hit.model, hit.line) == ("pipeline", 6)


def test_a_circle_is_shown_from_the_model_that_is_judged(tmp_path: Path) -> None:
    hits = found(RULES, repository_text(calls("other"), other=calls("pipeline")), tmp_path)

    shown = {hit.model: hit.message for hit in hits}
    assert "pipeline -> other -> pipeline" in shown["pipeline"]
    assert "other -> pipeline -> other" in shown["other"]


@pytest.mark.parametrize(
    ("here", "there", "whole", "severities"),
    [
        (repository_text(GOOD), f"--- resize/config.pbtxt\n{MODEL}", True, ["info"]),
        (
            repository_text(GOOD),
            f"--- resize/config.pbtxt\n{MODEL}",
            False,
            ["error"],
        ),  # found in one tree: no relation
        (repository_text(GOOD, resize=MODEL), f"--- resize/config.pbtxt\n{MODEL}", True, ["error"]),
        (repository_text(GOOD, resize=MODEL), f"--- resize/config.pbtxt\n{MODEL}", False, []),
        (repository_text(GOOD, resize=MODEL), f"--- other/config.pbtxt\n{MODEL}", True, []),
    ],
)
def test_a_member_may_be_in_another_repository_of_the_server_but_in_one_only(
    here: str, there: str, whole: bool, severities: list[str], tmp_path: Path
) -> None:
    both = []
    for number, text in enumerate((here, there)):
        path = write_repository(text, tmp_path / str(number))
        repository = Repository(path)
        models = [model for name in repository.names if (model := repository.model(name))]
        both.append(Summaries(path, {model.name: summarize(model) for model in models}, whole=whole))

    hits = list(run_rules(RULES, Scope.COLLECTION, both, Options()))

    assert [(hit.rule, hit.severity.value) for hit in hits] == [("TW520", severity) for severity in severities]


def test_members_are_found_when_only_the_ensemble_is_judged(tmp_path: Path) -> None:
    path = write_repository(repository_text(GOOD, resize=MODEL), tmp_path)
    model = Repository(path, only=frozenset({"pipeline"}), given=path / "pipeline").model("pipeline")
    assert model is not None
    summaries = [Summaries(path, {"pipeline": summarize(model)}, whole=False)]

    assert not list(run_rules(RULES, Scope.MODEL, model, Options()))
    assert not list(run_rules(RULES, Scope.COLLECTION, summaries, Options()))


def test_a_configuration_given_alone_is_not_asked_for_its_members(tmp_path: Path) -> None:
    path = tmp_path / "config.pbtxt"
    path.write_text(GOOD)
    repository = Repository(tmp_path, loose=path)
    model = repository.model(repository.names[0])
    assert model is not None
    summaries = [Summaries(tmp_path, {model.name: summarize(model)})]

    assert not list(run_rules(RULES, Scope.MODEL, model, Options()))
    assert not list(run_rules(RULES, Scope.COLLECTION, summaries, Options()))


def test_deep_nesting_and_long_circles_end_soon(tmp_path: Path) -> None:
    count = 700  # more than a repository keeps, and deep enough for a recursion to fail
    deep = {f"e{number}": calls(f"e{(number + 1) % count}") for number in range(count)}
    path = write_repository(repository_text(calls("e0"), **deep), tmp_path)
    repository = Repository(path)

    for name in ("pipeline", "e0", "e650"):
        hits = list(run_rules(RULES, Scope.MODEL, repository.model(name), Options()))
        assert ids(hits) == ["TW522"]


def test_the_fix_names_the_rule_and_the_place_of_a_members_fault(tmp_path: Path) -> None:
    member = 'backend: "onnxruntime"\ninput { name: "IN" data_type: TYPE_FP32 dims: 4 }\n'
    example = f"--- pipeline/config.pbtxt\n{GOOD}\n--- pipeline/1/\n--- resize/config.pbtxt\n{member}"
    (hit,) = [hit for hit in found(RULES, example, tmp_path) if hit.rule == "TW521"]
    assert hit.fix is not None
    assert hit.fix.startswith("mend TW120 of resize first, in ")
    assert "resize: `triton-watch rules explain TW120`" in hit.fix
