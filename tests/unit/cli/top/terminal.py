"""A terminal with a shell in it that has job control: `top` runs in it as for a person."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

PATIENCE = 30.0
SHELL = """
import os, signal, subprocess, sys
os.close(os.open(os.ttyname(1), os.O_RDWR))  # it becomes the terminal of this session
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
def to_front():
    os.setpgid(0, 0)
    os.tcsetpgrp(1, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
child = subprocess.Popen(sys.argv[1:], preexec_fn=to_front)
print(f"<pid {child.pid}>", flush=True)
_, status = os.waitpid(child.pid, os.WUNTRACED)
while os.WIFSTOPPED(status):
    os.tcsetpgrp(1, os.getpgrp())
    print("<stopped>", flush=True)
    os.read(1, 100)
    os.tcsetpgrp(1, child.pid)
    os.killpg(child.pid, signal.SIGCONT)
    _, status = os.waitpid(child.pid, os.WUNTRACED)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"""
_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
HOME = b"\x1b[H"
_MOMENT = 0.05


class Terminal:
    """`triton-watch` with these words, in a terminal of this size. `seen` is every byte that it wrote."""

    def __init__(self, *words: str, columns: int = 80, lines: int = 24, stdin: Any = None, **env: str) -> None:
        self.keys, self._screen = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self._screen)
        self.seen = b""
        self.process = subprocess.Popen(
            [sys.executable, "-c", SHELL, sys.executable, "-m", "triton_watch", *words],
            stdin=self._screen if stdin is None else stdin,
            stdout=self._screen,
            stderr=self._screen,
            start_new_session=True,
            env={"TERM": "xterm-256color", "PATH": os.environ["PATH"], "LANG": "C.UTF-8", **env},
        )
        self.until(lambda: re.search(rb"<pid (\d+)>", self.seen) is not None)
        self._pid = int(self.seen.partition(b"<pid ")[2].partition(b">")[0])

    @property
    def settings(self) -> list[Any]:
        """What the terminal is set to now."""
        return termios.tcgetattr(self._screen)

    @property
    def screen(self) -> list[str]:
        """The lines that were drawn last."""
        drawn = _SEQUENCE.sub(b"", self.seen.rpartition(HOME)[2])
        return drawn.decode(errors="replace").replace("\r\n", "\n").split("\n")

    def press(self, keys: bytes) -> None:
        os.write(self.keys, keys)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to `top` itself."""
        os.kill(self._pid, number)

    def until(self, condition: Callable[[], bool], within: float = PATIENCE) -> float:
        """Read what is written until the condition holds of a whole screen; returns the seconds that it took."""
        begin = time.monotonic()
        self._read()
        while not condition():
            left = begin + within - time.monotonic()
            assert left > 0, self.seen[-3000:].decode(errors="replace")
            select.select([self.keys], [], [], min(left, 0.2))
            self._read()
        return time.monotonic() - begin

    def _read(self) -> None:
        """Read until nothing more comes for a moment: a screen arrives in pieces."""
        while select.select([self.keys], [], [], _MOMENT)[0]:
            self.seen += os.read(self.keys, 65536)

    def shows(self, text: str, within: float = PATIENCE) -> float:
        """Wait until the text is on the screen; returns the seconds that it took."""
        return self.until(lambda: any(text in line for line in self.screen), within)

    def ends(self) -> int:
        """Wait for the end, reading what is written meanwhile; returns the exit code."""
        self.until(lambda: self.process.poll() is not None)
        while select.select([self.keys], [], [], 0)[0]:
            self.seen += os.read(self.keys, 65536)
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait(PATIENCE)
        os.close(self.keys)
        os.close(self._screen)
