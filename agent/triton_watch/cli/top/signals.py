"""Signals as marks that a loop looks at: a handler that did more could come at any moment."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from typing_extensions import Self

_END: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_NOTED: Final = (*_END, signal.SIGTSTP, signal.SIGWINCH)


class Signals:
    """Notes signals while it is entered; `file` can be waited for, and is woken by signals and by `wake`."""

    def __init__(self) -> None:
        self.ends = False
        self._stops = False
        self._before: dict[signal.Signals, object] = {}
        self.file, self._other = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def wake(self) -> None:
        """Wake who waits; from any thread."""
        try:
            os.write(self._other, b"\0")
        except OSError:
            return  # it is full, so it wakes anyway; or all is over

    def drain(self) -> None:
        """Forget that somebody was woken."""
        try:
            while os.read(self.file, 4096):
                pass
        except BlockingIOError:
            return

    def take_stop(self) -> bool:
        """Return whether Ctrl-Z was pressed since the last call."""
        stops, self._stops = self._stops, False
        return stops

    @staticmethod
    def sleep() -> None:
        """Stop this process as Ctrl-Z does; returns when somebody lets it go on."""
        before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, before)

    def _note(self, number: int, _: FrameType | None) -> None:
        if number in _END:
            self.ends = True
        elif number == signal.SIGTSTP:
            self._stops = True
        self.wake()

    def __enter__(self) -> Self:
        for number in _NOTED:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # it came from `signal.signal`
