"""Reads facts in a thread of its own, again and again, so that keys are answered while an answer hangs."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from triton_watch.cli.top.sources import UnheardError

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.cli.top.sources import Seen, Source
    from triton_watch.cli.top.view import ModelId
    from triton_watch.daemon.facts.model import ModelDetail


@dataclass(frozen=True, slots=True)
class Fetched:
    """The last answers. Times are monotonic seconds.

    `began` is when the first question was put, `heard_at` when `seen` came, None = never. `problem` says why the last
    question has no answer, "" = it has one. `detail` is of the model `detail_of`, and came at `detail_at`; None =
    there is no such model.
    """

    began: float
    seen: Seen | None = None
    heard_at: float | None = None
    problem: str = ""
    detail: ModelDetail | None = None
    detail_of: ModelId | None = None
    detail_at: float | None = None

    def aged(self, clock: float) -> Fetched:
        """Return the same as it is to be read at `clock`: ages grow while there is no answer.

        The moment of each answer, by the clock of who gave it, is moved on by the time that has passed here.
        """
        seen, detail = self.seen, self.detail
        if seen is not None and self.heard_at is not None:
            seen = replace(seen, status=replace(seen.status, at=seen.status.at + clock - self.heard_at))
        if detail is not None and self.detail_at is not None:
            detail = replace(detail, at=detail.at + clock - self.detail_at)
        return replace(self, seen=seen, detail=detail)


class Fetching:
    """Asks `source` every `interval` seconds while it is wanted; `wake` is called after each answer, in its thread."""

    def __init__(
        self,
        source: Source,
        interval: float,
        wake: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._interval = interval
        self._wake = wake
        self._clock = clock
        self._condition = threading.Condition()
        self._is_wanted = True
        self._is_paused = False
        self._is_over = False
        self._model: ModelId | None = None
        self.latest = Fetched(clock())
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    def start(self) -> None:
        """Begin; the first question is put at once."""
        self._thread.start()

    def look_at(self, model: ModelId | None) -> None:
        """Ask for the details of this model, too, and at once; None = of none."""
        with self._condition:
            self._is_wanted |= model is not None and model != self._model
            self._model = model
            self._condition.notify()

    def pace(self, interval: float, *, is_paused: bool) -> None:
        """Ask every so many seconds from now on, or only when told to."""
        with self._condition:
            self._interval, self._is_paused = interval, is_paused
            self._condition.notify()

    def refresh(self) -> None:
        """Ask now."""
        with self._condition:
            self._is_wanted = True
            self._condition.notify()

    def stop(self, patience: float) -> bool:
        """Ask no more; return whether nothing is under way after `patience` seconds."""
        with self._condition:
            self._is_over = True
            self._condition.notify()
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        asked_at = self._clock()
        while self._waited(asked_at):
            asked_at = self._clock()
            self.latest = self._asked()
            self._wake()

    def _waited(self, asked_at: float) -> bool:
        """Wait until something is to be asked; return False when nothing is any more."""
        with self._condition:
            while not self._is_over and not self._is_wanted:
                left = None if self._is_paused else asked_at + self._interval - self._clock()
                if left is not None and left <= 0:
                    break
                self._condition.wait(left)
            self._is_wanted = False
            return not self._is_over

    def _asked(self) -> Fetched:
        """Put the questions. A fault of ours is told as what it is, and the next question is put all the same."""
        model = self._model
        try:
            if model is not None and model != self.latest.detail_of:
                # What somebody waits for comes first.
                self.latest = self._with_detail(self.latest, model)
                self._wake()
                model = None
            seen = self._source.read()
            heard = replace(self.latest, seen=seen, heard_at=self._clock(), problem="")
            return heard if model is None else self._with_detail(heard, model)
        except UnheardError as error:
            return replace(self.latest, problem=str(error))
        except Exception as error:  # noqa: BLE001 - shown where it is read; this thread must not end unheard
            return replace(
                self.latest, problem=f"this is a fault of triton-watch itself: {type(error).__name__}: {error}"
            )

    def _with_detail(self, fetched: Fetched, model: ModelId) -> Fetched:
        """Return it with what is known of this model now. Raises UnheardError."""
        detail = self._source.detail(model)
        return replace(fetched, detail=detail, detail_of=model, detail_at=self._clock())
