"""Mending as a whole: it ends, breaks nothing, keeps layout and comments; files, links, modes, diffs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from differential.case import CONFIG, Case, write_models
from differential.cases import load_cases
from support.broken_repository import REPOSITORY
from triton_watch.check.discover import RepositorySpec
from triton_watch.check.engine import run_rules
from triton_watch.check.fix import Fixed, LeftAlone, fix_repository, write_fixed
from triton_watch.check.options import Options
from triton_watch.check.pbtxt import parse_config
from triton_watch.check.repository import Repository
from triton_watch.check.rule import Scope
from triton_watch.check.rules import RULES
from triton_watch.check.suppress import apply
from triton_watch.cli.check import command
from triton_watch.records import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.records import Finding

OPTIONS = Options()
ADDED = "dynamic_batching {\n  default_queue_policy {\n    max_queue_size: 128\n  }\n}\n"
HEAD = 'backend: "onnxruntime"\nmax_batch_size: 8\ninstance_group { kind: KIND_CPU }\n'


def fix(repository: Path) -> list[Fixed]:
    return list(fix_repository(RepositorySpec(repository), RULES, OPTIONS))


def findings(repository: Path) -> dict[str, list[Finding]]:
    """What is found in each model, by its rules alone."""
    opened = Repository(repository)
    models = [model for name in opened.names if (model := opened.model(name))]
    return {model.name: apply(run_rules(RULES, Scope.MODEL, model, OPTIONS), model, RULES)[0] for model in models}


def errors(found: list[Finding]) -> int:
    return sum(finding.severity is Severity.ERROR for finding in found)


def require_good_mends(repository: Path) -> list[Fixed]:
    """Mend a repository, and hold the mends to what `--fix` promises."""
    fixed = fix(repository)
    if not fixed:
        return []
    before = findings(repository)
    for one in fixed:
        write_fixed(one)
    assert fix(repository) == []
    after = findings(repository)
    for one in fixed:
        name = one.path.parent.name
        old, new = parse_config(one.before.encode()), parse_config(one.after.encode())
        refused = sum(problem.refused for problem in old.problems)
        assert sum(problem.refused for problem in new.problems) <= refused
        kept = iter(comment.text for comment in new.comments)
        assert all(comment.text in kept for comment in old.comments), "comments stay, in their order"
        if not refused:
            assert errors(after[name]) <= errors(before[name])
        for rule in set(one.rules) & {finding.rule for finding in before[name]}:
            assert _count(after[name], rule) < _count(before[name], rule)
    return fixed


def _count(found: list[Finding], rule: str) -> int:
    return sum(finding.rule == rule for finding in found)


@cache
def cases() -> list[Case]:
    return load_cases()


def write_case(case: Case, folder: Path) -> list[Path]:
    repositories = []
    for number, models in enumerate(case.repositories):
        repositories.append(folder / str(number))
        write_models(models, repositories[-1])
    return repositories


@pytest.mark.parametrize("family", sorted({case.family for case in cases()}))
def test_mends_of_the_differential_cases_end_and_make_nothing_worse(family: str, tmp_path: Path) -> None:
    for case in cases():
        if case.family == family:
            for repository in write_case(case, tmp_path / case.name):
                require_good_mends(repository)


def test_mends_of_the_broken_repository_end_and_make_nothing_worse(tmp_path: Path) -> None:
    copy = tmp_path / "models"
    shutil.copytree(REPOSITORY, copy, symlinks=True)
    mended = {one.path.parent.name for one in require_good_mends(copy)}
    assert {"trailing_comma", "no_dynamic_batching", "no_instance_group", "unbounded_queue"} <= mended


LAYOUTS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "tabs": lambda text: text.replace("  ", "\t"),
    "no end of line": lambda text: text.rstrip("\n"),
    "comments": lambda text: "# first\n" + text.replace("}", "} # closed\n") + "# last",
    "one line": lambda text: text if "#" in text or "//" in text else " ".join(text.split("\n")),
    "form feeds": lambda text: text.replace("\n", " # \x0c\x0b\u2028\x85 \n"),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(cases()), st.lists(st.sampled_from(sorted(LAYOUTS)), max_size=3))
def test_mends_keep_any_layout(case: Case, layouts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        for repository in write_case(case, Path(folder)):
            for config in repository.glob(f"*/{CONFIG}"):
                _lay_out(config, layouts)
            require_good_mends(repository)


def _lay_out(config: Path, layouts: list[str]) -> None:
    if not config.is_file():
        return
    try:
        text = config.read_bytes().decode()
    except UnicodeDecodeError:
        return
    for layout in layouts:
        text = LAYOUTS[layout](text)
    config.write_bytes(text.encode())


def write(folder: Path, config: bytes | str = HEAD, name: str = "ranker") -> Path:
    """Write a model that lacks dynamic batching, and return its configuration."""
    path = folder / name / CONFIG
    (path.parent / "1").mkdir(parents=True)
    (path.parent / "1" / "model.onnx").write_text("a model\n")
    path.write_bytes(config if isinstance(config, bytes) else config.encode())
    return path


def test_a_file_that_is_not_utf_8_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, HEAD.encode() + b'name: "ranker" # \xff\n')
    assert fix(tmp_path) == []


def test_a_file_keeps_its_mode_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    config = write(tmp_path)
    config.chmod(0o640)
    require_good_mends(tmp_path)
    assert config.read_text() == HEAD + ADDED
    assert config.stat().st_mode & 0o7777 == 0o640
    assert sorted(path.name for path in config.parent.iterdir()) == ["1", CONFIG]


def test_a_link_within_the_repository_stays_one_and_its_file_is_mended(tmp_path: Path) -> None:
    config = write(tmp_path)
    real = config.rename(config.with_name("real.pbtxt"))
    config.symlink_to("real.pbtxt")
    require_good_mends(tmp_path)
    assert config.is_symlink()
    assert real.read_text() == HEAD + ADDED


def test_a_file_outside_the_repository_is_left_alone(tmp_path: Path) -> None:
    config = write(tmp_path / "models")
    config.rename(tmp_path / "elsewhere.pbtxt")
    config.symlink_to(tmp_path / "elsewhere.pbtxt")
    assert fix(tmp_path / "models") == []


def test_a_file_that_two_models_share_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, 'name: "ranker_v1"\n' + HEAD, "ranker")
    (tmp_path / "ranker_again").symlink_to("ranker")
    assert fix(tmp_path) == []


def test_only_the_model_that_was_asked_for_is_mended(tmp_path: Path) -> None:
    config = write(tmp_path)
    write(tmp_path, name="encoder")
    [fixed] = fix_repository(RepositorySpec(tmp_path, only=frozenset({"ranker"})), RULES, OPTIONS)
    assert fixed.path == config


def test_the_diff_is_one_that_git_applies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {
        "plain": HEAD,
        "odd name": HEAD,
        "crlf": HEAD.replace("\n", "\r\n"),
        "no_end": HEAD.rstrip("\n"),
        "feeds": HEAD + "# \x0c one \u2028 two \x85 three \r four\n",
        "start": "// first\n" + HEAD + "\n" * 20 + "// last",
        "mark": "\ufeff" + HEAD,
    }
    for name, text in texts.items():
        write(tmp_path / "models", text, name)
    monkeypatch.chdir(tmp_path)
    diff = CliRunner().invoke(command, ["models", "--diff"]).stdout_bytes
    assert CliRunner().invoke(command, ["models", "--diff"]).stdout_bytes == diff, "--diff writes nothing"
    git = ("git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-")
    subprocess.run(git, input=diff, check=True, env={**os.environ, "GIT_DIR": "/nowhere"})
    applied = {name: (tmp_path / "models" / name / CONFIG).read_bytes() for name in texts}
    assert all(applied[name] != text.encode() for name, text in texts.items())
    assert applied["no_end"] == (HEAD + ADDED).encode()
    assert applied["crlf"] == (HEAD + ADDED).replace("\n", "\r\n").encode()
    assert fix(tmp_path / "models") == []


def test_fix_mends_and_then_checks_what_it_wrote(tmp_path: Path) -> None:
    config = write(tmp_path)
    result = CliRunner().invoke(command, [str(tmp_path), "--fix", "--select", "TW403"])
    assert result.exit_code == 0
    assert config.read_text() == HEAD + ADDED
    assert f"mended {config} (TW403)" in result.stderr
    again = CliRunner().invoke(command, [str(tmp_path), "--fix", "--select", "TW403"])
    assert "mended" not in again.stderr


def test_only_selected_rules_are_mended(tmp_path: Path) -> None:
    config = write(tmp_path)
    CliRunner().invoke(command, [str(tmp_path), "--fix", "--ignore", "TW403"])
    assert config.read_text() == HEAD


def test_a_file_that_cannot_be_written_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    config = write(tmp_path)
    run = 'ulimit -f 0; exec "$0" -m triton_watch check "$1" --fix'  # no file may grow, not even root's
    result = subprocess.run(["sh", "-c", run, sys.executable, tmp_path], capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert result.stderr == f"triton-watch: {config} cannot be written (File too large): check its mode.\n"
    assert config.read_text() == HEAD
    assert sorted(path.name for path in config.parent.iterdir()) == ["1", CONFIG]


def test_with_diff_nothing_to_mend_is_said(tmp_path: Path) -> None:
    write(tmp_path, HEAD + ADDED)
    result = CliRunner().invoke(command, [str(tmp_path), "--diff"])
    assert result.stdout == ""
    assert "nothing that can be mended" in result.stderr


@pytest.mark.parametrize("case", ["outside", "shared", "bytes"])
def test_the_caller_is_told_of_what_is_left_alone(case: str, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    model = repository / "ranker"
    (model / "1").mkdir(parents=True)
    (model / "1/model.onnx").write_bytes(b"x")
    config = model / "config.pbtxt"
    if case == "outside":
        (tmp_path / "elsewhere.pbtxt").write_text(HEAD)
        config.symlink_to(tmp_path / "elsewhere.pbtxt")
    elif case == "shared":
        config.write_text(HEAD)
        (repository / "again").mkdir()
        (repository / "again/config.pbtxt").symlink_to("../ranker/config.pbtxt")
    else:
        config.write_bytes(HEAD.encode() + b"# \xff\n")
    left: list[LeftAlone] = []

    assert list(fix_repository(RepositorySpec(repository), RULES, OPTIONS, left.append)) == []
    told = {"outside": "outside the repository", "shared": "several models", "bytes": "not UTF-8"}[case]
    assert all(told in one.why and "TW403" in one.rules for one in left)
    assert config in [one.path for one in left]


def test_nothing_is_told_of_a_link_with_nothing_to_mend(tmp_path: Path) -> None:
    (tmp_path / "repository/ranker/1").mkdir(parents=True)
    (tmp_path / "elsewhere.pbtxt").write_text(HEAD + ADDED)
    (tmp_path / "repository/ranker/config.pbtxt").symlink_to(tmp_path / "elsewhere.pbtxt")
    left: list[LeftAlone] = []

    assert list(fix_repository(RepositorySpec(tmp_path / "repository"), RULES, OPTIONS, left.append)) == []
    assert left == []
