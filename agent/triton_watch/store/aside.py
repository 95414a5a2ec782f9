"""Put a file that is no good out of the way, and keep it for whoever wants to know."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEPT = 3
"""Files that are kept; the oldest go."""

_SUFFIXES = ("-wal", "-shm", "-journal", "")
"""The file itself last: as long as it has its name, its log is not taken for that of a new file."""


def set_aside(path: Path, reason: str, at: float) -> Path:
    """Rename a store and its log to `NAME.aside-TIME-REASON`; return the new path. `at` is Unix seconds.

    Raises OSError. A folder in the place of the file is renamed too, and never removed.
    """
    moment = dt.datetime.fromtimestamp(at, dt.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    stem = f"{path.name}.aside-{moment}-{reason}"
    names = (stem if number == 1 else f"{stem}-{number}" for number in count(1))
    aside = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    for suffix in _SUFFIXES:
        beside = path.with_name(path.name + suffix)
        if beside.exists() or not suffix:
            beside.rename(aside.with_name(aside.name + suffix))
    _prune(path)
    return aside


def _prune(path: Path) -> None:
    found = path.parent.glob(f"{path.name}.aside-*")
    files = [one for one in found if one.is_file() and not one.name.endswith(_SUFFIXES[:-1])]
    for old in sorted(files, key=lambda one: one.name.split(".aside-")[1])[:-KEPT]:
        for suffix in _SUFFIXES:
            old.with_name(old.name + suffix).unlink(missing_ok=True)
