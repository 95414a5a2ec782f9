"""Files that match a pattern are read when they change, and an error never takes targets away."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support import file_modes
from triton_watch.discovery.files import Files
from triton_watch.records import FileSource

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.discovery.files import Look


def write(path: Path, *addresses: str) -> None:
    path.write_text("".join(f"- targets: ['{address}']\n" for address in addresses) or "[]\n")


def watching(folder: Path, pattern: str = "*.yaml") -> Files:
    return Files(FileSource(folder / pattern))


def names(look: Look) -> list[str]:
    return [target.name for target in look.targets]


def after(files: Files, looks: int) -> Look:
    return [files.look() for _ in range(looks)][-1]


def test_all_files_that_match_are_read_at_the_first_look_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path / "b.yaml", "b:1")
    write(tmp_path / "a.yaml", "a2:1", "a1:1")
    write(tmp_path / "c.yml", "c:1")
    write(tmp_path / ".a.yaml.swp", "hidden:1")
    write(tmp_path / ".hidden.yaml", "hidden:1")
    (tmp_path / "folder.yaml").mkdir()
    look = watching(tmp_path).look()
    assert names(look) == ["a2:1", "a1:1", "b:1"]
    assert (look.failures, look.problem) == (0, "")


def test_a_change_is_read_once_it_looks_the_same_at_two_looks(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "a:1")
    files = watching(tmp_path)
    files.look()
    write(tmp_path / "a.yaml", "a:1", "b:1")
    assert names(files.look()) == ["a:1"]
    assert names(files.look()) == ["a:1", "b:1"]
    write(tmp_path / "new.yaml", "c:1")
    assert names(after(files, 2)) == ["a:1", "b:1", "c:1"]


def test_a_file_that_never_stands_still_is_read_in_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write(path, "a:1")
    files = watching(tmp_path)
    files.look()
    for count in range(20):
        write(path, *(f"a:{port}" for port in range(1, count + 3)))
        if len(names(files.look())) > 1:
            return
    pytest.fail("it was never read")


def test_a_bad_file_keeps_what_was_known_of_it_counts_once_and_is_told_until_it_is_mended(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "a:1")
    write(tmp_path / "b.yaml", "b:1")
    files = watching(tmp_path)
    files.look()
    (tmp_path / "a.yaml").write_text("- targets: ['a:1', 'c:1'")
    looks = [files.look() for _ in range(6)]
    assert [names(look) for look in looks] == [["a:1", "b:1"]] * 6
    assert sum(look.failures for look in looks) == 1
    assert all("a.yaml" in look.problem for look in looks[1:])
    write(tmp_path / "a.yaml", "c:1")
    look = after(files, 2)
    assert (names(look), look.problem) == (["c:1", "b:1"], "")


def test_an_empty_file_is_half_written_and_keeps_what_was_known(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "a:1")
    files = watching(tmp_path)
    files.look()
    (tmp_path / "a.yaml").write_text("")
    look = after(files, 4)
    assert names(look) == ["a:1"]
    assert "write [] for no targets" in look.problem


def test_an_emptied_list_and_a_deleted_file_take_their_targets_away(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "a:1")
    write(tmp_path / "b.yaml", "b:1")
    files = watching(tmp_path)
    files.look()
    write(tmp_path / "a.yaml")
    assert names(after(files, 2)) == ["b:1"]
    (tmp_path / "b.yaml").unlink()
    assert names(files.look()) == ["b:1"]  # an editor may have moved it for a moment
    assert names(files.look()) == []


def test_the_rename_of_an_editor_and_a_gap_of_one_look_take_nothing_away(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write(path, "a:1")
    files = watching(tmp_path)
    files.look()
    write(tmp_path / "a.yaml.new", "a:1", "b:1")
    (tmp_path / "a.yaml.new").replace(path)
    assert names(after(files, 2)) == ["a:1", "b:1"]
    path.rename(tmp_path / "a.yaml~")
    assert names(files.look()) == ["a:1", "b:1"]
    write(path, "c:1")
    seen = [names(files.look()) for _ in range(3)]
    assert seen == [["a:1", "b:1"], ["c:1"], ["c:1"]]


def test_the_swap_of_a_config_map_is_a_change(tmp_path: Path) -> None:
    for version, addresses in (("..1", ("a:1",)), ("..2", ("b:1",))):
        (tmp_path / version).mkdir()
        write(tmp_path / version / "gpus.yaml", *addresses)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "gpus.yaml").symlink_to("..data/gpus.yaml")
    files = watching(tmp_path)
    assert names(files.look()) == ["a:1"]
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").replace(tmp_path / "..data")
    assert names(after(files, 2)) == ["b:1"]


def test_a_folder_that_is_gone_keeps_what_was_known(tmp_path: Path) -> None:
    folder = tmp_path / "targets"
    folder.mkdir()
    write(folder / "a.yaml", "a:1")
    files = watching(folder)
    files.look()
    folder.rename(tmp_path / "away")
    look = after(files, 5)
    assert names(look) == ["a:1"]
    assert "cannot be listed" in look.problem


def test_a_file_that_may_not_be_read_keeps_what_was_known_until_it_may() -> None:
    with file_modes.public_folder() as folder:
        path = folder / "a.yaml"
        write(path, "a:1")
        files = watching(folder)
        files.look()
        write(path, "b:1")
        path.chmod(0)
        with file_modes.nobody():
            look = after(files, 3)
        assert (names(look), "cannot be read" in look.problem) == (["a:1"], True)
        path.chmod(0o644)
        with file_modes.nobody():
            assert names(after(files, 2)) == ["b:1"]


def test_a_link_to_nothing_is_told(tmp_path: Path) -> None:
    os.symlink("nowhere", tmp_path / "a.yaml")  # noqa: PTH211 - the same
    look = watching(tmp_path).look()
    assert (names(look), "cannot be read" in look.problem) == ([], True)


def test_a_pipe_is_left_alone(tmp_path: Path) -> None:
    """Who opens one waits for a writer."""
    os.mkfifo(tmp_path / "a.yaml")
    write(tmp_path / "b.yaml", "b:1")
    look = watching(tmp_path).look()
    assert (names(look), look.problem) == (["b:1"], "")


def test_of_many_bad_files_a_few_are_named_and_the_others_counted(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number:03}.yaml").write_text("- nonsense")
    look = watching(tmp_path).look()
    assert look.failures == 300
    assert look.problem.count("is not a group") == 5
    assert look.problem.endswith("; and 295 more files are not good")


def test_a_problem_counts_when_it_is_new_and_once_a_minute_while_it_lasts(tmp_path: Path) -> None:
    now = 0.0
    write(tmp_path / "good.yaml", "a:1")
    (tmp_path / "bad.yaml").write_text("- a:1\n")
    (tmp_path / "nowhere.yaml").symlink_to(tmp_path / "absent")
    files = Files(FileSource(tmp_path / "*.yaml"), clock=lambda: now)
    counted = []
    for second in range(130):
        now = float(second)
        counted.append(files.look().failures)
    assert [second for second, count in enumerate(counted) if count] == [0, 60, 120]
    assert set(counted) == {0, 2}
    (tmp_path / "bad.yaml").write_text("- b:123\n")
    assert [files.look().failures for _ in range(4)] == [0, 1, 0, 0]


def test_a_folder_that_cannot_be_listed_counts_once_a_minute(tmp_path: Path) -> None:
    now = 0.0
    files = Files(FileSource(tmp_path / "absent" / "*.yaml"), clock=lambda: now)
    counted = []
    for second in range(70):
        now = float(second)
        counted.append(files.look().failures)
    assert [second for second, count in enumerate(counted) if count] == [0, 60]


def test_why_there_are_no_targets_is_said(tmp_path: Path) -> None:
    files = watching(tmp_path)
    assert files.look().nothing == f"no file matches {tmp_path / '*.yaml'}"
    write(tmp_path / "a.yaml")
    assert after(files, 2).nothing == f"the list in {tmp_path / 'a.yaml'} is empty"
    write(tmp_path / "b.yaml")
    assert after(files, 2).nothing == "the lists in 2 files are empty"
    write(tmp_path / "b.yaml", "b:1")
    assert after(files, 2).nothing == ""
