"""`triton-watch check` from outside: what it takes for what, exit codes, choices of rules, files that it writes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from triton_watch.check.output import FORMATS
from triton_watch.cli.check import command

if TYPE_CHECKING:
    from click.testing import Result

ROOT = Path(__file__).resolve().parents[3]
CLEAN = """\
backend: "identity"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 4 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
dynamic_batching { default_queue_policy { max_queue_size: 128 } }
"""
RED_LINE = CLEAN.replace("dynamic_batching { default_queue_policy { max_queue_size: 128 } }\n", "")
WARNING = CLEAN.replace("max_queue_size: 128", "max_queue_size: 4")
INFO = CLEAN + "response_cache { enable: true }\n"
ERROR = CLEAN.replace("dims: [ 4 ]", "dims: [ 0 ]", 1)
COMPOSE = """\
services:
  triton:
    image: nvcr.io/nvidia/tritonserver:24.10-py3
    command: tritonserver --model-repository=/models
"""


def write(repository: Path, config: str = CLEAN, name: str = "ranker") -> Path:
    """Write a model and return the repository."""
    (repository / name / "1").mkdir(parents=True)
    (repository / name / "1" / "weights.bin").write_bytes(b"\0\1")
    (repository / name / "config.pbtxt").write_text(config)
    return repository


def check(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments], prog_name="triton-watch check")


def report(*arguments: object) -> dict[str, Any]:
    result = check(*arguments, "--format", "json")
    assert result.exit_code in (0, 1), result.output
    loaded: dict[str, Any] = json.loads(result.stdout)
    return loaded


def rules(*arguments: object) -> list[str]:
    return sorted({finding["rule"] for finding in report(*arguments)["findings"]})


EXITS = [
    (CLEAN, (), 0),
    (INFO, (), 0),
    (WARNING, (), 0),
    (RED_LINE, (), 1),
    (ERROR, (), 1),
    (RED_LINE, ("--profile", "production"), 1),
    (RED_LINE, ("--profile", "dev"), 0),
    (ERROR, ("--profile", "dev"), 1),
    (RED_LINE, ("--fail-on", "error"), 0),
    (ERROR, ("--fail-on", "error"), 1),
    (WARNING, ("--fail-on", "warning"), 1),
    (INFO, ("--fail-on", "warning"), 0),
    (INFO, ("--fail-on", "info"), 1),
    (CLEAN, ("--fail-on", "info"), 0),
    (ERROR, ("--fail-on", "never"), 0),
    (RED_LINE, ("--fail-on", "never"), 0),
    (WARNING, ("--fail-on", "warning", "--profile", "dev"), 1),
    (ERROR, ("--ignore", "TW304"), 0),
]


@pytest.mark.parametrize(("config", "flags", "code"), EXITS)
def test_the_exit_code_says_whether_the_check_failed(
    config: str, flags: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    result = check(write(tmp_path / "models", config), *flags)
    assert result.exit_code == code, result.output


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--select", "TW304"), ["TW304"]),
        (("--select", "tw304"), ["TW304"]),
        (("--select", "invalid-dims"), ["TW304"]),
        (("--select", "TW3"), ["TW304"]),
        (("--select", "TW30,TW4"), ["TW304", "TW403"]),
        (("--select", "TW304", "--select", "TW403"), ["TW304", "TW403"]),
        (("--select", "TW3,TW4", "--ignore", "TW40"), ["TW304"]),
        (("--ignore", "TW304, no-dynamic-batching"), []),
        (("--ignore", "TW"), []),
    ],
)
def test_rules_are_chosen_by_id_slug_and_beginning_of_an_id(
    flags: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    config = ERROR.replace("dynamic_batching { default_queue_policy { max_queue_size: 128 } }\n", "")
    assert rules(write(tmp_path / "models", config), *flags) == expected


@pytest.mark.parametrize("flag", ["--select", "--ignore"])
@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("no-dynamic-batch", "did you mean no-dynamic-batching?"),
        ("TW999", "TW"),
        ("dimensions of zero", "`triton-watch rules` lists them all"),
    ],
)
def test_a_rule_that_there_is_not_is_wrong_usage(flag: str, name: str, hint: str, tmp_path: Path) -> None:
    result = check(write(tmp_path / "models"), flag, name)
    assert result.exit_code == 2
    assert f'"{name}" is no rule' in result.stderr
    assert hint in " ".join(result.stderr.split())


def test_nothing_to_check_is_an_exit_code_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = check(tmp_path / "empty")
    assert result.exit_code == 4
    assert result.stdout == ""
    text = " ".join(result.stderr.split())
    assert f"nothing to check in {tmp_path / 'empty'}: looked for a directory of models" in text
    assert check(tmp_path / "empty", "--allow-nothing").exit_code == 0


@pytest.mark.parametrize("name", ["notes.txt", "requirements", "values.yaml", "notes.json"])
def test_a_file_that_is_nothing_of_ours_is_nothing_to_check(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}\n")
    result = check(tmp_path / name)
    assert result.exit_code == 4
    assert f"triton-watch: {tmp_path / name} " in result.stderr


def test_a_path_with_nothing_is_told_beside_one_with_models(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = check(write(tmp_path / "models"), tmp_path / "empty")
    assert result.exit_code == 0
    assert f"triton-watch: there is nothing of Triton's in {tmp_path / 'empty'}" in result.stderr


@pytest.mark.parametrize("name", ["missing", "models/ranker/config.pbtxt/x", "n" * 300, "a\nb"])
def test_a_path_that_does_not_exist_is_wrong_usage(name: str, tmp_path: Path) -> None:
    write(tmp_path / "models")
    result = check(tmp_path / name)
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


def test_without_a_path_and_a_target_there_is_nothing_to_do() -> None:
    result = check()
    assert result.exit_code == 2
    assert "check what?" in result.stderr


@pytest.mark.parametrize("name", ["config.pbtxt", "triton.yaml", "models"])
def test_a_broken_link_cannot_be_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).symlink_to("nowhere")
    result = check(tmp_path / name)
    assert result.exit_code == 3
    assert result.stderr.startswith(f"triton-watch: {tmp_path / name} cannot be read (")


@pytest.mark.parametrize("name", ["config.pbtxt", "triton.yaml"])
def test_a_pipe_is_never_opened(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    line = [sys.executable, "-m", "triton_watch", "check", str(tmp_path / name)]
    result = subprocess.run(line, capture_output=True, text=True, timeout=20, check=False)
    assert result.returncode == 3
    assert result.stderr.startswith(f"triton-watch: {tmp_path / name} cannot be read (")


def test_one_model_is_checked_by_its_directory_and_by_its_configuration(tmp_path: Path) -> None:
    repository = write(tmp_path / "models", ERROR)
    write(repository, ERROR, "encoder")
    for path in (repository / "ranker", repository / "ranker" / "config.pbtxt"):
        found = report(path)
        assert found["summary"]["models"] == 1
        assert [finding["model"] for finding in found["findings"]] == ["ranker"]
        assert found["findings"][0]["file"] == str(repository / "ranker" / "config.pbtxt")


def test_a_configuration_that_lies_alone_is_judged_by_its_text(tmp_path: Path) -> None:
    path = tmp_path / "config.pbtxt"
    path.write_text(ERROR)
    assert rules(path) == ["TW304"]
    path.write_text(CLEAN)
    assert rules(path) == []
    other = tmp_path / "ranker.pbtxt"
    other.write_text(ERROR)
    assert rules(other) == ["TW304"]


@pytest.mark.parametrize(
    ("here", "path", "file"),
    [
        (".", "models", "models/ranker/config.pbtxt"),
        (".", "models/", "models/ranker/config.pbtxt"),
        (".", "./models//", "models/ranker/config.pbtxt"),
        (".", ".", "models/ranker/config.pbtxt"),
        (".", "models/ranker/", "models/ranker/config.pbtxt"),
        ("models", ".", "ranker/config.pbtxt"),
        ("models/ranker", ".", "config.pbtxt"),
        ("models/ranker", "config.pbtxt", "config.pbtxt"),
        ("models/ranker", "..", "../ranker/config.pbtxt"),
        ("models/ranker/1", "../config.pbtxt", "../config.pbtxt"),
    ],
)
def test_files_are_named_as_the_path_was_given(
    here: str, path: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "models", ERROR)
    monkeypatch.chdir(tmp_path / here)
    found = report(path)
    assert [(one["model"], one["file"], one["rule"]) for one in found["findings"]] == [("ranker", file, "TW304")]


def test_several_repositories_are_checked_at_once(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, ERROR, f"ranker_{name}") for name in ("a", "b")]
    found = report(*paths)
    assert found["summary"]["repositories"] == 2
    assert found["summary"]["models"] == 2
    assert {finding["model"] for finding in found["findings"]} == {"ranker_a", "ranker_b"}


def test_a_repository_given_twice_is_checked_once(tmp_path: Path) -> None:
    repository = write(tmp_path / "models", ERROR)
    found = report(repository, f"{repository}/", repository / "ranker")
    assert found["summary"]["repositories"] == 1
    assert len(found["findings"]) == 1


def test_a_model_of_two_repositories_is_found(tmp_path: Path) -> None:
    assert rules(write(tmp_path / "a"), write(tmp_path / "b")) == ["TW140"]


def test_a_tree_is_searched_for_repositories_and_manifests(tmp_path: Path) -> None:
    write(tmp_path / "team" / "models", ERROR)
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "compose.yaml").write_text(COMPOSE)
    write(tmp_path / ".cache" / "models", ERROR)
    found = report(tmp_path)
    assert (found["summary"]["models"], found["summary"]["manifests"]) == (1, 1)


def test_what_a_manifest_says_of_the_server_is_used_unless_the_user_knows_better(tmp_path: Path) -> None:
    repository = write(tmp_path / "models", CLEAN + "model_metrics { }\n")
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    flags = ("--select", "TW119")
    assert rules(repository, tmp_path / "compose.yaml", *flags) == ["TW119"]
    assert rules(repository, tmp_path / "compose.yaml", *flags, "--triton-version", "25.12") == []


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_can_be_read(form: str, tmp_path: Path) -> None:
    result = check(write(tmp_path / "models", ERROR), "--format", form)
    assert result.exit_code == 1
    assert "TW304" in result.stdout
    if form in ("json", "sarif"):
        assert json.loads(result.stdout)
    elif form == "junit":
        assert list(ET.fromstring(result.stdout).iter("failure"))  # noqa: S314  # our own text
    elif form == "github":
        assert re.match(r"::error (file|title)=", result.stdout)


def test_an_unknown_format_is_wrong_usage(tmp_path: Path) -> None:
    result = check(write(tmp_path / "models"), "--format", "xml")
    assert result.exit_code == 2
    assert '"xml" is no format: choose one of ' in result.stderr


def test_a_report_is_written_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    result = check(write(tmp_path / "models", ERROR), "--format", "json", "--output", path)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"1 error, 0 warnings, 0 infos: {path}" in result.stderr
    assert [finding["rule"] for finding in json.loads(path.read_text())["findings"]] == ["TW304"]


def test_a_report_that_cannot_be_written_could_not_run(tmp_path: Path) -> None:
    result = check(write(tmp_path / "models"), "--output", tmp_path / "missing" / "report")
    assert result.exit_code == 3
    assert "cannot be written" in result.stderr


def test_a_baseline_hides_what_was_there_and_not_what_is_new(tmp_path: Path) -> None:
    repository = write(tmp_path / "models", ERROR)
    baseline = tmp_path / "baseline.json"
    written = check(repository, "--write-baseline", baseline)
    assert written.exit_code == 0
    assert f"1 finding known now: {baseline}" in written.stderr
    known = report(repository, "--baseline", baseline)
    assert known["findings"] == []
    assert known["summary"]["baselined"] == 1
    write(repository, ERROR, "encoder")
    assert [one["model"] for one in report(repository, "--baseline", baseline)["findings"]] == ["encoder"]
    assert check(repository, "--baseline", baseline).exit_code == 1
    (repository / "ranker" / "config.pbtxt").write_text(CLEAN)
    assert "1 known finding" in check(repository, "--baseline", baseline).stderr


@pytest.mark.parametrize("text", [None, "", "[]", '{"version": 99, "findings": []}'])
def test_a_baseline_that_is_none_is_wrong_usage(text: str | None, tmp_path: Path) -> None:
    baseline = tmp_path / "baseline.json"
    if text is not None:
        baseline.write_text(text)
    result = check(write(tmp_path / "models"), "--baseline", baseline)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"triton-watch: {baseline}")


SECTION = "check:\n  ignore: [TW304]\n"


def test_the_section_of_the_file_in_this_directory_is_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "models", ERROR)
    monkeypatch.chdir(tmp_path)
    assert rules("models") == ["TW304"]
    (tmp_path / "triton-watch.yaml").write_text(SECTION)
    assert rules("models") == []
    (tmp_path / "triton-watch.yaml").write_text("targets:\n  - url: http://localhost:8000\n")
    assert rules("models") == ["TW304"]


@pytest.mark.parametrize(
    ("section", "config", "code"),
    [
        ("ignore: [TW304]", ERROR, 0),
        ("select: [TW4]", ERROR, 0),
        ("fail_on: warning", WARNING, 1),
        ("fail_on: never", ERROR, 0),
        ("profile: dev", RED_LINE, 0),
        ("latency_objective: 1ms\n  fail_on: warning", CLEAN, 0),
    ],
)
def test_the_section_of_a_named_file_is_heeded(section: str, config: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(f"check:\n  {section}\n")
    result = check(write(tmp_path / "models", config), "--config", tmp_path / "ours.yaml")
    assert result.exit_code == code, result.output


def test_flags_win_over_the_section(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text("check:\n  fail_on: never\n  profile: dev\n  select: [TW4]\n")
    repository = write(tmp_path / "models", ERROR)
    flags = ("--config", tmp_path / "ours.yaml", "--select", "TW3", "--fail-on", "error")
    assert check(repository, *flags).exit_code == 1


@pytest.mark.parametrize(
    "section",
    [
        "check:\n  profil: dev\n",
        "check:\n  gpus: many\n",
        "check: [\n",
        "check:\n  ignore: [TW9999]\n",
        "check:\n  fail_on: x\n",
    ],
)
def test_a_bad_section_is_wrong_usage(section: str, tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(section)
    result = check(write(tmp_path / "models"), "--config", tmp_path / "ours.yaml")
    assert result.exit_code == 2
    assert result.stderr
    assert "Traceback" not in result.output


def test_a_config_file_that_is_not_there_could_not_be_read(tmp_path: Path) -> None:
    result = check(write(tmp_path / "models"), "--config", tmp_path / "missing.yaml")
    assert result.exit_code in (2, 3)
    assert "missing.yaml" in result.stderr


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--gpu-memory", "plenty"),
        ("--gpu-memory", "-1GiB"),
        ("--latency-objective", "soon"),
        ("--latency-objective", "200"),
        ("--triton-version", "2.51"),
        ("--triton-version", "24.13"),
        ("--gpus", "-1"),
        ("--gpus", "two"),
        ("--jobs", "0"),
        ("--profile", "staging"),
        ("--fail-on", "red-line"),
    ],
)
def test_nonsense_in_a_flag_is_wrong_usage(flag: str, value: str, tmp_path: Path) -> None:
    result = check(write(tmp_path / "models"), flag, value)
    assert result.exit_code == 2
    assert flag in result.stderr


@pytest.mark.parametrize(
    ("flag", "value", "config", "rule"),
    [
        ("--gpus", "1", CLEAN.replace("KIND_CPU", "KIND_GPU gpus: [ 1 ]"), "TW604"),
        ("--gpu-memory", "1B", CLEAN.replace("KIND_CPU", "KIND_GPU"), "TW650"),
        ("--latency-objective", "1ms", CLEAN.replace("g { d", "g { max_queue_delay_microseconds: 2000 d"), "TW411"),
        ("--triton-version", "24.10", CLEAN + "model_metrics { }\n", "TW119"),
    ],
)
def test_what_the_user_knows_of_the_server_is_used(
    flag: str, value: str, config: str, rule: str, tmp_path: Path
) -> None:
    repository = write(tmp_path / "models", config)
    assert report(repository, "--select", rule, flag, value)["findings"]


def test_suppressed_findings_are_counted(tmp_path: Path) -> None:
    config = "# triton-watch: ignore=TW304 zero on purpose\n" + ERROR
    found = report(write(tmp_path / "models", config))
    assert found["findings"] == []
    assert found["summary"]["suppressed"] == 1


def test_with_diff_and_nothing_to_check_the_exit_code_is_that_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert check(tmp_path / "empty", "--diff").exit_code == 4
    assert check(tmp_path / "empty", "--fix").exit_code == 4


def test_a_baseline_counts_however_the_path_is_spelled(tmp_path: Path) -> None:
    repository = write(tmp_path / "models", ERROR)
    baseline = tmp_path / "baseline.json"
    check(repository, "--write-baseline", baseline)
    for path in (next(repository.iterdir()), next(repository.glob("*/config.pbtxt"))):
        result = check(path, "--baseline", baseline)
        assert (result.exit_code, "not found any more" in result.stderr) == (0, False)


def test_a_server_that_does_not_answer_costs_the_exit_code_and_not_the_report(tmp_path: Path) -> None:
    result = check(write(tmp_path / "models", ERROR), "--target", "http://127.0.0.1:9", "--format", "json")
    assert result.exit_code == 3
    assert "refused the connection" in result.stderr
    assert json.loads(result.stdout)["summary"]["errors"] == 1


def test_nothing_allowed_still_gives_a_report_that_programs_can_read(tmp_path: Path) -> None:
    result = check(tmp_path, "--allow-nothing", "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["findings"] == []


def test_a_diff_that_would_change_something_fails_as_a_gate_does(tmp_path: Path) -> None:
    repository = write(tmp_path / "models", 'backend: "python"\nmax_batch_size: 8\n')
    assert check(repository, "--diff").exit_code == 1
    assert check(repository, "--fix").exit_code in {0, 1}
    assert check(repository, "--diff").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"), [(("",), "a PATH is empty"), ((".", "--timeout", "3s"), "--timeout is about")]
)
def test_what_was_surely_not_meant_is_wrong_usage(arguments: tuple[str, ...], words: str) -> None:
    result = check(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_boxes_about_what_nobody_could_read_are_not_ticked(tmp_path: Path) -> None:
    result = check(write(tmp_path / "models", "max_batch_size: {\n"), "--format", "json")
    states = {box["item"]: box["state"] for box in json.loads(result.stdout)["checklist"]}
    assert states["Model repository structured correctly"] == "failed"
    assert states["Dynamic batching configured"] == "not checked"


HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


@pytest.mark.parametrize(
    ("hook", "name", "text"),
    [
        ("triton-watch-check", "ranker/config.pbtxt", ERROR),
        ("triton-watch-check-manifests", "deploy/compose.yaml", COMPOSE),
    ],
)
def test_a_pre_commit_hook_judges_the_files_that_it_is_given(hook: str, name: str, text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "models") / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    program, *arguments = HOOKS[hook]["entry"].split()
    assert (program, arguments.pop(0)) == ("triton-watch", "check")
    assert check(*arguments, path).exit_code == 1


def test_the_manifest_hook_lets_other_yaml_pass(tmp_path: Path) -> None:
    (tmp_path / "ci.yaml").write_text("a: 1\n")
    arguments = HOOKS["triton-watch-check-manifests"]["entry"].split()[2:]
    assert check(*arguments, tmp_path / "ci.yaml").exit_code == 0
