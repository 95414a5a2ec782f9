"""A store that cannot be written, for a while."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.file_modes import nobody
from triton_watch.store.errors import StoreBusyError
from triton_watch.store.reader import read
from triton_watch.store.sqlite import SqliteStore
from unit.store.daemons import Daemon, asides
from unit.store.ledgers import key, told
from unit.store.test_objectives import PLAIN

if TYPE_CHECKING:
    from pathlib import Path


def test_a_directory_that_may_not_be_written_is_read_and_tried_again(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    daemon.keeper.open()
    daemon.keeper.save_objectives([PLAIN])
    daemon.flush()
    daemon.keeper.close()
    daemon.folder.chmod(0o555)
    later = Daemon(daemon.folder)
    later.ledger = daemon.ledger
    with nobody():
        stored = later.keeper.open()
        assert [told(one) for one in stored.ledgers] == [told(daemon.ledger.whole())]
        assert later.keeper.needs_full
        for _ in range(3):
            later.flush()
        assert later.keeper.status().reason.endswith(
            "): make it writable for this user, or give another state directory (--state DIR)"
        )
    assert not later.is_stored()
    daemon.folder.chmod(0o755)
    later.recover()
    assert later.is_stored()
    assert (asides(daemon.folder), later.failures(), later.keeper.needs_full) == ([], {"read_only": 1}, False)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "the events of objectives are kept in memory only",
        f"the store {daemon.folder / 'slo.sqlite'} is written again",
    ]
    later.keeper.close()


def test_a_directory_that_cannot_be_made_is_tried_again(daemon: Daemon, folder: Path) -> None:
    folder.chmod(0o555)
    with nobody():
        assert daemon.keeper.open().ledgers == ()
        daemon.recover()
        assert daemon.failures() == {"read_only": 2}
        assert not daemon.keeper.status().persistent
    folder.chmod(0o777)
    daemon.recover()
    assert daemon.is_stored()


def test_a_file_in_the_place_of_the_directory_is_an_error_of_the_system(daemon: Daemon) -> None:
    daemon.folder.write_text("not a directory")
    daemon.keeper.open()
    daemon.flush()
    assert daemon.failures() == {"io": 1}
    assert daemon.keeper.status().reason.endswith("is no directory: give another state directory (--state DIR)")
    assert daemon.folder.read_text() == "not a directory"


def test_between_attempts_a_minute_passes(daemon: Daemon) -> None:
    daemon.folder.write_text("not a directory")
    daemon.keeper.open()
    daemon.folder.unlink()
    for _ in range(3):
        daemon.flush()
        assert not daemon.folder.exists()
    daemon.flush()
    assert daemon.is_stored()


def test_a_history_that_could_not_be_read_at_the_start_is_not_overwritten(daemon: Daemon, folder: Path) -> None:
    other = Daemon(folder / "volume")
    other.keeper.open()
    other.flush()
    other.keeper.close()
    daemon.folder.write_text("the volume is not mounted yet")
    daemon.keeper.open()
    daemon.flush()
    daemon.folder.unlink()
    other.folder.rename(daemon.folder)
    daemon.recover()
    assert daemon.is_stored()
    (aside,) = asides(daemon.folder)
    assert aside.endswith("-unread")
    (daemon.folder / aside).rename(folder / "slo.sqlite")
    assert [told(one) for one in read(folder).ledgers] == [told(other.ledger.whole())]


def test_damage_that_is_found_while_writing_costs_one_flush(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    daemon.keeper.open()
    daemon.keeper.save_objectives([PLAIN])
    daemon.ledger.add(*(key(f"model_{number}") for number in range(3000)))  # more than SQLite keeps in its cache
    rng = np.random.default_rng(7)
    for _ in range(25):
        daemon.flush(rng.random(3002))  # over a checkpoint, so that there is something in the file itself
    path = daemon.folder / "slo.sqlite"
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    for _ in range(5):
        daemon.flush(rng.random(3002))
    status = daemon.keeper.status()
    assert (status.persistent, status.reason, status.set_aside, daemon.failures()) == (True, "", 1, {"corrupt": 1})
    assert daemon.is_stored()
    assert read(daemon.folder).objectives == (PLAIN,)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("what", ["file", "directory", "another store"])
def test_what_is_removed_while_it_is_in_use_is_made_again(daemon: Daemon, folder: Path, what: str) -> None:
    daemon.keeper.open()
    daemon.keeper.save_objectives([PLAIN])
    daemon.flush()
    path = daemon.folder / "slo.sqlite"
    if what == "directory":
        shutil.rmtree(daemon.folder)
    else:
        for file in daemon.folder.glob("slo.sqlite*"):
            file.unlink()
    if what == "another store":
        SqliteStore(folder / "other.sqlite").close()
        (folder / "other.sqlite").rename(path)
    daemon.flush()
    assert daemon.keeper.status().reason == (
        f"{path} was removed or replaced while it was in use: it is made again in about a minute; "
        "tell what removes it to leave it alone"
    )
    daemon.recover()
    assert daemon.is_stored()
    assert read(daemon.folder).objectives == (PLAIN,)
    with pytest.raises(StoreBusyError):
        Daemon(daemon.folder).keeper.open()


def test_a_stranger_who_holds_the_file_is_waited_for_and_then_done_without(daemon: Daemon) -> None:
    daemon.keeper.open()
    daemon.flush()
    with closing(sqlite3.connect(daemon.folder / "slo.sqlite", isolation_level=None)) as shell:
        shell.execute("BEGIN IMMEDIATE")
        daemon.flush()
        assert daemon.keeper.status().reason.endswith("(database is locked): look at the file system")
        assert daemon.keeper.needs_full
        shell.execute("ROLLBACK")
    daemon.recover()
    assert daemon.is_stored()


def test_another_process_that_came_first_after_a_failure_is_named_in_the_status(daemon: Daemon) -> None:
    daemon.folder.write_text("not a directory")
    daemon.keeper.open()
    daemon.folder.unlink()
    first = Daemon(daemon.folder)
    first.keeper.open()
    daemon.recover()
    assert "is in use by the triton-watch with process id" in daemon.keeper.status().reason
    first.keeper.close()
    daemon.recover()
    assert daemon.keeper.status().persistent
