"""A whole run: the same findings from one process and from several, whatever lies in the repository."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from support.broken_repository import REPOSITORY
from support.check_reports import rule
from triton_watch.check.discover import RepositorySpec
from triton_watch.check.options import Options
from triton_watch.check.rules import RULES
from triton_watch.check.run import check
from triton_watch.records import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from triton_watch.check.model import Model
    from triton_watch.check.rule import Hit
    from triton_watch.check.run import Checked

CONFIG = """\
backend: "identity"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 4 ] } ]
instance_group [ { count: 1 kind: KIND_CPU } ]
dynamic_batching { default_queue_policy { max_queue_size: 128 } }
"""


def write(repository: Path, name: str, config: str = CONFIG) -> Path:
    (repository / name / "1").mkdir(parents=True)
    (repository / name / "config.pbtxt").write_text(config)
    return repository / name


def run(*repositories: Path, processes: int | None = None) -> Checked:
    return check(RULES, Options(), repositories=[RepositorySpec(path) for path in repositories], processes=processes)


def rules(checked: Checked) -> set[str]:
    return {finding.rule for finding in checked.findings}


def test_several_processes_find_the_same_as_one(tmp_path: Path) -> None:
    repository = tmp_path / "models"
    shutil.copytree(REPOSITORY, repository, symlinks=True)
    for number in range(120):
        write(repository, f"copy{number}x", CONFIG if number % 3 else CONFIG.replace("[ 4 ]", "[ 0 ]"))
    alone, together = run(repository, processes=1), run(repository, processes=3)
    assert together == alone
    assert len(alone.findings) > 300


def test_processes_share_several_repositories(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path in paths:
        for number in range(60):
            write(path, f"{path.name}{number}model", CONFIG.replace("[ 4 ]", "[ 0 ]", 1))
        write(path, "same")
    alone, together = run(*paths, processes=1), run(*paths, processes=2)
    assert together == alone
    assert sum(finding.rule == "TW140" for finding in alone.findings) == 2
    assert sum(finding.rule == "TW304" for finding in alone.findings) == 180
    assert (alone.models, alone.repositories) == (183, 3)


@pytest.mark.parametrize("processes", [1, 2])
def test_progress_is_told_up_to_the_last_model(processes: int, tmp_path: Path) -> None:
    for number in range(130):
        write(tmp_path, f"m{number}")
    steps: list[tuple[int, int]] = []
    spec = RepositorySpec(tmp_path)
    check(RULES, Options(), repositories=[spec], processes=processes, progress=lambda *step: steps.append(step))
    assert steps[-1] == (130, 130)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def _crash(_model: Model, _options: Options) -> Iterator[Hit]:
    yield from map(int, ["a defect"])


@pytest.mark.parametrize("processes", [1, 2])
def test_a_rule_that_crashes_is_a_finding_of_each_model_and_the_others_still_run(
    processes: int, tmp_path: Path
) -> None:
    for number in range(70):
        write(tmp_path, f"m{number}x", CONFIG.replace("[ 4 ]", "[ 0 ]", 1))
    broken = rule("TW999", "crashes", check=_crash)
    checked = check([broken, *RULES], Options(), repositories=[RepositorySpec(tmp_path)], processes=processes)
    crashes = [finding for finding in checked.findings if finding.rule == "TW001"]
    assert len(crashes) == 70
    assert all("a defect" in finding.message and finding.severity is Severity.WARNING for finding in crashes)
    assert sum(finding.rule == "TW304" for finding in checked.findings) == 70


def test_a_suppression_counts_for_what_is_found_over_the_whole_repository(tmp_path: Path) -> None:
    write(tmp_path, "text_encoder")
    write(tmp_path, "text-encoder")
    assert "TW141" in rules(run(tmp_path))
    comment = "# triton-watch: ignore=TW141 both are needed for a while\n"
    for name in ("text_encoder", "text-encoder"):
        (tmp_path / name / "config.pbtxt").write_text(comment + CONFIG)
    checked = run(tmp_path)
    assert "TW141" not in rules(checked)
    assert checked.suppressed == 1


def test_a_directory_of_30000_entries_is_cut_and_said(tmp_path: Path) -> None:
    folder = write(tmp_path, "ranker")
    for number in range(30_000):
        (folder / "1" / f"shard{number}").touch()
    checked = run(tmp_path)
    assert checked.models == 1
    assert "TW001" not in rules(checked)


def test_links_that_go_round_are_findings(tmp_path: Path) -> None:
    folder = write(tmp_path, "ranker")
    (folder / "2").symlink_to("2")
    (folder / "1" / "up").symlink_to(tmp_path)
    (folder / "1" / "model.onnx").symlink_to("model.onnx")
    (tmp_path / "itself").symlink_to("itself")
    assert {"TW107", "TW143"} <= rules(run(tmp_path))


@pytest.mark.parametrize("name", ["config.pbtxt", "1/model.onnx", "1/model.py", "2", "labels.txt"])
def test_a_pipe_is_never_opened(name: str, tmp_path: Path) -> None:
    folder = write(tmp_path, "ranker", CONFIG.replace('"identity"', '"onnxruntime"'))
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    checked = run(tmp_path)
    assert checked.findings
    assert "TW001" not in rules(checked)


def test_a_configuration_that_is_a_pipe_cannot_be_read(tmp_path: Path) -> None:
    folder = write(tmp_path, "ranker")
    (folder / "config.pbtxt").unlink()
    os.mkfifo(folder / "config.pbtxt")
    assert "TW102" in rules(run(tmp_path))


def test_a_tree_of_300_levels_in_a_model_does_no_harm(tmp_path: Path) -> None:
    folder = write(tmp_path, "ranker")
    deep = folder / "1"
    for _ in range(300):
        deep /= "d"
        deep.mkdir()
    assert "TW001" not in rules(run(tmp_path))


def test_a_repository_without_models_has_no_findings(tmp_path: Path) -> None:
    checked = run(tmp_path)
    assert (checked.findings, checked.models, checked.repositories) == ([], 0, 1)


def test_a_model_that_goes_away_meanwhile_is_no_crash(tmp_path: Path) -> None:
    spec = RepositorySpec(tmp_path / "gone", only=frozenset({"ranker"}))
    checked = check(RULES, Options(), repositories=[spec])
    assert "TW001" not in rules(checked)
