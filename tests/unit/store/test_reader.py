from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from support.file_modes import nobody, public_folder
from triton_watch.store.errors import CorruptError, NoStoreError, StoreError
from triton_watch.store.reader import read
from triton_watch.store.sqlite import SqliteStore
from triton_watch.store.status import Failure
from unit.store.ledgers import Ledger, key, told
from unit.store.test_objectives import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = ("slo.sqlite", "slo.sqlite-wal", "slo.sqlite-shm")


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    ledger.add(key("a"), key("b"))
    ledger.pass_by(15.0, 5.0, 1.0)
    return ledger


@pytest.fixture
def folder(ledger: Ledger) -> Iterator[Path]:
    """A directory with a store that everybody may read."""
    with public_folder() as folder:
        with closing(SqliteStore(folder / "slo.sqlite")) as store:
            store.save((ledger.change(),), at=77.0, objectives=(PLAIN,), full=False)
        yield folder


@pytest.fixture
def killed(folder: Path, ledger: Ledger) -> Iterator[Path]:
    """What a killed writer leaves: the newest events are in the log only."""
    ledger.pass_by(15.0, 500.0, 100.0)
    with public_folder() as place:
        with closing(SqliteStore(folder / "slo.sqlite")) as store:
            store.save((ledger.change(),), at=99.0, objectives=None, full=False)
            for name in FILES:
                shutil.copyfile(folder / name, place / name)
        yield place


@contextmanager
def sealed(folder: Path) -> Iterator[None]:
    """Be somebody who may read the folder and its files, and write nothing there."""
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    with nobody():
        yield
    folder.chmod(0o755)


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_it_reads_what_was_written_and_leaves_no_trace(folder: Path, ledger: Ledger) -> None:
    state = read(folder)
    assert [told(one) for one in state.ledgers] == [told(ledger.whole())]
    assert (state.objectives, state.written) == ((PLAIN,), 77.0)
    assert names(folder) == {"slo.sqlite"}


def test_it_reads_where_it_may_not_write(folder: Path, ledger: Ledger) -> None:
    with sealed(folder):
        assert told(read(folder).ledgers[0]) == told(ledger.whole())


@pytest.mark.parametrize("missing", [(), ("slo.sqlite-shm",)])
@pytest.mark.parametrize("may_write", [True, False])
def test_it_reads_the_log_of_a_killed_writer(
    killed: Path,
    ledger: Ledger,
    missing: tuple[str, ...],
    may_write: bool,
) -> None:
    for name in missing:
        (killed / name).unlink()
    before = [(killed / name).read_bytes() for name in FILES[:2]]
    if may_write:
        state = read(killed)
    else:
        with sealed(killed):
            state = read(killed)
    assert (told(state.ledgers[0]), state.written) == (told(ledger.whole()), 99.0)
    assert [(killed / name).read_bytes() for name in FILES[:2]] == before
    assert names(killed) == set(FILES) - set(missing)


def test_it_reads_beside_a_writer(folder: Path, ledger: Ledger) -> None:
    with closing(SqliteStore(folder / "slo.sqlite")) as store:
        for at in range(30):  # over a checkpoint that empties the log
            ledger.pass_by(15.0, 1.0, 1.0)
            store.save((ledger.change(),), at=float(at), objectives=None, full=False)
            state = read(folder)
            assert (told(state.ledgers[0]), state.written) == (told(ledger.whole()), at)


def test_a_name_with_marks_of_addresses_is_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "a ?mode=memory#%41&immutable=1"
    folder.mkdir()
    SqliteStore(folder / "slo.sqlite").close()
    assert read(folder).ledgers == ()


def test_no_directory_no_store_and_no_file_are_told_apart(tmp_path: Path) -> None:
    advice = r"name the state directory of a triton-watch \(--state DIR\)$"
    with pytest.raises(NoStoreError, match=rf"nowhere is no directory: {advice}"):
        read(tmp_path / "nowhere")
    with pytest.raises(NoStoreError, match=rf"has no slo\.sqlite: {advice}"):
        read(tmp_path)
    (tmp_path / "slo.sqlite").mkdir()
    with pytest.raises(StoreError, match=r"slo\.sqlite is not a store of triton-watch: ") as error:
        read(tmp_path)
    assert error.value.kind is Failure.FOREIGN


@pytest.mark.parametrize("content", [b"slo: []\n" * 900, b"SQLite format 3\0", b"\0" * 4096])
def test_other_files_are_not_stores(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "slo.sqlite").write_bytes(content)
    with pytest.raises(StoreError, match=r"slo\.sqlite is not a store of triton-watch: move it away, or name "):
        read(tmp_path)


def test_a_damaged_store_is_told(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "slo.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE bucket SET vectors = x'00'")
    with pytest.raises(CorruptError, match=r"slo\.sqlite is damaged \(.+\): restore it from a backup, or remove it"):
        read(folder)


def test_what_may_not_be_read_is_told(folder: Path) -> None:
    (folder / "slo.sqlite").chmod(0o000)
    told = r"slo\.sqlite may not be read: do it as the user who owns it$"
    with nobody(), pytest.raises(StoreError, match=told) as error:
        read(folder)
    assert error.value.kind is Failure.READ_ONLY
    folder.chmod(0o000)
    with nobody(), pytest.raises(StoreError, match=told):
        read(folder)
    folder.chmod(0o700)
