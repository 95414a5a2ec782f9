"""What the daemon does with its keeper, without a daemon."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from triton_watch.store.keeper import RETRY, StoreKeeper
from triton_watch.store.reader import read
from unit.store.ledgers import START, Ledger, key, told

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import FloatArray

LOG = logging.getLogger("daemons")


class Daemon:
    """What the daemon does with its keeper, on a clock of the test's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds = 0.0
        self.keeper = StoreKeeper(folder, now=lambda: START + self.seconds, log=LOG, clock=lambda: self.seconds)
        self.ledger = Ledger()
        self.ledger.add(key("a"), key("b"))
        self.flushes = 0

    def flush(self, good: FloatArray | float = 3.0) -> None:
        """One flush, a quarter of a minute after the last one."""
        self.seconds += 15.0
        self.ledger.pass_by(15.0, good, 1.0)
        change = self.ledger.change()
        self.keeper.flush([self.ledger.whole() if self.keeper.needs_full else change])

    def recover(self) -> None:
        """The first flush after the back-off."""
        self.seconds += RETRY
        self.flush()

    def is_stored(self) -> bool:
        """Whether all events are in the directory."""
        return [told(one) for one in read(self.folder).ledgers] == [told(self.ledger.whole())]

    def failures(self) -> dict[str, int]:
        return {kind: count for kind, count in self.keeper.status().failures.items() if count}


def asides(folder: Path) -> list[str]:
    """The names of the files that were set aside."""
    return sorted(file.name for file in folder.glob("*.aside-*"))
