"""The state of alerts in the store: written at once, beside ledgers or without them."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from support.file_modes import nobody
from triton_watch.store.keeper import RETRY, StoreKeeper
from triton_watch.store.reader import read
from unit.store.daemons import LOG, Daemon, asides
from unit.store.ledgers import DAY, START, told
from unit.store.test_objectives import PLAIN

if TYPE_CHECKING:
    from pathlib import Path

BLOB = b"\x00 alerts \xff"
SAVES = """
import sys, logging, time, pathlib
from triton_watch.store.keeper import StoreKeeper
keeper = StoreKeeper(pathlib.Path(sys.argv[1]), now=time.time, log=logging.getLogger("t"), keeps_ledgers=False)
keeper.open()
for number in range(10 ** 6):
    keeper.save_alerts(b"alerts %d" % number)
    print(number, flush=True)
"""


class AlertsOnly:
    """A keeper without ledgers, on a clock of the test's."""

    def __init__(self, folder: Path) -> None:
        self.seconds = 0.0
        self.keeper = StoreKeeper(
            folder, now=lambda: START + self.seconds, log=LOG, clock=lambda: self.seconds, keeps_ledgers=False
        )

    def flush(self, after: float = 15.0) -> None:
        self.seconds += after
        self.keeper.flush(())


def test_alerts_are_written_at_once_and_read_by_the_next_process(daemon: Daemon) -> None:
    assert daemon.keeper.open().alerts == b""
    daemon.keeper.save_alerts(b"old")
    daemon.keeper.save_alerts(BLOB)
    assert read(daemon.folder).alerts == BLOB
    daemon.flush()
    assert read(daemon.folder).alerts == BLOB
    assert daemon.is_stored()
    daemon.keeper.close()
    again = Daemon(daemon.folder)
    assert again.keeper.open().alerts == BLOB
    again.keeper.close()


def test_what_was_saved_survives_kill_9_right_afterwards(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SAVES, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "40":  # over a checkpoint
                break
        os.kill(process.pid, signal.SIGKILL)
        told_last = [line.strip() for line in process.stdout if line.endswith("\n")][-1:] or ["40"]
    number = int(read(folder).alerts.decode().partition(" ")[2])
    assert number >= int(told_last[0])


def test_a_corrupt_file_is_set_aside_and_alerts_begin_anew(folder: Path) -> None:
    first = AlertsOnly(folder)
    first.keeper.open()
    first.keeper.save_alerts(BLOB)
    first.keeper.close()
    path = folder / "slo.sqlite"
    with path.open("r+b") as file:
        file.seek(1024)
        file.write(b"\xff" * 4096)
    second = AlertsOnly(folder)
    assert second.keeper.open().alerts == b""
    second.keeper.save_alerts(b"new")
    second.keeper.close()
    assert read(folder).alerts == b"new"
    assert len(asides(folder)) == 1


def test_alerts_that_are_no_bytes_are_damage(daemon: Daemon) -> None:
    daemon.keeper.open()
    daemon.keeper.save_alerts(BLOB)
    daemon.keeper.close()
    with closing(sqlite3.connect(daemon.folder / "slo.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE fact SET value = 5 WHERE name = 'alerts'")
    again = Daemon(daemon.folder)
    assert again.keeper.open().alerts == b""
    again.keeper.close()
    assert asides(daemon.folder)[0].endswith("-corrupt")


@pytest.mark.parametrize("has_ledgers", [True, False])
def test_a_file_that_was_removed_meanwhile_is_made_again_with_the_alerts(folder: Path, has_ledgers: bool) -> None:
    state = folder / "state"
    daemon = Daemon(state) if has_ledgers else AlertsOnly(state)
    daemon.keeper.open()
    daemon.keeper.save_alerts(BLOB)
    for file in state.glob("slo.sqlite*"):
        file.unlink()
    daemon.keeper.save_alerts(b"newer")
    assert "was removed or replaced" in daemon.keeper.status().reason
    daemon.seconds += RETRY
    daemon.flush()
    assert read(state).alerts == b"newer"
    assert daemon.keeper.status().persistent
    if isinstance(daemon, Daemon):
        assert daemon.is_stored(), "the ledgers, whole"
    daemon.keeper.close()


def test_alerts_that_only_had_been_read_are_in_a_new_file_too(daemon: Daemon) -> None:
    daemon.keeper.open()
    daemon.keeper.save_alerts(BLOB)
    daemon.keeper.close()
    later = AlertsOnly(daemon.folder)
    later.keeper.open()
    for file in daemon.folder.glob("slo.sqlite*"):
        file.unlink()
    later.flush()
    later.flush(after=RETRY)
    assert read(daemon.folder).alerts == BLOB
    later.keeper.close()


def test_where_nothing_can_be_written_that_is_told_once_and_tried_again(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = AlertsOnly(folder / "state")
    first.keeper.open()
    first.keeper.save_alerts(BLOB)
    first.keeper.close()
    (folder / "state").chmod(0o555)
    later = AlertsOnly(folder / "state")
    with nobody():
        assert later.keeper.open().alerts == BLOB
        for number in range(5):
            later.keeper.save_alerts(b"%d" % number)
            later.flush()
        assert not later.keeper.status().persistent
    (folder / "state").chmod(0o755)
    later.flush(after=RETRY)
    assert read(folder / "state").alerts == b"4"
    (record,) = caplog.records
    assert record.getMessage().startswith("the state of alerts is kept in memory only: ")
    later.keeper.close()


def test_without_ledgers_those_in_the_file_are_left_alone_even_when_they_are_old(daemon: Daemon) -> None:
    daemon.keeper.open()
    daemon.keeper.save_objectives([PLAIN])
    daemon.flush()
    daemon.keeper.close()
    alone = AlertsOnly(daemon.folder)
    alone.keeper.open()
    alone.keeper.save_alerts(BLOB)
    alone.flush(after=100 * DAY)
    alone.keeper.close()
    left = read(daemon.folder)
    assert [told(one) for one in left.ledgers] == [told(daemon.ledger.whole())]
    assert (left.objectives, left.alerts, left.written) == ((PLAIN,), BLOB, START + 15.0)


def test_the_log_of_the_file_does_not_grow_with_each_save(folder: Path) -> None:
    alone = AlertsOnly(folder)
    alone.keeper.open()
    for number in range(300):
        alone.keeper.save_alerts(os.urandom(20_000) + b"%d" % number)
    assert sum(file.stat().st_size for file in folder.glob("slo.sqlite*")) < 2_000_000
    alone.keeper.close()
