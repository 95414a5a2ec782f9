"""Where a model stands, in one word: what lists are sorted and filtered by."""

from __future__ import annotations

from enum import Enum


class Standing(str, Enum):
    """The worst that is to be said of a model or a target, the worst first."""

    WRONG = "wrong"
    """Clients get errors or nonsense, and the server counts success."""
    FAILING = "failing"
    """It fails and that shows: not ready, wedged, its canary or its requests fail."""
    BURNING = "burning"
    """It works, and an error budget burns or is exhausted."""
    UNKNOWN = "unknown"
    """Nobody can tell: its server is silent or not polled of late, its metrics are unread, its canary is undecided."""
    ADVICE = "advice"
    """It works, and could work better, or no canary can ask it."""
    OK = "ok"
    UNLOADED = "unloaded"
    """Nobody asked for it to be loaded."""

    @property
    def rank(self) -> int:
        """Order by weight: 0 is the worst."""
        return list(Standing).index(self)
