"""What the log says about canaries: when a model begins to fail, when it passes again, and what hinders one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from triton_watch.records import CanaryState, CanaryVerdict, ModelKey

if TYPE_CHECKING:
    import logging


class CanaryNews:
    """Tells of changes of the verdict, each once. For any number of threads."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._failing: set[tuple[str, ModelKey]] = set()
        self._notes: dict[tuple[str, ModelKey], str] = {}

    def tell(self, target: str, state: CanaryState) -> None:
        """Log what changed for a model since the last time."""
        has_note, has_verdict = self._is_new_note(target, state), self._is_news(target, state)
        if not (has_note or has_verdict):
            return
        facts: dict[str, object] = {"target": target, "model": state.key.name, "version": state.key.version}
        if has_note:
            self._log.warning("canary is hindered: %s", state.note, extra={"facts": facts})
        if not has_verdict:
            return
        if state.verdict is CanaryVerdict.PASSING:
            self._log.info("canary passes again", extra={"facts": facts})
        elif state.last_failure is not None:
            failure = state.last_failure
            facts["reason"] = failure.reason.value
            self._log.warning("canary fails: %s", failure.detail, extra={"facts": facts})

    def forget(self, target: str, key: ModelKey) -> None:
        """A model has no canary any more."""
        with self._lock:
            self._failing.discard((target, key))
            self._notes.pop((target, key), None)

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
                self._failing.add(place)
                return True
            if state.verdict is CanaryVerdict.PASSING and place in self._failing:
                self._failing.remove(place)
                return True
        return False
