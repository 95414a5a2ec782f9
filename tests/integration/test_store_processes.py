"""The store among real processes: killed ones, second ones, readers, and disks without room."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from triton_watch.store.errors import NoStoreError
from triton_watch.store.reader import read
from triton_watch.store.stored import StoredState
from unit.store.ledgers import Ledger, told
from unit.store.writer import advance, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TESTS = Path(__file__).resolve().parents[1]
ROUNDS = 30


class Writer:
    """A `unit.store.writer` in a process of its own; `around` starts it in another environment."""

    def __init__(self, folder: Path, around: Sequence[str] = ()) -> None:
        command = [*around, sys.executable, "-m", "unit.store.writer", str(folder)]
        self.process = subprocess.Popen(
            command, cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def ask(self, command: str) -> dict[str, Any]:
        self.stdin.write(f"{command}\n")
        answer: dict[str, Any] = json.loads(self.stdout.readline())
        return answer

    def kill(self) -> str:
        """Kill it as the kernel does when memory is short; return the rest of what it said."""
        self.process.send_signal(signal.SIGKILL)
        said = self.stdout.read()
        self.end()
        return said

    def end(self) -> int:
        self.stdin.close()
        code = self.process.wait(20)
        self.stdout.close()
        return code


@contextmanager
def writing(folder: Path, around: Sequence[str] = ()) -> Iterator[Writer]:
    writer = Writer(folder, around)
    try:
        yield writer
    finally:
        if writer.process.poll() is None:
            writer.kill()


def stored(folder: Path) -> StoredState:
    """What is there; nothing when the first process was killed before it made the file."""
    try:
        return read(folder)
    except NoStoreError:
        return StoredState()


def test_kill_at_any_moment_loses_at_most_the_flush_under_way(tmp_path: Path) -> None:
    folder, rng = tmp_path / "state", random.Random(8)
    ledger, last = Ledger(), 0
    for one in range(ROUNDS):
        acknowledged = killed_run(folder, rng, early=one % 3 == 0) or last
        last = check(folder, ledger, at_least=acknowledged)
        assert last <= acknowledged + 1
    assert last >= ROUNDS * 2 / 3


def killed_run(folder: Path, rng: random.Random, *, early: bool) -> int:
    """Let a process write and kill it; return the last flush that it called done, 0 when there was none.

    `early` aims at the time in which the file is opened, recovered and its log is emptied.
    """
    with writing(folder) as writer:
        writer.stdin.write("run\n")
        if early:
            time.sleep(rng.uniform(0.0, 0.4))
            said = ""
        else:
            said = writer.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.35))
        lines = (said + writer.kill()).splitlines()
    return int(lines[-1]) if lines else 0


def check(folder: Path, ledger: Ledger, *, at_least: int) -> int:
    """Compare the directory with what was told; `ledger` is brought to the flush that is stored. Return its number."""
    state = stored(folder)
    number = number_of(state.ledgers[0]) if state.ledgers else 0
    assert number >= at_least
    for one in range(round(ledger.time / 15.0), number):
        advance(ledger, one + 1)
    if state.ledgers:
        assert told(state.ledgers[0]) == told(ledger.whole())
        check_integrity(folder)
    return number


def check_integrity(folder: Path) -> None:
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    with closing(sqlite3.connect(copy / "slo.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    shutil.rmtree(copy)
    assert not list(folder.glob("*.aside-*"))


def test_a_second_process_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with writing(tmp_path) as first:
        first.ask("flush")
        second = Writer(tmp_path)
        said = second.stdout.read()
        assert second.end() == 2
        assert said == (
            f"{tmp_path} is in use by the triton-watch with process id {first.process.pid} on {os.uname().nodename}:"
            " stop it, or give this one another state directory (--state DIR)\n"
        )
        first.ask("flush")
        assert first.ask("check") == {"stored": True}
        first.kill()
        with writing(tmp_path) as third:
            assert third.ask("flush") == {"persistent": True, "reason": "", "failures": {}}


def test_a_reader_beside_a_writer_always_sees_one_whole_flush(tmp_path: Path) -> None:
    with writing(tmp_path) as writer:
        writer.stdin.write("run\n")
        writer.stdout.readline()
        emptying = threading.Thread(target=writer.stdout.read)  # a full pipe would stop the writer
        emptying.start()
        ledger, numbers = Ledger(), [0]
        while len(numbers) < 60 or numbers[-1] == numbers[1]:
            (state,) = read(tmp_path).ledgers
            for one in range(round(ledger.time / 15.0), number_of(state)):
                advance(ledger, one + 1)
            assert told(state) == told(ledger.whole())
            numbers.append(number_of(state))
            assert numbers[-2] <= numbers[-1]
            assert writer.process.poll() is None
        writer.process.kill()
        emptying.join()
        writer.end()


def tmpfs(folder: Path) -> list[str]:
    """A command that runs another one with a file system of 600 kB in the folder's place; empty where none may."""
    around = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    around += [f'mount -t tmpfs -o size=600k none \'{folder}\' && exec "$0" "$@"']
    possible = shutil.which("unshare") and subprocess.run([*around, "true"], capture_output=True, check=False)
    return around if possible and not possible.returncode else []


@pytest.mark.parametrize("how", ["limit", "fill"])
def test_without_room_it_goes_on_in_memory_and_writes_everything_when_there_is_room(tmp_path: Path, how: str) -> None:
    around = tmpfs(tmp_path) if how == "fill" else []
    if not around:
        how = "limit"  # a limit on the size of files is what every user can set
    with writing(tmp_path, around) as writer:
        assert writer.ask("flush")["persistent"]
        writer.ask(how)
        answers = [writer.ask("flush") for _ in range(60)]
        assert not answers[-1]["persistent"]
        assert answers[-1]["failures"].keys() == {"full" if around else "io"}
        assert "slo." in answers[-1]["reason"]
        assert 5 < sum(answers[-1]["failures"].values()) <= 16  # one a minute, and they took a quarter of an hour
        writer.ask("free")
        writer.ask("late")
        assert writer.ask("flush") == {"persistent": True, "reason": "", "failures": answers[-1]["failures"]}
        assert writer.ask("check") == {"stored": True}
        assert writer.end() == 0
