"""Bytes that went bad anywhere: no traceback, and a daemon that goes on."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from triton_watch.store.errors import StoreError, storing
from triton_watch.store.reader import read
from triton_watch.store.sqlite import SqliteStore
from triton_watch.store.status import Failure
from unit.store.daemons import Daemon
from unit.store.ledgers import HOUR, Ledger, key
from unit.store.test_objectives import EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 60


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A killed writer's directory: most of it is in the file, some in the log."""
    folder = tmp_path_factory.mktemp("sound")
    ledger, rng = Ledger(), np.random.default_rng(6)
    store = SqliteStore(folder / "slo.sqlite")
    for number in range(110):
        if number % 30 == 0:
            ledger.add(*(key(f"model_{number}_{one}") for one in range(20)))
        ledger.pass_by(HOUR, rng.random(len(ledger.keys)), rng.random(len(ledger.keys)))
        store.save((ledger.change(),), at=0.0, objectives=(EVERYTHING,), full=False)
    left = tmp_path_factory.mktemp("left")
    shutil.copytree(folder, left, dirs_exist_ok=True)
    store.close()
    assert (left / "slo.sqlite-wal").stat().st_size > 10_000
    return left


@pytest.mark.parametrize("spoilt", ["slo.sqlite", "slo.sqlite-wal", "slo.sqlite-shm"])
@pytest.mark.parametrize("truncate", [True, False], ids=["truncated", "flipped"])
def test_damage_anywhere_is_read_over_or_put_aside(
    sound: Path,
    tmp_path: Path,
    spoilt: str,
    truncate: bool,
) -> None:
    rng = random.Random(f"{spoilt} {truncate}")
    outcomes = Counter(
        spoil_and_use(sound, tmp_path / str(number), spoilt, rng, truncate=truncate) for number in range(ROUNDS)
    )
    assert outcomes.keys() <= {"read", "corrupt", "foreign", "io"}
    if spoilt == "slo.sqlite":
        assert outcomes["corrupt"]


def spoil_and_use(sound: Path, folder: Path, name: str, rng: random.Random, *, truncate: bool) -> str:
    shutil.copytree(sound, folder)
    spoil(folder / name, rng, truncate=truncate)
    daemon = Daemon(folder)
    try:
        read(folder)
        outcome = "read"
    except StoreError as error:
        outcome = error.kind.value
    daemon.keeper.open()
    for _ in range(2):
        daemon.flush()
    assert daemon.keeper.status().persistent, daemon.keeper.status().reason
    daemon.keeper.close()
    shutil.rmtree(folder)
    return outcome


def spoil(path: Path, rng: random.Random, *, truncate: bool) -> None:
    content = bytearray(path.read_bytes())
    if truncate:
        del content[rng.randrange(len(content)) :]
    else:
        for _ in range(rng.choice([1, 1, 3, 20, 200])):
            content[rng.randrange(min(len(content), rng.choice([100, 4096, 10**9])))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def test_a_full_disk_is_told_from_a_bad_one(tmp_path: Path) -> None:
    path = tmp_path / "slo.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA max_page_count = 2")
        with pytest.raises(StoreError) as error, storing(path):
            connection.execute("CREATE TABLE notes AS SELECT zeroblob(100000)")
    assert (error.value.kind, str(error.value)) == (
        Failure.FULL,
        f"{path} cannot be used (database or disk is full): make room there",
    )


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, Failure.FULL), (errno.EDQUOT, Failure.FULL), (errno.EROFS, Failure.READ_ONLY), (5, Failure.IO)],
)
def test_errors_of_the_system_have_their_kinds(tmp_path: Path, number: int, kind: Failure) -> None:
    with pytest.raises(StoreError) as error, storing(tmp_path):
        raise OSError(number, os.strerror(number))
    assert error.value.kind is kind


def test_a_fault_of_ours_is_not_taken_for_one_of_the_disk(tmp_path: Path) -> None:
    connection = sqlite3.connect(":memory:")
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError), storing(tmp_path):
        connection.execute("SELECT 1")
