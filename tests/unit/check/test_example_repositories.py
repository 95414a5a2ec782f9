"""The repositories of `examples/`: in the broken one every rule finds something, in the other one there is advice."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from support import rule_examples
from support.broken_repository import REPOSITORY, ROOT, SUMMARY, found_rules
from triton_watch.check.options import Options
from triton_watch.check.rule import Scope
from triton_watch.check.rules import RULES
from triton_watch.cli.check import command

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.check.rule import Rule

OF_MODELS = tuple(
    rule for rule in RULES if rule.id[2] in "123456" and rule.scope in (Scope.MODEL, Scope.REPOSITORY, Scope.COLLECTION)
)
NOT_IN_GIT = {
    "TW108": "git keeps no modes of directories, and 20,000 entries are too many",
    "TW128": "git keeps no empty directories",
    "TW132": "the files must be larger than 10 MiB",
    "TW140": "it takes two repositories",
    "TW237": "git keeps one mode of files only",
    "TW550": "where there are Python models, they may call the others themselves",
    "TW660": "other models of the repository run on all GPUs",
}
WITHOUT_COMMENT = {"missing_config": {"TW100"}}
PLACES = ("config.pbtxt", "config.pbtx", "config.pbtxt/README", "notes.txt", "ranker/config.pbtxt")
"""Where the sentence about a model stands, the latter where its config.pbtxt is what is wrong."""
SENTENCE = re.compile(r"\ufeff?(?:# )?(?:Wrong on purpose \((TW\d+(?:, TW\d+)*)\)|Nothing is wrong here): [^\n]+\.\n")
LARGEST = 20_000


@cache
def found() -> dict[str, list[str]]:
    return found_rules()


def directories() -> list[Path]:
    return [path for path in sorted(REPOSITORY.iterdir()) if path.is_dir()]


def meant(model: Path) -> set[str]:
    """The rules that the first line of a model's configuration names."""
    if model.name in WITHOUT_COMMENT:
        return WITHOUT_COMMENT[model.name]
    text = next((model / place).read_text(encoding="utf-8") for place in PLACES if (model / place).is_file())
    sentence = SENTENCE.match(text)
    assert sentence is not None, f"{model.name} does not begin with a sentence about what is wrong: {text[:100]!r}"
    return set((sentence[1] or "").split(", ")) - {""}


@pytest.mark.parametrize("rule", OF_MODELS, ids=lambda rule: rule.id)
def test_every_rule_about_models_finds_something_in_the_broken_repository(rule: Rule) -> None:
    somewhere = {one for ids in found().values() for one in ids}
    assert (rule.id in somewhere) != (rule.id in NOT_IN_GIT)


def test_no_rule_crashes_on_the_broken_repository() -> None:
    assert not [key for key, ids in found().items() if "TW001" in ids]


@pytest.mark.parametrize("model", directories(), ids=lambda path: path.name)
def test_in_a_broken_model_is_found_what_its_first_line_says_and_nothing_else(model: Path) -> None:
    assert set(found().get(model.name, [])) == meant(model)


def test_the_summary_of_the_broken_repository_is_the_recorded_one() -> None:
    recorded = json.loads(SUMMARY.read_text(encoding="utf-8"))
    assert found() == recorded, "run `python tests/support/broken_repository.py` and look at the difference"


def test_the_broken_repository_is_one_that_git_keeps() -> None:
    paths = [path for path in REPOSITORY.rglob("*") if not path.is_symlink()]
    assert not [path for path in paths if path.is_dir() and not any(path.iterdir())]
    assert not [path for path in paths if path.is_file() and path.stat().st_size > LARGEST]
    assert not [path for path in paths if not (path.is_dir() or path.is_file())]


@pytest.mark.parametrize("rule_id", sorted(set(NOT_IN_GIT) - {"TW108", "TW140", "TW237"}))
def test_what_git_cannot_keep_is_found_in_an_example_of_the_rule(rule_id: str, tmp_path: Path) -> None:
    rule = next(rule for rule in RULES if rule.id == rule_id)
    assert rule_examples.ids(rule_examples.found([rule], rule.bad, tmp_path, Options())) == [rule_id]


def test_a_model_of_more_than_20000_entries_is_found(tmp_path: Path) -> None:
    model = tmp_path / "models" / "ranker"
    (model / "1").mkdir(parents=True)
    (model / "config.pbtxt").write_text('backend: "onnxruntime"\n')
    for number in range(20_000):
        (model / f"shard_{number}").touch()
    assert "TW108" in _ids(tmp_path / "models")


def test_a_model_in_two_repositories_is_found(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "ranker" / "1").mkdir(parents=True)
        (tmp_path / name / "ranker" / "config.pbtxt").write_text('backend: "onnxruntime"\n')
    assert "TW140" in _ids(tmp_path / "a", tmp_path / "b")
    assert "TW140" not in _ids(tmp_path / "a")


def _ids(*paths: Path) -> set[str]:
    result = CliRunner().invoke(command, [*map(str, paths), "--format", "json", "--fail-on", "never"])
    assert result.exit_code == 0, result.output
    return {finding["rule"] for finding in json.loads(result.stdout)["findings"]}


ADVICE = {
    "recommender": {"TW462", "TW463"},
    "text_encoder": {"TW412"},
}
"""What is found in `examples/model_repository`, all of it infos."""


def test_in_the_good_repository_only_advice_is_found() -> None:
    result = CliRunner().invoke(command, [str(ROOT / "examples" / "model_repository"), "--format", "json"])
    report = json.loads(result.stdout)
    rules: dict[str, set[str]] = {}
    for finding in report["findings"]:
        rules.setdefault(finding["model"], set()).add(finding["rule"])
    assert rules == ADVICE
    assert {finding["severity"] for finding in report["findings"]} == {"info"}
    assert result.exit_code == 0
    assert [box["state"] for box in report["checklist"]].count("failed") == 0
