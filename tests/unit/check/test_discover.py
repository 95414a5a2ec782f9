"""What a path is taken for, and that no tree, however odd, stops or blocks the search."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from triton_watch.check.discover import Found, RepositorySpec, discover

MANIFEST = "services: { triton: { image: tritonserver } }\n"


def model(folder: Path, config: bool = True, file: str | None = "model.onnx") -> Path:
    """Make a directory look like a model."""
    (folder / "1").mkdir(parents=True)
    if config:
        (folder / "config.pbtxt").write_text('backend: "onnxruntime"\n')
    if file:
        (folder / "1" / file).touch()
    return folder


def found(path: Path) -> Found:
    return discover([path])


def repositories(path: Path) -> dict[str, frozenset[str] | None]:
    """Name of each repository's directory and the models that are asked for."""
    return {spec.path.name: spec.only for spec in found(path).repositories}


@pytest.mark.parametrize("file", ["model.onnx", "model.plan", "model.pt", "model.py", "model.xml"])
def test_a_directory_with_a_model_without_configuration_is_a_repository(file: str, tmp_path: Path) -> None:
    model(tmp_path / "models" / "ranker", config=False, file=file)
    assert repositories(tmp_path / "models") == {"models": None}
    assert repositories(tmp_path / "models" / "ranker") == {"models": frozenset({"ranker"})}


def test_directories_with_numbers_alone_are_no_models(tmp_path: Path) -> None:
    (tmp_path / "data" / "2024" / "1").mkdir(parents=True)
    (tmp_path / "data" / "2024" / "1" / "table.csv").touch()
    result = found(tmp_path)
    assert not result
    assert result.notes == [f"there is nothing of Triton's in {tmp_path}"]


def test_one_model_is_found_by_its_directory_and_by_its_configuration(tmp_path: Path) -> None:
    ranker = model(tmp_path / "models" / "ranker")
    expected = [RepositorySpec(tmp_path / "models", only=frozenset({"ranker"}))]
    assert found(ranker).repositories == expected
    assert found(ranker / "config.pbtxt").repositories == expected


def test_a_configuration_without_a_version_beside_it_lies_alone(tmp_path: Path) -> None:
    path = tmp_path / "config.pbtxt"
    path.touch()
    assert found(path).repositories == [RepositorySpec(tmp_path, loose=path)]


def test_models_of_one_repository_are_judged_together_and_none_twice(tmp_path: Path) -> None:
    models = tmp_path / "models"
    ranker, encoder = model(models / "ranker"), model(models / "encoder")
    assert discover([ranker, encoder, ranker]).repositories == [
        RepositorySpec(models, only=frozenset({"ranker", "encoder"}))
    ]
    assert discover([ranker, models, models, encoder]).repositories == [RepositorySpec(models)]


def test_a_tree_is_searched_but_not_where_nobody_keeps_models(tmp_path: Path) -> None:
    for place in ("team/models", ".git/models", "node_modules/models", "venv/models", "__pycache__/models"):
        model(tmp_path / place / "ranker")
    (tmp_path / "deploy").mkdir()
    for name in ("compose.yml", "k8s.YAML", "other.txt", "values.json"):
        (tmp_path / "deploy" / name).write_text(MANIFEST)
    (tmp_path / "deploy" / "unrelated.yaml").write_text("a: 1\n")
    result = found(tmp_path)
    assert result.repositories == [RepositorySpec(tmp_path / "team" / "models", found=True)]
    assert sorted(path.name for path in result.manifests) == ["compose.yml", "k8s.YAML"]
    assert result.given_manifests == []


