"""What one Alertmanager is still to be told: decided from how things are, not from what happened.

Each alert is told when it is new, when it fires anew or resolves, and again each resend interval; a resolved one until
`entry.KEEP` seconds after the peer first took it as resolved. So nothing is lost while a peer is down: once it answers,
it is told the last state of everything, also of what fired and resolved meanwhile. Pure: `clock` is monotonic seconds.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.manager.entry import Entry

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from triton_watch.alerting.manager.payload import Payload
    from triton_watch.records import Labels

BATCH: Final = 200
LIMIT: Final = 10_000
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0


class Outbox:
    """The alerts of one peer, at most `limit`. `rng` spreads the attempts to reach it."""

    def __init__(self, resend_interval: float, rng: random.Random, *, limit: int = LIMIT) -> None:
        self.resend_interval = resend_interval
        self.entries: dict[Labels, Entry] = {}
        self.sent = self.refused = self.failed = self.dropped = 0
        self._rng = rng
        self._limit = limit
        self._left_out: frozenset[Labels] = frozenset()
        self._failures = 0
        self._retry_at = -math.inf

    def offer(self, offered: Mapping[Labels, Payload], clock: float, now: float) -> None:
        """Take the state of all alerts that fire or have resolved; what is not among them any more has ended now."""
        for labels, entry in list(self.entries.items()):
            if labels not in offered:
                if entry.payload.resolved_at is None:
                    entry.update(replace(entry.payload, resolved_at=max(now, entry.payload.starts_at)))
                if entry.is_over(clock):
                    del self.entries[labels]
        for labels, payload in offered.items():
            if labels in self.entries:
                self.entries[labels].update(payload)
            else:
                self.entries[labels] = Entry(payload)
        self._bound(offered)

    def due(self, clock: float) -> bool:
        """Whether there is anything to send now."""
        if clock < self._retry_at:
            return False
        return any(entry.is_due(clock, self.resend_interval) for entry in self.entries.values())

    def batch(self, clock: float) -> tuple[Payload, ...]:
        """What to send next, what was never told first; empty = nothing now."""
        if clock < self._retry_at:
            return ()
        due = [entry for entry in self.entries.values() if entry.is_due(clock, self.resend_interval)]
        due.sort(key=lambda entry: (entry.is_suspect, entry.told is not None, entry.payload.resolved_at is not None))
        together = [entry.payload for entry in due if not entry.is_suspect]
        return tuple(together[:BATCH] or (entry.payload for entry in due[:1]))

    def took(self, batch: Sequence[Payload], clock: float, now: float) -> None:
        """Note that the peer took these; one that changed meanwhile stays due."""
        self.retry_now()
        self.sent += len(batch)
        for payload in batch:
            entry = self.entries.get(payload.labels)
            if entry is None or entry.payload.times != payload.times:
                continue
            entry.told, entry.refused, entry.reason, entry.is_suspect = clock, None, "", False
            if payload.resolved_at is not None and entry.ended is None:
                entry.ended, entry.ended_at = clock, now

    def refuse(self, batch: Sequence[Payload], reason: str, clock: float) -> Payload | None:
        """Note that the peer will not have this batch: each is sent alone then, to find the one that is wrong.

        Returns it once it is found, unless the same was said of it before.
        """
        self.retry_now()
        found = [self.entries[payload.labels] for payload in batch if payload.labels in self.entries]
        for entry in found:
            entry.is_suspect = True
        if len(batch) > 1 or not found:
            return None
        (entry,), (payload,) = found, batch
        is_news = entry.reason != reason
        entry.refused, entry.refused_at, entry.reason = payload, clock, reason
        self.refused += 1
        return payload if is_news else None

    def fail(self, clock: float) -> None:
        """Note that the peer did not answer as it should: all stays due, and waits a little."""
        self.failed += 1
        self._failures += 1
        # Not longer than the resend interval, or alerts would end at a peer that fails now and then.
        longest = min(LONGEST_WAIT, max(FIRST_WAIT, self.resend_interval))
        wait = min(longest, FIRST_WAIT * 2.0 ** min(self._failures - 1, 10))
        self._retry_at = clock + min(longest, max(FIRST_WAIT, wait * self._rng.uniform(0.75, 1.25)))

    def retry_now(self) -> None:
        """Forget that it failed."""
        self._failures = 0
        self._retry_at = -math.inf

    def waiting(self) -> int:
        """How many alerts the peer has yet to take as they are."""
        return sum(1 for entry in self.entries.values() if entry.told is None and entry.refused != entry.payload)

    def mark(self) -> object:
        """What is another one as soon as an alert comes, goes, fires anew, resolves or is taken as resolved."""
        return tuple((labels, entry.payload.times, entry.ended_at) for labels, entry in self.entries.items())

    def refusals(self) -> list[Entry]:
        """The alerts that the peer will not have."""
        return [entry for entry in self.entries.values() if entry.refused == entry.payload]

    def _bound(self, offered: Mapping[Labels, Payload]) -> None:
        """Drop what there is no room for: the oldest resolved first, then the newest of those that fire."""
        if len(self.entries) <= self._limit:
            self._left_out = frozenset()
            return
        ranked = sorted(self.entries, key=lambda labels: _rank(self.entries[labels]))
        dropped = ranked[self._limit :]
        for labels in dropped:
            del self.entries[labels]
        # One that is still offered comes again each time, and is counted once.
        self.dropped += len(frozenset(dropped) - self._left_out)
        self._left_out = frozenset(labels for labels in dropped if labels in offered)


def _rank(entry: Entry) -> tuple[bool, bool, float]:
    payload = entry.payload
    if payload.resolved_at is not None:
        return True, True, -payload.resolved_at
    return False, entry.told is None, payload.starts_at
