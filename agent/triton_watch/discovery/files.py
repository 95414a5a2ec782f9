"""The targets files that match a pattern, looked at again and again.

Only a file that was read whole and found good changes what is known of it. A file is read once it looks the same at
two looks in a row, so that one that is being written is not, and its targets go once it is missing at two.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, TypeAlias

from triton_watch.config.errors import ConfigError
from triton_watch.discovery.errors import DiscoveryError
from triton_watch.discovery.targets_file import MAX_BYTES, parse

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import FileSource, Target

_Print: TypeAlias = tuple[int, ...]

MOST_FILES: Final = 1000
_MOST_WAITS: Final = 5
"""Looks after which a file that changes all the time is read nevertheless."""
_GONE_AFTER: Final = 2
"""Looks without it: some editors move a file away before they write its new content."""
_MOST_TOLD: Final = 5
"""Files that a problem names: it stands on one line of the log, and on a page."""


@dataclass(slots=True)
class _File:
    """What is known of one file: how it looked last, how it looked when it was read, and what it said."""

    seen: _Print = ()
    read: _Print = ()
    waits: int = 0
    missing: int = 0
    targets: tuple[Target, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the files gave. `failures` counts what could not be read now; `problem` holds until mended."""

    targets: tuple[Target, ...]
    failures: int = 0
    problem: str = ""


class Files:
    """Looks at the files of a source. For one thread at a time.

    `before` looked at the same pattern for other settings: what it knew of a file counts until this one has read it.
    """

    def __init__(self, source: FileSource, before: Files | None = None) -> None:
        self._pattern = source.pattern
        self._template = source.template
        self._files = {} if before is None else before.remembered()
        self._is_first = True

    def remembered(self) -> dict[Path, _File]:
        """What each file said last, as if it had to be read again. From any thread."""
        return {path: _File(targets=file.targets) for path, file in list(self._files.items())}

    def look(self) -> Look:
        """Read what changed; targets are in the order of the files' names, and within a file in its own."""
        failures = 0
        try:
            found = _matching(self._pattern)
        except DiscoveryError as error:
            return Look(self._targets(), 1, str(error))
        for path in found:
            failures += self._tend(path, self._files.setdefault(path, _File()))
        for path in [path for path in self._files if path not in found]:
            self._files[path].missing += 1
            if self._files[path].missing >= _GONE_AFTER:
                del self._files[path]
        self._is_first = False
        return Look(self._targets(), failures, self._problem())

    def _targets(self) -> tuple[Target, ...]:
        return tuple(target for _, file in sorted(self._files.items()) for target in file.targets)

    def _problem(self) -> str:
        problems = [file.problem for _, file in sorted(self._files.items()) if file.problem]
        more = len(problems) - _MOST_TOLD
        return "; ".join(problems[:_MOST_TOLD]) + (f"; and {more} more files are not good" if more > 0 else "")

    def _tend(self, path: Path, file: _File) -> bool:
        """Read a file where that is due; return whether it failed."""
        now, before = _fingerprint(path), file.seen
        file.seen, file.missing = now, 0
        if now and now == file.read:
            file.waits = 0
            return False
        if now != before and not self._is_first and file.waits < _MOST_WAITS:
            file.waits += 1
            return False
        return not self._read(path, file, now)

    def _read(self, path: Path, file: _File, now: _Print) -> bool:
        file.waits = 0
        try:
            with path.open("rb") as opened:
                content = opened.read(MAX_BYTES + 1)
        except OSError as error:
            file.problem = f"{path} cannot be read ({error.strerror}): check its owner and mode."
            return False
        file.read = now
        try:
            file.targets = parse(content, str(path), self._template)
        except ConfigError as error:
            file.problem = "; ".join(str(error).splitlines()[:3])
            return False
        file.problem = ""
        return True


def _matching(pattern: Path) -> list[Path]:
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


def _fingerprint(path: Path) -> _Print:
    try:
        status = os.stat(path)  # noqa: PTH116 - follows links, as ConfigMap mounts need
    except OSError:
        return ()
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
