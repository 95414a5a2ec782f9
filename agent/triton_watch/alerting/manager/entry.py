"""One alert in an outbox: what was told of it, and when it is to be told again. `clock` is monotonic seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from triton_watch.alerting.manager.payload import Payload

KEEP: Final = 300.0
"""Seconds for which a resolved alert is repeated: one that is lost in a peer's crash would fire until it times out."""


@dataclass(slots=True)
class Entry:
    """One alert. `told`: when the peer last took it as it is; `ended`: when it first took it as resolved.

    `ended_at` is the same in Unix seconds, for whoever keeps it over a restart.
    """

    payload: Payload
    told: float | None = None
    ended: float | None = None
    ended_at: float | None = None
    refused: Payload | None = None
    refused_at: float = 0.0
    reason: str = ""
    """Why it was refused, the last time; kept until it is taken."""
    is_suspect: bool = False
    """It was in a batch that was refused: it goes alone."""

    def update(self, payload: Payload) -> None:
        """Take its state of now."""
        if payload.times != self.payload.times:
            self.told = self.ended = self.ended_at = None
        self.payload = payload

    def is_due(self, clock: float, interval: float) -> bool:
        """Whether it is to be told now. What was refused waits until it changed, and never comes more often."""
        if self.is_over(clock):
            return False
        if self.refused is not None and self.refused.times == self.payload.times:
            return self.refused != self.payload and clock >= self.refused_at + interval
        return self.told is None or clock >= self.told + interval

    def is_over(self, clock: float) -> bool:
        """Whether there is nothing more to tell about it, ever."""
        if self.payload.resolved_at is None:
            return False
        return self.refused == self.payload or (self.ended is not None and clock >= self.ended + KEEP)
