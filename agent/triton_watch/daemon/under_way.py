"""Work that is under way in threads, so that an agent that ends knows what it leaves behind."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class UnderWay:
    """Counts what is under way. For any number of threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0
        self.is_closed = False

    @contextmanager
    def one(self) -> Iterator[bool]:
        """Be under way; False when nothing may begin any more."""
        with self._changed:
            may_begin = not self.is_closed
            self._count += may_begin
        try:
            yield may_begin
        finally:
            with self._changed:
                self._count -= may_begin
                self._changed.notify_all()

    def close(self) -> None:
        """Let nothing begin any more."""
        with self._changed:
            self.is_closed = True

    def wait(self, patience: float) -> bool:
        """Wait at most so many seconds for what is under way; return whether all has ended."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, max(0.0, patience))
