"""The screen, drawn again and again: it waits for keys, answers, signals and the next second, and for nothing else."""

from __future__ import annotations

import os
import select
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live

from triton_watch.cli.top.cells import Encoded
from triton_watch.cli.top.detail_screen import detail_lines, help_lines
from triton_watch.cli.top.fetching import Fetching
from triton_watch.cli.top.list_screen import Place, list_lines, rows_on
from triton_watch.cli.top.press import press
from triton_watch.cli.top.view import Screen, View

if TYPE_CHECKING:
    from rich.text import Text

    from triton_watch.cli.top.keyboard import Keyboard
    from triton_watch.cli.top.signals import Signals
    from triton_watch.cli.top.sources import Source

_TICK: Final = 1.0
"""Seconds after which ages are written anew."""
_ESCAPE: Final = 0.05
"""Seconds after which an escape that nothing follows is the key of that name."""
_PATIENCE: Final = 0.3
"""Seconds that an answer under way gets at the end."""


class Top:
    """One run. `keyboard` None = there are no keys: it goes on until a signal ends it."""

    def __init__(self, source: Source, view: View, keyboard: Keyboard | None, signals: Signals) -> None:
        self._source = source
        self._view = view
        self._keyboard = keyboard
        self._signals = signals
        self._console = Console(file=sys.stdout, highlight=False)
        self._live = Live(
            console=self._console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )
        self._fetching = Fetching(source, view.interval, signals.wake)
        self._size = os.terminal_size((80, 24))

    def run(self) -> bool:
        """Show the screen until somebody ends it; return whether there ever was an answer."""
        self._fetching.start()
        with ExitStack() as stack:
            if self._keyboard is not None:
                stack.enter_context(self._keyboard)
            stack.enter_context(self._live)
            while not (self._view.is_over or self._signals.ends):
                self._draw()
                self._wait()
        self._fetching.stop(_PATIENCE)
        seen = self._fetching.latest.seen
        return seen is not None and seen.is_heard

    def _wait(self) -> None:
        """Wait for what happens next, and take it."""
        keys = [] if self._keyboard is None else [self._keyboard.file]
        is_begun = self._keyboard is not None and self._keyboard.is_waiting
        ready, _, _ = select.select([self._signals.file, *keys], [], [], _ESCAPE if is_begun else _TICK)
        if self._signals.file in ready:
            self._signals.drain()
        if self._signals.take_stop():
            self._stop()
        if self._keyboard is None:
            return
        if self._keyboard.file in ready:
            self._press(self._keyboard.read())
        elif is_begun:
            self._press(self._keyboard.take())

    def _press(self, keys: list[str] | None) -> None:
        """Take keys; a terminal that is gone ends it."""
        if keys is None:
            self._view = replace(self._view, is_over=True)
            return
        for key in keys:
            latest = self._fetching.latest
            models = latest.seen.models if latest.seen is not None else ()
            targets = [one.name for one in latest.seen.status.targets] if latest.seen is not None else []
            before = self._view
            self._view = press(before, key, models, targets, self._height())
            self._ask(before)

    def _ask(self, before: View) -> None:
        view = self._view
        if (view.interval, view.is_paused) != (before.interval, before.is_paused):
            self._fetching.pace(view.interval, is_paused=view.is_paused)
        if view.refreshes != before.refreshes:
            self._fetching.refresh()
        if view.opened != before.opened:
            self._fetching.look_at(view.opened)

    def _height(self) -> int:
        """Return how many rows a page is, on the screen that is shown."""
        if self._view.screen in (Screen.LIST, Screen.FILTER):
            return rows_on(self._fetching.latest, self._view, self._place())
        return self._size.lines - 1

    def _draw(self) -> None:
        self._size = _terminal_size()
        # Rich takes COLUMNS and LINES for it, which a shell may have set before the window was resized.
        self._console.size = (self._size.columns, self._size.lines)
        self._live.update(Encoded(Group(*self._lines()), sys.stdout.encoding or "ascii"), refresh=True)

    def _lines(self) -> list[Text]:
        latest, place = self._fetching.latest, self._place()
        if self._view.screen is Screen.DETAIL:
            lines, first = detail_lines(latest, self._view, place)
        elif self._view.screen is Screen.HELP:
            lines, first = help_lines(self._view, place)
        else:
            lines, first = list_lines(latest, self._view, place), 0
        self._view = replace(self._view, scroll=first)
        return lines[: place.height]

    def _place(self) -> Place:
        size = self._size
        return Place(size.columns, size.lines, self._source.where, self._source.has_alerts, time.monotonic())

    def _stop(self) -> None:
        """Give the terminal back, stop, and take it again when somebody lets this go on."""
        self._live.stop()
        if self._keyboard is not None:
            self._keyboard.leave()
        self._signals.sleep()
        if self._keyboard is not None:
            self._keyboard.enter()
        self._live.start()


def _terminal_size() -> os.terminal_size:
    try:
        size = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        return os.terminal_size((80, 24))
    # A terminal that does not say its size says 0.
    return os.terminal_size((size.columns or 80, size.lines or 24))
