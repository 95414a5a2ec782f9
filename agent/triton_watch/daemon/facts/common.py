"""Parts of several answers."""

from __future__ import annotations

from dataclasses import dataclass

from triton_watch.daemon.facts.moment import Moment
from triton_watch.records.history import EventKind, EventLevel
from triton_watch.slo.troubles import Level

VERSION = 1
"""Of all answers: it changes when a field changes its meaning or goes away; fields may be added."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to know, in a sentence that says what to do. `model` and `version` are null for the whole server."""

    level: Level
    sentence: str
    model: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that went wrong or is well again. The same thing again counts up `count` and moves `last`."""

    at: Moment
    last: Moment
    count: int
    kind: EventKind
    level: EventLevel
    target: str
    model: str | None
    version: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Links:
    """Where to read on; null where nothing is configured. `page` is a path of the agent itself."""

    page: str
    dashboard: str | None = None
