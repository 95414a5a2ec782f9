"""What happened of late: each change is one line in the log and one event on the pages, said in one place.

The log says a thing once; its event goes on counting while it lasts. Events are in memory, and bounded so that nobody
pushes the others out: where there is no room for a new one, the target or model with the most loses its oldest.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.records import Event, EventKind, EventLevel
from triton_watch.wording.text import clip, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from triton_watch.records import ModelKey

OF_A_SUBJECT: Final = 20
"""Events that are kept of one model, and of each target itself."""
OF_A_TARGET: Final = 200
IN_ALL: Final = 500
LONGEST: Final = 500
"""Characters of a sentence."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What can be well or not, and goes from one to the other: some probes, a model, its canary, an alert."""

    kind: EventKind
    target: str
    model: str = ""
    version: str = ""
    name: str = ""
    """Which, where there are several of the kind."""

    @classmethod
    def of_model(cls, kind: EventKind, target: str, key: ModelKey, name: str = "") -> Topic:
        """A topic of one model version."""
        return cls(kind, target, key.name, key.version, name)


@dataclass(frozen=True, slots=True)
class News:
    """Something that changed. `message` and `facts` are for the log, `sentence` is the event's; "" = as the message.

    `level` None: it is neither a trouble nor its end, and no event.
    """

    topic: Topic
    level: EventLevel | None
    message: str
    facts: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    sentence: str = ""


class Chronicle:
    """Tells news and keeps them. For any number of threads. `now` gives Unix seconds.

    `log` is for what is worth a line, and is no event. Events are kept of the targets that are watched; what is told
    of others is in the log alone.
    """

    def __init__(self, log: logging.Logger, *, now: Callable[[], float] = time.time) -> None:
        self.log = log
        self._now = now
        self._lock = threading.Lock()
        """Held for moments."""
        self._events: dict[str, dict[int, tuple[Topic, Event]]] = {}
        """By target, then by number in the order of their beginnings."""
        self._last: dict[Topic, int] = {}
        """The trouble of each topic that has not ended."""
        self._number = 0

    def watch(self, target: str) -> None:
        """Begin with a target."""
        with self._lock:
            self._events.setdefault(target, {})

    def forget(self, target: str) -> None:
        """A target is no longer watched."""
        with self._lock:
            for topic, _ in self._events.pop(target, {}).values():
                self._last.pop(topic, None)

    def tell(self, news: News) -> None:
        """Log a change, and keep it; where the last event of its topic says the same, that one counts on."""
        self.log.log(
            logging.WARNING if news.level is EventLevel.TROUBLE else logging.INFO,
            "%s",
            news.message,
            extra={"facts": dict(news.facts)},
        )
        if news.level is not None:
            self._keep(news.topic, _event(news.topic, news.level, news.sentence or news.message, self._now()))

    def again(self, topic: Topic) -> None:
        """The trouble that was told last of a topic goes on: it counts, and the log is silent."""
        with self._lock:
            self._count(topic)

    def end(self, topics: Iterable[Topic]) -> None:
        """The troubles of these topics ended with news of another: what they say next is not the same again."""
        with self._lock:
            for topic in topics:
                self._last.pop(topic, None)

    def events(self) -> tuple[Event, ...]:
        """All events, those first that were the last to happen."""
        with self._lock:
            events = [(number, event) for mine in self._events.values() for number, (_, event) in mine.items()]
        return tuple(event for _, event in sorted(events, key=lambda one: (one[1].last, one[0]), reverse=True))

    def _keep(self, topic: Topic, event: Event) -> None:
        with self._lock:
            mine = self._events.get(topic.target)
            if mine is None:
                return
            before = mine.get(self._last.get(topic, 0))
            if before is not None and before[1].level is event.level and before[1].sentence == event.sentence:
                self._count(topic)
                return
            self._make_room(mine, topic)
            self._number += 1
            mine[self._number] = topic, event
            if event.level is EventLevel.TROUBLE:
                self._last[topic] = self._number
            else:
                self._last.pop(topic, None)

    def _count(self, topic: Topic) -> None:
        mine, number = self._events.get(topic.target, {}), self._last.get(topic, 0)
        if number in mine:
            event = mine[number][1]
            mine[number] = topic, replace(event, count=event.count + 1, last=self._now())

    def _make_room(self, mine: dict[int, tuple[Topic, Event]], topic: Topic) -> None:
        of_subject = [number for number, (other, _) in mine.items() if _subject(other) == _subject(topic)]
        if len(of_subject) >= OF_A_SUBJECT:
            self._drop(mine, of_subject)
        elif len(mine) >= OF_A_TARGET:
            self._drop(mine, _of_the_loudest(mine))
        elif sum(map(len, self._events.values())) >= IN_ALL:
            loudest = max(self._events.values(), key=len)
            self._drop(loudest, _of_the_loudest(loudest))

    def _drop(self, of_target: dict[int, tuple[Topic, Event]], numbers: Iterable[int]) -> None:
        number = min(numbers, key=lambda one: of_target[one][1].last)
        topic, _ = of_target.pop(number)
        if self._last.get(topic) == number:
            del self._last[topic]


def _of_the_loudest(events: Mapping[int, tuple[Topic, Event]]) -> list[int]:
    """The events of the models that have the most; those of the target itself where no model has any."""
    counts = Counter(_subject(topic) for topic, _ in events.values())
    most = max((count for subject, count in counts.items() if subject[0]), default=0)
    found = [number for number, (topic, _) in events.items() if topic.model and counts[_subject(topic)] == most]
    return found or list(events)


def _subject(topic: Topic) -> tuple[str, str]:
    return topic.model, topic.version


def _event(topic: Topic, level: EventLevel, sentence: str, at: float) -> Event:
    said = clip(printable(sentence[:1].upper() + sentence[1:]), LONGEST)
    return Event(at, at, topic.kind, level, topic.target, said, topic.model, topic.version)
