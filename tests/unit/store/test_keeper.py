from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from triton_watch.store.errors import StoreBusyError
from triton_watch.store.schema import STEPS
from triton_watch.store.sqlite import SqliteStore
from unit.store.daemons import Daemon, asides
from unit.store.ledgers import START, told
from unit.store.test_objectives import EVERYTHING, PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_it_makes_its_directory_for_its_user_alone_and_writes_what_it_is_given(daemon: Daemon) -> None:
    assert daemon.keeper.open().ledgers == ()
    assert daemon.folder.stat().st_mode & 0o777 == 0o700
    assert not daemon.keeper.needs_full
    for _ in range(5):
        daemon.flush()
    assert daemon.is_stored()
    status = daemon.keeper.status()
    assert (status.persistent, status.reason, status.path) == (True, "", str(daemon.folder / "slo.sqlite"))
    assert (status.last_flush, status.last_flush_seconds, status.set_aside) == (START + 75.0, 0.0, 0)
    assert status.bytes == sum((daemon.folder / f"slo.sqlite{suffix}").stat().st_size for suffix in ("", "-wal"))
    assert daemon.failures() == {}


def test_the_next_process_gets_what_the_last_one_wrote(daemon: Daemon) -> None:
    daemon.keeper.open()
    daemon.keeper.save_objectives([PLAIN, EVERYTHING])
    daemon.flush()
    daemon.keeper.close()
    again = Daemon(daemon.folder)
    stored = again.keeper.open()
    again.keeper.close()
    assert stored.objectives == (PLAIN, EVERYTHING)
    assert [told(one) for one in stored.ledgers] == [told(daemon.ledger.whole())]
    assert stored.written == START + 15.0


def test_a_second_keeper_is_refused_until_the_first_closes(daemon: Daemon) -> None:
    daemon.keeper.open()
    second = Daemon(daemon.folder)
    with pytest.raises(StoreBusyError, match="is in use by the triton-watch with process id"):
        second.keeper.open()
    daemon.flush()
    daemon.keeper.close()
    second.keeper.open()
    second.keeper.close()


def text_file(path: Path) -> None:
    path.write_text("slo: none of yours\n" * 500)


def database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE cookies (a)")


def truncated(path: Path) -> None:
    SqliteStore(path).close()
    path.write_bytes(path.read_bytes()[:9000])


def half_a_page(path: Path) -> None:
    SqliteStore(path).close()
    path.write_bytes(path.read_bytes()[:150])


def without_a_table(path: Path) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE layout")


def bad_blob(path: Path) -> None:
    stored = Daemon(path.parent)
    stored.keeper.open()
    stored.flush()
    stored.keeper.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE ledger SET vectors = 5")


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (text_file, "foreign"),
        (database, "foreign"),
        (lambda path: path.mkdir(), "foreign"),
        (truncated, "corrupt"),
        (half_a_page, "corrupt"),
        (bad_blob, "corrupt"),
    ],
)
def test_a_bad_file_is_put_aside_and_a_new_one_begun(
    daemon: Daemon, spoil: Callable[[Path], None], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    daemon.folder.mkdir()
    path = daemon.folder / "slo.sqlite"
    spoil(path)
    before = path.is_file() and path.read_bytes()
    assert daemon.keeper.open().ledgers == ()
    daemon.flush()
    assert daemon.is_stored()
    (aside,) = asides(daemon.folder)
    assert aside == f"slo.sqlite.aside-20231114T221320Z-{kind}"
    assert before is False or (daemon.folder / aside).read_bytes() == before
    assert (daemon.failures(), daemon.keeper.status().set_aside) == ({kind: 1}, 1)
    (record,) = caplog.records
    assert record.getMessage().endswith(f": it was set aside as {aside}, and a new one is begun")


def test_a_newer_file_is_left_alone_until_it_is_gone(daemon: Daemon, caplog: pytest.LogCaptureFixture) -> None:
    daemon.folder.mkdir()
    path = daemon.folder / "slo.sqlite"
    SqliteStore(path, (*STEPS, ("CREATE TABLE more (a)",))).close()
    before = path.read_bytes()
    assert daemon.keeper.open().ledgers == ()
    for _ in range(20):
        daemon.flush()
    status = daemon.keeper.status()
    assert (status.persistent, daemon.failures(), path.read_bytes()) == (False, {"newer": 6}, before)
    assert "was written by a newer triton-watch" in status.reason
    assert len(caplog.records) == 1
    path.unlink()
    daemon.recover()
    assert daemon.keeper.status().persistent
    assert daemon.is_stored()


def test_before_it_is_opened_it_says_so(daemon: Daemon) -> None:
    assert daemon.keeper.status().reason == "the store is not open yet"
