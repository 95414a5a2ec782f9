"""Which files match a pattern, and how one looks from outside."""

from __future__ import annotations

import os
import stat
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, TypeAlias

from triton_watch.discovery.errors import DiscoveryError

if TYPE_CHECKING:
    from pathlib import Path

Print: TypeAlias = tuple[int, ...]
"""How a file looks; another one means that its content may be another. Empty = it is not there."""

MOST_FILES: Final = 1000


def matching(pattern: Path) -> list[Path]:
    """List the files that match, sorted. A folder that cannot be listed is an error: nobody knows what is in it."""
    try:
        with os.scandir(pattern.parent) as entries:
            names = sorted(entry.name for entry in entries if _fits(entry.name, pattern.name) and _may_be_file(entry))
    except OSError as error:
        raise DiscoveryError(
            f"the folder {pattern.parent} cannot be listed ({error.strerror}): check the path."
        ) from error
    if len(names) > MOST_FILES:
        raise DiscoveryError(f"{pattern} matches {len(names)} files, over {MOST_FILES}: put the targets into fewer.")
    return [pattern.parent / name for name in names]


def _fits(name: str, pattern: str) -> bool:
    """Whether a name matches. As in a shell, `*` leaves out names that begin with a dot: editors' own files."""
    return fnmatchcase(name, pattern) and name.startswith(".") is pattern.startswith(".")


def _may_be_file(entry: os.DirEntry[str]) -> bool:
    """Whether it is no folder, and no pipe, on which a reader waits for ever. A link to nowhere is told of later."""
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return True


def fingerprint(path: Path) -> Print:
    """Return how a file looks now. Never raises."""
    try:
        status = os.stat(path)  # noqa: PTH116 - follows links, as ConfigMap mounts need
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
