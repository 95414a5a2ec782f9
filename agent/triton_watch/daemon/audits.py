"""Checks of the live servers' configurations, one at a time, in a thread of their own."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from triton_watch.records import CheckSettings, Finding, ModelConfig, ModelState, Target, TargetSnapshot


class Audit(Protocol):
    """Checks one live server. It may raise anything: the agent goes on, and says so once."""

    def __call__(self, target: Target, settings: CheckSettings, /) -> tuple[Finding, ...]:
        """Return what is wrong with its configuration."""


_SETTLE: Final = 10.0
"""Seconds for which a server is left alone after its models changed: more changes come with the first."""


@dataclass(slots=True)
class _Seen:
    """What a target looked like, since when, and when it was checked; monotonic seconds."""

    models: tuple[ModelState, ...]
    configs: Mapping[str, ModelConfig]
    since: float
    checked: float | None = None
    complaint: str = ""


class Audits:
    """Decides when to check which target, and keeps what was found. `clock` gives monotonic seconds.

    A target is checked when its models or their configurations changed, and every `interval` seconds (None = never).
    """

    def __init__(
        self,
        audit: Audit | None,
        settings: CheckSettings,
        interval: float | None,
        *,
        log: logging.Logger,
        clock: Callable[[], float],
    ) -> None:
        self._audit = audit
        self._settings = settings
        self._interval = interval
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        """Held for moments: the settings change from one thread, and are used by another."""
        self._seen: dict[str, _Seen] = {}
        self._findings: Mapping[str, tuple[Finding, ...]] = MappingProxyType({})
        self._closed = False

    def findings(self) -> Mapping[str, tuple[Finding, ...]]:
        """What the last check of each target found; not changed after it was handed out."""
        return self._findings

    def swap(self, settings: CheckSettings, interval: float | None) -> None:
        """Go over to other settings; where they differ all targets are checked again."""
        with self._lock:
            if settings != self._settings:
                self._seen = {}
            self._settings, self._interval = settings, interval
            if interval is None:
                self._replace({})

    def close(self) -> None:
        """Begin no check any more."""
        self._closed = True

    def run_due(self, snapshots: Mapping[str, TargetSnapshot]) -> None:
        """Check the targets that are due, one after the other; called again and again, by one thread."""
        with self._lock:
            self._seen = {name: seen for name, seen in self._seen.items() if name in snapshots}
            if self._findings.keys() - snapshots.keys():
                self._replace({name: found for name, found in self._findings.items() if name in snapshots})
        for name, snapshot in snapshots.items():
            if snapshot.is_heard and self._audit is not None:
                self._check_if_due(self._audit, name, snapshot)

    def _check_if_due(self, audit: Audit, name: str, snapshot: TargetSnapshot) -> None:
        with self._lock:
            settings, interval = self._settings, self._interval
            if self._closed or interval is None or not self._is_due(name, snapshot, interval):
                return
            seen = self._seen[name]
            seen.checked = self._clock()
        found = self._found(audit, name, snapshot.target, settings, seen)
        with self._lock:
            # What was asked for before other settings came, or of a target that is gone, is told no more.
            if found is not None and self._seen.get(name) is seen and self._interval is not None:
                self._replace({**self._findings, name: found})

    def _is_due(self, name: str, snapshot: TargetSnapshot, interval: float) -> bool:
        now, models, configs = self._clock(), snapshot.models or (), snapshot.configs or {}
        seen = self._seen.get(name)
        if seen is None:
            seen = self._seen[name] = _Seen(models, configs, now)
        elif seen.models != models or seen.configs != configs:
            seen.models, seen.configs, seen.since = models, configs, now
        if now - seen.since < _SETTLE:
            return False
        return seen.checked is None or seen.checked < seen.since or now - seen.checked >= interval

    def _found(
        self, audit: Audit, name: str, target: Target, settings: CheckSettings, seen: _Seen
    ) -> tuple[Finding, ...] | None:
        try:
            found = audit(target, settings)
        except Exception as error:  # noqa: BLE001 - whatever a configuration does to a check, the agent watches on
            if str(error) != seen.complaint:
                self._log.warning("the configuration of %s could not be checked: %s", name, error)
            seen.complaint = str(error)
            return None
        seen.complaint = ""
        return found

    def _replace(self, findings: Mapping[str, tuple[Finding, ...]]) -> None:
        self._findings = MappingProxyType(dict(findings))
