from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from triton_watch.store.aside import set_aside
from unit.store.ledgers import START

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def bad(folder: Path, *suffixes: str) -> Path:
    for suffix in ("", *suffixes):
        (folder / f"slo.sqlite{suffix}").write_text("bad")
    return folder / "slo.sqlite"


def test_the_name_says_when_and_why_and_the_log_goes_along(tmp_path: Path) -> None:
    aside = set_aside(bad(tmp_path, "-wal", "-shm", "-journal"), "corrupt", START)
    assert aside.name == "slo.sqlite.aside-20231114T221320Z-corrupt"
    assert names(tmp_path) == [aside.name, f"{aside.name}-journal", f"{aside.name}-shm", f"{aside.name}-wal"]


def test_two_of_one_second_have_two_names(tmp_path: Path) -> None:
    first, second = (set_aside(bad(tmp_path), "corrupt", START) for _ in range(2))
    assert second.name == f"{first.name}-2"


def test_the_three_newest_are_kept(tmp_path: Path) -> None:
    (tmp_path / "slo.sqlite.backup").write_text("somebody's")
    asides = [set_aside(bad(tmp_path, "-wal"), reason, START + at) for at, reason in enumerate(["z", "b", "c", "a"])]
    kept = [one.name for one in asides[1:]]
    assert names(tmp_path) == sorted([*kept, *(f"{name}-wal" for name in kept), "slo.sqlite.backup"])


def test_a_folder_is_put_aside_and_never_removed(tmp_path: Path) -> None:
    for at in range(6):
        (tmp_path / "slo.sqlite").mkdir()
        (tmp_path / "slo.sqlite" / "letter").write_text("dear")
        set_aside(tmp_path / "slo.sqlite", "foreign", START + at)
    assert len(list(tmp_path.glob("slo.sqlite.aside-*/letter"))) == 6


def test_what_is_not_there_cannot_be_put_aside(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        set_aside(tmp_path / "slo.sqlite", "corrupt", START)