@pytest.mark.parametrize("name", ["compose.yaml", "k8s.yml", "pod.json"])
def test_a_manifest_that_the_user_names_is_one(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("a: 1\n")
    assert found(tmp_path / name).given_manifests == [tmp_path / name]


def test_one_model_beside_other_folders_makes_no_repository_of_a_tree(tmp_path: Path) -> None:
    model(tmp_path / "mymodel")
    model(tmp_path / "services" / "x" / "model_repository" / "good")
    (tmp_path / "docs").mkdir()
    (tmp_path / "services" / "pod.yaml").write_text(MANIFEST)
    result = found(tmp_path)
    assert [(spec.path, spec.only) for spec in result.repositories] == [
        (tmp_path, frozenset({"mymodel"})),
        (tmp_path / "services" / "x" / "model_repository", None),
    ]
    assert result.manifests == [tmp_path / "services" / "pod.yaml"]
    assert "2 of its 3 directories hold no model" in result.notes[0]


def test_models_one_level_too_deep_are_checked_and_the_user_is_told(tmp_path: Path) -> None:
    model(tmp_path / "nlp" / "bert")
    model(tmp_path / "cv" / "resnet")
    result = found(tmp_path)
    assert [spec.path.name for spec in result.repositories] == ["cv", "nlp"]
    assert "2 places below it" in result.notes[0]
    assert "loads none of them" in result.notes[0]


def test_manifests_beside_the_models_of_a_repository_are_found(tmp_path: Path) -> None:
    model(tmp_path / "ranker")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "pod.yaml").write_text(MANIFEST)
    (tmp_path / "compose.yaml").write_text(MANIFEST)
    (tmp_path / "ranker" / "notes.yaml").write_text(MANIFEST)
    result = found(tmp_path)
    assert result.repositories == [RepositorySpec(tmp_path)]
    assert result.manifests == [tmp_path / "compose.yaml", tmp_path / "deploy" / "pod.yaml"]


def test_a_numbered_folder_of_some_program_is_no_model(tmp_path: Path) -> None:
    model(tmp_path / "weights", config=False, file="model.pt")
    for name in ("src", "docs", "tests"):
        (tmp_path / name).mkdir()
    assert not found(tmp_path)


def test_links_that_go_round_end_the_search(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "itself").symlink_to("itself")
    model(tmp_path / "a" / "models" / "ranker")
    assert [spec.path for spec in found(tmp_path).repositories] == [tmp_path / "a" / "models"]


def test_a_linked_directory_is_a_model_of_its_repository(tmp_path: Path) -> None:
    model(tmp_path / "real" / "ranker")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "ranker").symlink_to("../real/ranker")
    assert repositories(tmp_path / "models") == {"models": None}


def test_a_deep_tree_is_searched_to_a_depth(tmp_path: Path) -> None:
    model(tmp_path / "/".join("abcd") / "models" / "near")
    model(tmp_path / "/".join("x" * 30) / "models" / "far")
    assert [spec.path for spec in found(tmp_path).repositories] == [tmp_path / "a" / "b" / "c" / "d" / "models"]


def test_a_path_longer_than_the_system_takes_is_walked_past(tmp_path: Path) -> None:
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(40):
            Path("d" * 200).mkdir()
            os.chdir("d" * 200)
    finally:
        os.chdir(here)
    model(tmp_path / "models" / "ranker")
    assert [spec.path.name for spec in found(tmp_path).repositories] == ["models"]
    shutil.rmtree(tmp_path / ("d" * 200))


def test_pipes_are_never_opened(tmp_path: Path) -> None:
    for name in ("config.pbtxt", "compose.yaml", "ranker/config.pbtxt", "ranker/1/model.onnx"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(tmp_path / name)
    found(tmp_path)
    for name in ("config.pbtxt", "compose.yaml"):
        with pytest.raises(OSError, match="not a regular file"):
            found(tmp_path / name)


def test_a_directory_of_30000_entries_is_looked_through(tmp_path: Path) -> None:
    for number in range(30_000):
        (tmp_path / f"{number}.txt").touch()
    model(tmp_path / "ranker")
    assert found(tmp_path).repositories == [RepositorySpec(tmp_path)]


@pytest.mark.parametrize("name", ["broken", "file/below"])
def test_what_cannot_be_read_is_an_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"No such file|Not a directory"):
        found(tmp_path / name)
