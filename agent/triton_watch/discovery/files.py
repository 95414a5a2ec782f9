"""The targets files that match a pattern, looked at again and again.

Only a file that was read whole and found good changes what is known of it. A file is read once it looks the same at
two looks in a row, so that one that is being written is not, and its targets go once it is missing at two.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from triton_watch.config.errors import ConfigError
from triton_watch.conventions.sentences import joined
from triton_watch.discovery.errors import DiscoveryError
from triton_watch.discovery.matching import fingerprint, matching
from triton_watch.discovery.targets_file import MAX_BYTES, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from triton_watch.discovery.matching import Print
    from triton_watch.records import FileSource, Target

_MOST_WAITS: Final = 5
"""Looks after which a file that changes all the time is read nevertheless."""
_GONE_AFTER: Final = 2
"""Looks without it: some editors move a file away before they write its new content."""
_MOST_TOLD: Final = 5
"""Files that a problem names: it stands on one line of the log, and on a page."""
_COUNTED_AGAIN: Final = 60.0
"""Seconds after which a problem that lasts counts once more: a rate shows that it lasts, and counts no looks."""


@dataclass(slots=True)
class _Trouble:
    """What is wrong with a file or folder, "" = nothing, and when that counted last; monotonic seconds."""

    problem: str = ""
    counted: float = 0.0

    def now(self, problem: str, now: float, *, is_news: bool = False) -> bool:
        """Take in what is wrong now; return whether it counts."""
        counts = bool(problem) and (is_news or problem != self.problem or now - self.counted >= _COUNTED_AGAIN)
        self.problem = problem
        if counts:
            self.counted = now
        return counts


@dataclass(slots=True)
class _File:
    """What is known of one file: how it looked last, how it looked when it was read, and what it said."""

    seen: Print = ()
    read: Print = ()
    waits: int = 0
    missing: int = 0
    targets: tuple[Target, ...] = ()
    warnings: tuple[str, ...] = ()
    trouble: _Trouble = field(default_factory=_Trouble)

    @property
    def problem(self) -> str:
        """What is wrong with it; "" = nothing."""
        return self.trouble.problem


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the files gave. `failures` counts troubles that are new, or last another minute.

    `problem` holds until it is mended; `warnings` are about what is no problem; `nothing` says why there is no target,
    where there is none and no problem.
    """

    targets: tuple[Target, ...]
    failures: int = 0
    problem: str = ""
    warnings: tuple[str, ...] = ()
    nothing: str = ""


class Files:
    """Looks at the files of a source. For one thread at a time.

    `before` looked at the same pattern for other settings: what it knew of a file counts until this one has read it.
    `clock` gives monotonic seconds.
    """

    def __init__(
        self, source: FileSource, before: Files | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pattern = source.pattern
        self._template = source.template
        self._files = {} if before is None else before.remembered()
        self._folder = _Trouble()
        self._clock = clock
        self._is_first = True

    def remembered(self) -> dict[Path, _File]:
        """What each file said last, as if it had to be read again. From any thread."""
        return {path: _File(targets=file.targets) for path, file in list(self._files.items())}

    def look(self) -> Look:
        """Read what changed; targets are in the order of the files' names, and within a file in its own."""
        failures = 0
        try:
            found = matching(self._pattern)
        except DiscoveryError as error:
            return Look(self._targets(), int(self._folder.now(str(error), self._clock())), str(error))
        self._folder.now("", self._clock())
        for path in found:
            failures += self._tend(path, self._files.setdefault(path, _File()))
        for path in [path for path in self._files if path not in found]:
            self._files[path].missing += 1
            if self._files[path].missing >= _GONE_AFTER:
                del self._files[path]
        self._is_first = False
        warnings = tuple(warning for _, file in sorted(self._files.items()) for warning in file.warnings)
        return Look(self._targets(), failures, self._problem(), warnings, self._nothing(found))

    def _targets(self) -> tuple[Target, ...]:
        return tuple(target for _, file in sorted(self._files.items()) for target in file.targets)

    def _nothing(self, found: Sequence[Path]) -> str:
        if self._targets() or self._problem():
            return ""
        if not found:
            return f"no file matches {self._pattern}"
        return f"the list in {found[0]} is empty" if len(found) == 1 else f"the lists in {len(found)} files are empty"

    def _problem(self) -> str:
        problems = [file.problem for _, file in sorted(self._files.items()) if file.problem]
        more = len(problems) - _MOST_TOLD
        return joined([*problems[:_MOST_TOLD], *([f"and {more} more files are not good"] if more > 0 else [])])

    def _tend(self, path: Path, file: _File) -> bool:
        """Read a file where that is due; return whether what is wrong with it counts."""
        now, before = fingerprint(path), file.seen
        file.seen, file.missing = now, 0
        if now and now == file.read:
            file.waits = 0
            return file.trouble.now(file.problem, self._clock())
        if now != before and not self._is_first and file.waits < _MOST_WAITS:
            file.waits += 1
            return False
        file.waits = 0
        problem = self._read(path, file, now)
        return file.trouble.now(problem, self._clock(), is_news=bool(now) and now == file.read)

    def _read(self, path: Path, file: _File, now: Print) -> str:
        """Read a file; return what is wrong with it."""
        try:
            with path.open("rb") as opened:
                content = opened.read(MAX_BYTES + 1)
        except OSError as error:
            return f"{path} cannot be read ({error.strerror}): check its owner and mode."
        file.read = now
        warnings: list[str] = []
        try:
            file.targets = parse(content, str(path), self._template, warnings.append)
        except ConfigError as error:
            return joined(str(error).splitlines()[:3])
        file.warnings = tuple(warnings)
        return ""
