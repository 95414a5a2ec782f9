"""What systemd is told, on a real datagram socket: ready, reloading, stopping, and that the loop still has a beat."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from triton_watch.daemon.notify import Notifier

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PID = 4711


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Manager:
    """The socket of a service manager, and the variables that it gives."""

    def __init__(self, address: str, shown: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind(address)
        self.environ = {"NOTIFY_SOCKET": shown}

    def told(self) -> list[str]:
        return [text.decode() for text in iter(self._next, b"")]

    def _next(self) -> bytes:
        try:
            return self.socket.recv(4096)
        except BlockingIOError:
            return b""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify"), str(tmp_path / "notify"))
    yield made
    made.socket.close()


def notifier(environ: dict[str, str], clock: Clock | None = None) -> Notifier:
    return Notifier(environ, beat_limit=30.0, clock=clock or Clock(), pid=PID)


def test_ready_reloading_and_stopping_are_one_datagram_each(manager: Manager) -> None:
    one = notifier(manager.environ)
    one.ready("watching targets=2")
    one.reloading()
    one.ready("the configuration is not good:\n  line 3")
    one.stopping("stopping")
    assert manager.told() == [
        "READY=1\nSTATUS=watching targets=2",
        "RELOADING=1\nMONOTONIC_USEC=100000000",
        "READY=1\nSTATUS=the configuration is not good: line 3",
        "STOPPING=1\nSTATUS=stopping",
    ]


def test_an_address_with_an_at_sign_is_an_abstract_one() -> None:
    manager = Manager("\0triton-watch-test-notify", "@triton-watch-test-notify")
    notifier(manager.environ).stopping("stopping")
    assert manager.told() == ["STOPPING=1\nSTATUS=stopping"]
    manager.socket.close()


def test_a_sign_of_life_comes_three_times_in_the_time_that_the_watchdog_allows(manager: Manager) -> None:
    clock = Clock()
    one = notifier({**manager.environ, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(PID)}, clock)
    for second in range(60):
        clock.now = 100.0 + second
        one.alive(beat_age=0.5)
    assert manager.told() == ["WATCHDOG=1"] * 3


def test_a_loop_without_a_beat_gives_no_sign_of_life_until_it_beats_again(manager: Manager) -> None:
    clock = Clock()
    one = notifier({**manager.environ, "WATCHDOG_USEC": "60000000"}, clock)
    one.alive(beat_age=30.0)
    assert manager.told() == []
    clock.now += 1.0
    one.alive(beat_age=0.1)
    assert manager.told() == ["WATCHDOG=1"]


@pytest.mark.parametrize(
    "watchdog",
    [
        {},
        {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(PID + 1)},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
    ],
    ids=["no watchdog", "of another process", "off", "no number"],
)
def test_nobody_who_does_not_wait_for_signs_of_life_gets_them(manager: Manager, watchdog: dict[str, str]) -> None:
    notifier({**manager.environ, **watchdog}).alive(beat_age=0.0)
    assert manager.told() == []


@pytest.mark.parametrize("given", ["", "vsock:2:9999", "relative", "/nobody/listens/here"])
def test_without_a_manager_that_listens_nothing_happens(given: str) -> None:
    one = notifier({"NOTIFY_SOCKET": given, "WATCHDOG_USEC": "60000000"})
    one.ready("watching")
    one.alive(beat_age=0.0)
    one.stopping("stopping")


def test_a_manager_that_does_not_read_holds_nobody_up_for_long(manager: Manager) -> None:
    one = notifier(manager.environ)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        with pytest.raises(BlockingIOError):
            fill(filler, manager.environ["NOTIFY_SOCKET"])
    one.ready("watching")  # ends after a second, and is lost
    assert not any(text.startswith("READY") for text in manager.told())


def fill(sender: socket.socket, address: str) -> None:
    for _ in range(100_000):
        sender.sendto(b"x", address)


def test_a_file_name_that_is_not_utf_8_ends_nothing(manager: Manager) -> None:
    notifier(manager.environ).ready("gpus-\udcff.yaml is not good")
    assert manager.told() == ["READY=1\nSTATUS=gpus-?.yaml is not good"]
