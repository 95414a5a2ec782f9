"""Telling systemd how the agent fares (Type=notify): ready, reloading, stopping, and signs of life for its watchdog.

The protocol is one datagram of NAME=value lines to the socket in $NOTIFY_SOCKET, see sd_notify(3). Where there is no
such variable, all of this does nothing.
"""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PATIENCE: Final = 1.0
"""Seconds that a full socket may hold the caller up."""
_SIGNS: Final = 3
"""Signs of life in the time that the watchdog allows: one may get lost."""


class Notifier:
    """Tells the service manager named in `environ`. `clock` gives monotonic seconds, as CLOCK_MONOTONIC does."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        beat_limit: float,
        clock: Callable[[], float] = time.monotonic,
        pid: int | None = None,
    ) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self._pause = _watchdog(environ, os.getpid() if pid is None else pid) / _SIGNS
        self._beat_limit = beat_limit
        self._clock = clock
        self._due = clock()

    def ready(self, status: str) -> None:
        """The agent runs, or runs again after a reload; `status` is what `systemctl status` shows."""
        self._tell("READY=1", _status(status))

    def reloading(self) -> None:
        """A reload that was asked for begins; `ready` ends it."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={int(self._clock() * 1e6)}")

    def stopping(self, status: str) -> None:
        """The agent ends."""
        self._tell("STOPPING=1", _status(status))

    def alive(self, beat_age: float) -> None:
        """Give a sign of life where one is due, unless the main loop had no beat for so many seconds."""
        now = self._clock()
        if self._pause and now >= self._due and beat_age < self._beat_limit:
            self._due = now + self._pause
            self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # A manager that does not listen is no reason to stop watching: its own time-outs say what it makes of it.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_PATIENCE)
            sender.sendto(
                "\n".join(lines).encode(errors="replace"), self._address
            )  # file names have what UTF-8 has not


def _address(given: str) -> str:
    """The address of the socket; empty where there is none, or one of a kind that is not spoken here."""
    if given.startswith("@"):
        return "\0" + given[1:]
    return given if given.startswith("/") else ""


def _watchdog(environ: Mapping[str, str], pid: int) -> float:
    """Seconds after which the manager takes silence for a hang; 0 where it does not, or watches another process."""
    limit, watched = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not limit.isdecimal() or watched not in ("", str(pid)):
        return 0.0
    return int(limit) / 1e6


def _status(sentence: str) -> str:
    return "STATUS=" + " ".join(sentence.split())
