"""Comments silence what they name, where they stand; what is wrong with them is said."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest

from support.check_examples import write_repository
from support.check_reports import rule
from triton_watch.check.engine import run_rules
from triton_watch.check.options import Options
from triton_watch.check.pbtxt import parse_config
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Hit, Scope
from triton_watch.check.rules import RULES as ALL_RULES
from triton_watch.check.suppress import apply, drop, suppressions
from triton_watch.records import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from triton_watch.check.model import Model
    from triton_watch.check.rule import Rule


def _batches(model: Model, _options: Options) -> Iterator[Hit]:
    if model.message.max_batch_size > 1 and not model.has("dynamic_batching"):
        yield model.hit("no dynamic batcher", "max_batch_size")


def _dims(model: Model, _options: Options) -> Iterator[Hit]:
    for number, entry in enumerate(model.message.input):
        for at, dim in enumerate(entry.dims):
            if dim == 0:
                yield model.hit("a dimension of 0", "input", number, "dims", at)


def _versions(model: Model, _options: Options) -> Iterator[Hit]:
    if not any(version.folder.entries for version in model.versions):
        yield model.hit_file("empty", model.path / "1")


def _same(_subject: object, _options: Options) -> Iterator[Hit]:
    yield from ()


BATCHES = rule("TW402", "no-dynamic-batching", check=_batches)
DIMS = rule("TW304", "bad-dimension", Severity.ERROR, check=_dims)
EMPTY = rule("TW120", "empty-version", check=_versions)
TWINS = rule("TW190", "twins", scope=Scope.REPOSITORY, check=_same)
RULES = (BATCHES, DIMS, EMPTY, TWINS)
REAL = next(rule for rule in ALL_RULES if rule.scope is Scope.MODEL)

CONFIG = """\
name: "ranker"
backend: "onnxruntime"
max_batch_size: 8
input [
  {
    name: "a"
    data_type: TYPE_FP32
    dims: [ 0 ]
  },
  {
    name: "b"
    data_type: TYPE_FP32
    dims: [ 0 ]
  }
]
"""
ALL = [("TW304", 8), ("TW304", 13), ("TW402", 3)]


def model_of(config: str, folder: Path) -> Model:
    model = Repository(write_repository(f"--- ranker/config.pbtxt\n{config}--- ranker/1/model.onnx\nx", folder)).model(
        "ranker"
    )
    assert model is not None
    return model


def judged(config: str, folder: Path, rules: tuple[Rule, ...] = RULES) -> tuple[list[Finding], int]:
    model = model_of(config, folder)
    kept, count = apply(run_rules(rules, Scope.MODEL, model, Options()), model, rules)
    return sorted(kept, key=lambda one: (one.rule, one.line or 0)), count


def found(config: str, folder: Path) -> list[tuple[str, int | None]]:
    return [(one.rule, one.line) for one in judged(config, folder)[0]]


def edited(*lines: tuple[int, str]) -> str:
    """CONFIG with comments: below line N (0: at its start), or with a leading `+` at the end of line N."""
    text = CONFIG.splitlines()
    for number, comment in sorted(lines, reverse=True):
        if comment.startswith("+"):
            text[number - 1] += f"  {comment[1:]}"
        else:
            text.insert(number, comment)
    return "\n".join(text) + "\n"


def test_without_comments_nothing_is_silenced(tmp_path: Path) -> None:
    assert found(CONFIG, tmp_path) == ALL


@pytest.mark.parametrize("below", [0, 1, 3, 15])
@pytest.mark.parametrize("name", ["TW304", "tw304", "bad-dimension", "Bad-Dimension"])
def test_a_comment_outside_of_blocks_counts_for_the_whole_model(tmp_path: Path, below: int, name: str) -> None:
    findings, count = judged(edited((below, f"# triton-watch: ignore={name} it is broken")), tmp_path)
    assert [one.rule for one in findings] == ["TW402"]
    assert count == 2


@pytest.mark.parametrize(
    "comment",
    [
        "# triton-watch: ignore=TW304,TW402 reason",
        "# triton-watch: ignore=TW304, TW402 reason",
        "#triton-watch:ignore = TW304 , TW402: reason",
        "## Triton-Watch: Ignore=bad-dimension,no-dynamic-batching - reason",
        "# triton-watch: ignore=TW304,TW402, reason",
    ],
)
def test_several_rules_stand_with_commas_between_them(tmp_path: Path, comment: str) -> None:
    assert judged(edited((0, comment.replace("##", "#"))), tmp_path) == ([], 3)


def test_a_comment_at_the_end_of_a_line_counts_for_the_line(tmp_path: Path) -> None:
    assert found(edited((8, "+# triton-watch: ignore=TW304 a")), tmp_path) == [("TW304", 13), ("TW402", 3)]


def test_a_comment_inside_a_block_counts_for_the_field_below_it(tmp_path: Path) -> None:
    assert found(edited((12, "    # triton-watch: ignore=TW304 b")), tmp_path) == [("TW304", 8), ("TW402", 3)]


def test_the_field_below_is_silenced_to_its_end_past_other_comments(tmp_path: Path) -> None:
    config = edited((4, "  # triton-watch: ignore=TW304 a\n  # something else {"))
    assert found(config, tmp_path) == [("TW304", 15), ("TW402", 3)]


def test_a_comment_at_the_end_of_a_block_is_about_nothing_behind_it(tmp_path: Path) -> None:
    config = edited((8, "    # triton-watch: ignore=TW304 too late"))
    assert found(config, tmp_path) == [("TW002", 9), ("TW304", 8), ("TW304", 14), ("TW402", 3)]


def test_brackets_in_quotes_and_comments_make_no_block(tmp_path: Path) -> None:
    config = 'name: "ran{[<" # {\nparameters { key: "\\"{" value { string_value: \'{\' } }\nmax_batch_size: 2\n'
    assert found(config, tmp_path) == [("TW402", 3)]
    assert found(f"{config}# triton-watch: ignore=TW402 x\n", tmp_path / "with") == []


def test_a_finding_without_a_line_heeds_comments_for_the_whole_model_alone(tmp_path: Path) -> None:
    config = edited((0, "# triton-watch: ignore=TW120 built later"), (3, "+# triton-watch: ignore=TW402 x"))
    example = f"--- ranker/config.pbtxt\n{config}--- ranker/1/"
    model = Repository(write_repository(example, tmp_path)).model("ranker")
    assert model is not None
    before = list(run_rules(RULES, Scope.MODEL, model, Options()))
    assert ("TW120", None) in [(one.rule, one.line) for one in before]
    kept, count = apply(before, model, RULES)
    assert {one.rule for one in kept} == {"TW304"}
    assert count == 2


def test_findings_of_whole_repositories_are_silenced_by_the_comments_that_travelled(tmp_path: Path) -> None:
    model = model_of(edited((0, "# triton-watch: ignore=twins on purpose")), tmp_path)
    assert model.config is not None
    comments = pickle.loads(pickle.dumps(suppressions(model.config)))  # noqa: S301  # our own bytes
    twin = Finding("TW190", "twins", Severity.WARNING, BATCHES.confidence, "twins", "ranker", str(model.config_path), 1)
    other = Finding("TW191", "others", Severity.WARNING, BATCHES.confidence, "x", "ranker", str(model.config_path), 1)
    assert drop([twin, other], comments, str(model.config_path)) == ([other], [twin])


def one_fault(config: str, folder: Path) -> Finding:
    (fault,) = [one for one in judged(config, folder)[0] if one.rule.startswith("TW00")]
    return fault


def test_a_suppression_that_is_not_needed_is_a_finding(tmp_path: Path) -> None:
    fault = one_fault(edited((0, "# triton-watch: ignore=TW120,TW402 x")), tmp_path)
    assert (fault.rule, fault.slug, fault.severity, fault.line, fault.column) == (
        "TW002", "unused-suppression", Severity.WARNING, 1, 1,
    )  # fmt: skip
    assert fault.message == "TW120 (empty-version) finds nothing here: the suppression is not needed"
    assert fault.fix == "remove TW120"
    assert fault.source == "# triton-watch: ignore=TW120,TW402 x"
    assert fault.width == len(fault.source)
    assert fault.model == "ranker"


def test_a_suppression_on_the_wrong_line_says_where_the_finding_is(tmp_path: Path) -> None:
    fault = one_fault(edited((1, "+# triton-watch: ignore=TW304 x")), tmp_path)
    assert fault.message.endswith("finds nothing in line 1, which this comment is about, but in line 8 and 13")
    assert fault.fix is not None
    assert "for the whole model" in fault.fix


def test_a_finding_that_two_comments_silence_makes_neither_unused(tmp_path: Path) -> None:
    config = edited((0, "# triton-watch: ignore=TW402 x"), (3, "+# triton-watch: ignore=TW402 y"))
    assert "TW002" not in dict(found(config, tmp_path))


def test_an_unknown_rule_is_a_finding_that_names_the_nearest(tmp_path: Path) -> None:
    fault = one_fault(edited((0, "# triton-watch: ignore=no-dynamic-baching x")), tmp_path)
    assert (fault.rule, fault.message) == ("TW003", "there is no rule no-dynamic-baching")
    assert fault.fix == "write TW402"


def test_a_missing_reason_is_advice(tmp_path: Path) -> None:
    fault = one_fault(edited((0, "# triton-watch: ignore=TW402")), tmp_path)
    assert (fault.rule, fault.severity) == ("TW004", Severity.INFO)
    assert fault.fix == "write it behind the rule: `# triton-watch: ignore=TW402 because …`"


@pytest.mark.parametrize(
    "comment",
    [
        "# triton-watch: ignore TW402 x",
        "# triton-watch ignore=TW402",
        "# triton_watch: ignore=TW402",
        "# triton-watch: ingore=TW402 x",
        "# triton-watch: disable=TW402 x",
        "# triton-watch: ignore=",
        "# triton-watch: noqa",
    ],
)
def test_a_comment_that_means_to_be_a_suppression_and_is_none_is_a_finding(tmp_path: Path, comment: str) -> None:
    assert found(edited((0, comment)), tmp_path)[0] == ("TW005", 1)


@pytest.mark.parametrize(
    "comment", ["# checked with triton-watch: ignore=TW402", "# triton-watch checks this file", "# ignore=TW402", "#"]
)
def test_other_comments_are_left_alone(tmp_path: Path, comment: str) -> None:
    assert [one for one, _ in found(edited((0, comment)), tmp_path)] == ["TW304", "TW304", "TW402"]


@pytest.mark.parametrize("name", ["TW002", "TW004", "unused-suppression"])
def test_rules_about_suppressions_cannot_be_silenced(tmp_path: Path, name: str) -> None:
    faults = found(edited((0, f"# triton-watch: ignore={name}")), tmp_path)
    assert [one for one, line in faults if line == 1] == ["TW002", "TW004"]


def test_a_comment_for_a_rule_that_did_not_run_or_sees_whole_repositories_is_not_called_unused(tmp_path: Path) -> None:
    config = CONFIG.replace("max_batch_size: 8", "max_batch_size: 1")
    findings, _ = judged(f"# triton-watch: ignore={REAL.id},twins x\n{config}", tmp_path, (DIMS, TWINS))
    assert {one.rule for one in findings} == {"TW304"}


def test_nothing_is_called_unused_where_the_configuration_cannot_be_read(tmp_path: Path) -> None:
    broken = "# triton-watch: ignore=TW402 x\nname: 3\nmax_batch_size: 1\n"
    assert "TW002" not in dict(found(broken, tmp_path))


def test_nothing_is_called_unused_in_a_file_without_its_model() -> None:
    (one,) = suppressions(parse_config(b"# triton-watch: ignore=TW402 x\n"), whole=False)
    assert not one.judged


def test_many_comments_and_brackets_take_no_longer_than_they_should() -> None:
    comments = "# triton-watch: ignore=TW304 x\n" * 20_000
    blocks = "input {\n # triton-watch: ignore=TW304 x\n dims: 1 }\n" * 5_000
    quotes = '"\\' * 200_000
    for text in (comments, blocks, f"# triton-watch: ignore=TW402 x\nname: {quotes}"):
        assert 1 <= len(suppressions(parse_config(text.encode()))) <= 1000
