"""The keyboard of a terminal, key by key: its settings are put back whatever happens."""

from __future__ import annotations

import os
import sys
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

from triton_watch.cli.top.keys import decode

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_LFLAG, _CC = 3, 6
"""Places in what `tcgetattr` returns."""
_TERMINAL: Final = "/dev/tty"


_Settings: TypeAlias = "list[int | list[bytes | int]]"


class Keyboard:
    """Reads keys of `file` (a descriptor of a terminal) between `enter` and `leave`, which may be repeated.

    Ctrl-C and Ctrl-Z stay signals.
    """

    def __init__(self, file: int) -> None:
        self.file = file
        self._saved: _Settings | None = None
        self._begun = b""

    @property
    def is_waiting(self) -> bool:
        """Whether a key began that is not whole: soon it is taken for what it is."""
        return bool(self._begun)

    def enter(self) -> None:
        """Let keys come at once, and unseen."""
        self._saved = termios.tcgetattr(self.file)
        mode = termios.tcgetattr(self.file)
        mode[_LFLAG] &= ~(termios.ICANON | termios.ECHO)
        mode[_CC][termios.VMIN], mode[_CC][termios.VTIME] = 1, 0
        termios.tcsetattr(self.file, termios.TCSADRAIN, mode)

    def leave(self) -> None:
        """Put the settings back; what was typed and not read is thrown away, so that no shell runs it."""
        saved, self._saved = self._saved, None
        if saved is not None:
            with suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self.file, termios.TCSAFLUSH, saved)

    def read(self) -> list[str] | None:
        """Return the keys that have come; call it when there is something to read. None = the terminal is gone."""
        try:
            data = os.read(self.file, 4096)
        except OSError:
            return None
        if not data:
            return None
        keys, self._begun = decode(self._begun + data, is_all=False)
        return keys

    def take(self) -> list[str]:
        """Return what a key that is not whole is, for nothing more came."""
        keys, self._begun = decode(self._begun, is_all=True)
        return keys

    def __enter__(self) -> Self:
        self.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


def find_keyboard() -> Keyboard | None:
    """Return the keyboard: standard input, or the terminal behind the process where that is a pipe; None = none."""
    with suppress(OSError, ValueError):
        if os.isatty(sys.stdin.fileno()):
            return Keyboard(sys.stdin.fileno())
    try:
        return Keyboard(os.open(_TERMINAL, os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return None
