from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from triton_watch.store.errors import StoreBusyError, StoreError
from triton_watch.store.lock import DirectoryLock
from triton_watch.store.status import Failure

if TYPE_CHECKING:
    from pathlib import Path


def test_the_second_is_refused_with_the_process_id_and_the_host_of_the_first(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    with pytest.raises(StoreBusyError) as error:
        DirectoryLock(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} is in use by the triton-watch with process id {os.getpid()} on {os.uname().nodename}:"
        " stop it, or give this one another state directory (--state DIR)"
    )
    lock.release()


def test_a_lock_that_does_not_name_its_owner_is_still_a_lock(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    (tmp_path / "slo.lock").write_bytes(b"\xff?")
    with pytest.raises(StoreBusyError, match="is in use by another triton-watch: stop it"):
        DirectoryLock(tmp_path)
    lock.release()


@pytest.mark.parametrize(
    ("content", "who"),
    [
        (b"4711\n", "the triton-watch with process id 4711"),
        (b"1 pod-7\n", "the triton-watch with process id 1 on pod-7"),
        (b"1 a\x1b[2Jb\n", "the triton-watch with process id 1"),
        (b"x pod-7\n", "another triton-watch"),
    ],
)
def test_what_a_lock_says_of_its_owner_is_read_whoever_wrote_it(tmp_path: Path, content: bytes, who: str) -> None:
    lock = DirectoryLock(tmp_path)
    (tmp_path / "slo.lock").write_bytes(content)
    with pytest.raises(StoreBusyError) as error:
        DirectoryLock(tmp_path)
    assert str(error.value).startswith(f"{tmp_path} is in use by {who}: stop it")
    lock.release()


def test_it_can_be_had_again_after_release_and_over_an_old_file(tmp_path: Path) -> None:
    (tmp_path / "slo.lock").write_text("999999999\n")
    DirectoryLock(tmp_path).release()
    lock = DirectoryLock(tmp_path)
    assert (tmp_path / "slo.lock").read_text() == f"{os.getpid()} {os.uname().nodename}\n"
    lock.release()


def test_it_notices_that_its_file_is_gone(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path)
    assert lock.holds()
    (tmp_path / "slo.lock").unlink()
    assert not lock.holds()
    other = DirectoryLock(tmp_path)
    assert other.holds()
    assert not lock.holds()
    lock.release()
    other.release()
    assert not other.holds()


def test_a_directory_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"slo\.lock cannot be used \(No such file or directory\)") as error:
        DirectoryLock(tmp_path / "nowhere")
    assert error.value.kind is Failure.IO


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep me")
    (tmp_path / "slo.lock").symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError):
        DirectoryLock(tmp_path)
    assert (tmp_path / "precious").read_text() == "keep me"
