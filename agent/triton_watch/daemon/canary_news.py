"""What is said about canaries: when a model begins to fail, when it passes again, and what hinders one."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Final

from triton_watch.daemon.chronicle import News, Topic
from triton_watch.records import CanaryState, CanaryVerdict, EventKind, EventLevel, ModelKey

if TYPE_CHECKING:
    from triton_watch.daemon.chronicle import Chronicle

_HINDERED: Final = "hindered"


class CanaryNews:
    """Tells of changes of the verdict, each once, and counts the canaries that go on failing. For any thread."""

    def __init__(self, chronicle: Chronicle) -> None:
        self._chronicle = chronicle
        self._lock = threading.Lock()
        self._failing: dict[tuple[str, ModelKey], float] = {}
        """When the last canary of each model that fails ended, monotonic seconds."""
        self._notes: dict[tuple[str, ModelKey], str] = {}

    def tell(self, target: str, state: CanaryState) -> None:
        """Say what changed for a model since the last time."""
        if self._is_new_note(target, state):
            self._say(target, state, EventLevel.TROUBLE, f"canary is hindered: {state.note}", name=_HINDERED)
        if not self._is_news(target, state):
            if self._fails_again(target, state):
                self._chronicle.again(Topic.of_model(EventKind.CANARY, target, state.key))
        elif state.verdict is CanaryVerdict.PASSING:
            self._say(target, state, EventLevel.RECOVERY, "canary passes again")
        elif state.last_failure is not None:
            failure = state.last_failure
            message = f"canary fails: {failure.detail}"
            self._say(target, state, EventLevel.TROUBLE, message, reason=failure.reason.value)

    def forget(self, target: str, key: ModelKey) -> None:
        """A model has no canary any more."""
        with self._lock:
            self._failing.pop((target, key), None)
            self._notes.pop((target, key), None)

    def _say(
        self, target: str, state: CanaryState, level: EventLevel, message: str, *, name: str = "", reason: str = ""
    ) -> None:
        facts = {"target": target, "model": state.key.name, "version": state.key.version}
        if reason:
            facts["reason"] = reason
        topic = Topic.of_model(EventKind.CANARY, target, state.key, name)
        self._chronicle.tell(News(topic, level, message, facts))

    def _is_new_note(self, target: str, state: CanaryState) -> bool:
        if state.last is None and state.last_skip is None:
            return False  # nobody has tried yet: it may be nothing but a configuration that is still to come
        with self._lock:
            before = self._notes.get((target, state.key), "")
            self._notes[target, state.key] = state.note
        return bool(state.note) and state.note != before

    def _is_news(self, target: str, state: CanaryState) -> bool:
        place = target, state.key
        with self._lock:
            if state.verdict is CanaryVerdict.FAILING and place not in self._failing:
                self._failing[place] = -math.inf if state.last is None else state.last.ended
                return True
            if state.verdict is CanaryVerdict.PASSING and place in self._failing:
                del self._failing[place]
                return True
        return False

    def _fails_again(self, target: str, state: CanaryState) -> bool:
        """Whether a canary of a model that fails failed since the last time: a poll tells of the same one, too."""
        place, last = (target, state.key), state.last
        with self._lock:
            if last is None or last.ended <= self._failing.get(place, math.inf):
                return False
            self._failing[place] = last.ended
        return not last.ok
