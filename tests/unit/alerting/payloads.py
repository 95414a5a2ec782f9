"""Alerts as a peer is told of them, and a peer that answers as a test wants."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from triton_watch.alerting.manager.outbox import Outbox
from triton_watch.alerting.manager.payload import Payload, merged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.records import Labels

NOW = 1_760_000_000.0
INTERVAL = 60.0


def payload(
    name: str, resolved_at: float | None = None, *, starts_at: float = NOW, detail: str = "It is so."
) -> Payload:
    return Payload((("alertname", name),), (("description", detail),), starts_at, resolved_at, "http://localhost/?a")


def outbox(**options: Any) -> Outbox:
    return Outbox(INTERVAL, random.Random(7), **options)


class Box:
    """An outbox, and a time that a test moves: monotonic seconds from 0, Unix seconds from NOW."""

    def __init__(self, **options: Any) -> None:
        self.box = outbox(**options)
        self.clock = 0.0

    @property
    def now(self) -> float:
        return NOW + self.clock

    def offer(self, *payloads: Payload) -> None:
        self.box.offer(merged(payloads), self.clock, self.now)

    def take(self) -> list[str]:
        """The peer takes all that is due: the names, `!` before a resolved one."""
        names: list[str] = []
        while batch := self.box.batch(self.clock):
            self.box.took(batch, self.clock, self.now)
            names += shown(batch)
        return names

    def told_over(self, seconds: float, *offered: Payload, every: float = 1.0) -> list[tuple[float, str]]:
        """When each was told in so many seconds, from the beginning of them on."""
        begin, told = self.clock, []
        while self.clock < begin + seconds:
            self.offer(*offered)
            told += [(self.clock - begin, name) for name in self.take()]
            self.clock += every
        return told


def shown(batch: Iterable[Payload]) -> list[str]:
    return [f"{'' if one.resolved_at is None else '!'}{name_of(one.labels)}" for one in batch]


def name_of(labels: Labels) -> str:
    return dict(labels)["alertname"]
