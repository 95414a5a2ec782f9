"""Noticing that the configuration changed: the file itself, or a secret that it points to."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from triton_watch.config import ConfigError, load_apart

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.records import Settings

_LOOK_EVERY = 2.0
"""Seconds between two looks at the file's size and time."""
_LOAD_EVERY = 300.0
"""Seconds after which it is loaded again in any case: a `*_file` secret or the file's target may have changed."""


class ConfigWatcher:
    """Watches one configuration file. `clock` gives monotonic seconds; `adjust` puts flags over what was loaded."""

    def __init__(
        self,
        path: Path,
        current: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        adjust: Callable[[Settings], Settings] = lambda settings: settings,
    ) -> None:
        self._adjust = adjust
        self._path = path
        self._current = current
        self._clock = clock
        self._print = _fingerprint(path)
        self._looked = self._loaded = clock()
        self._complaint = ""

    def due(self) -> bool:
        """Whether it is time to load the file again."""
        now = self._clock()
        if now - self._loaded >= _LOAD_EVERY:
            return True
        if now - self._looked < _LOOK_EVERY:
            return False
        self._looked = now
        return _fingerprint(self._path) != self._print

    def load(self) -> Settings | None:
        """Load the file; return the settings, or None when they are what is in force already.

        Raises:
            ConfigError: the file is no longer good; the settings in force stay.
        """
        self._loaded = self._looked = self._clock()
        self._print = _fingerprint(self._path)
        settings = self._adjust(load_apart(self._path))
        self._complaint = ""
        if settings == self._current:
            return None
        self._current = settings
        return settings

    def is_news(self, error: ConfigError) -> bool:
        """Whether this error differs from the last one: a bad file is complained about once."""
        text = str(error)
        is_news = text != self._complaint
        self._complaint = text
        return is_news


def _fingerprint(path: Path) -> tuple[int, ...]:
    try:
        status = os.stat(path)  # noqa: PTH116 - follows links, as ConfigMap mounts need
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev)
