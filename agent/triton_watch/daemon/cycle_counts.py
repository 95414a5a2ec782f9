"""How many cycles each target had, how many were skipped, and what failed in them."""

from __future__ import annotations

import threading
from types import MappingProxyType
from typing import TYPE_CHECKING

from triton_watch.daemon.state import TargetCounts
from triton_watch.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import TargetSnapshot


class CycleCounts:
    """The counts of the watched targets. For any number of threads; `view` never changes after it was handed out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Held for moments."""
        self.view: Mapping[str, TargetCounts] = MappingProxyType({})

    def watch(self, target: str) -> None:
        """Begin with a target, at 0."""
        with self._lock:
            self._set(target, TargetCounts())

    def forget(self, target: str) -> None:
        """A target is no longer watched."""
        with self._lock:
            self.view = MappingProxyType({name: counts for name, counts in self.view.items() if name != target})

    def cycle(self, target: str, snapshot: TargetSnapshot) -> None:
        """Count a cycle, and the probes that failed in it by their outcome."""
        failed = [(name, probe.outcome) for name, probe in snapshot.probes.items() if probe.outcome is not Outcome.OK]
        with self._lock:
            if (old := self.view.get(target)) is not None:
                failures = dict(old.failures)
                for key in failed:
                    failures[key] = failures.get(key, 0) + 1
                self._set(target, TargetCounts(old.cycles + 1, old.skipped, MappingProxyType(failures)))

    def skip(self, target: str) -> None:
        """Count a cycle that was due while the one before had not ended."""
        with self._lock:
            if (old := self.view.get(target)) is not None:
                self._set(target, TargetCounts(old.cycles, old.skipped + 1, old.failures))

    def _set(self, target: str, counts: TargetCounts) -> None:
        self.view = MappingProxyType({**self.view, target: counts})
