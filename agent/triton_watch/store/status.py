"""What the store says of itself: where it writes, or why it does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Failure(str, Enum):
    """What can be wrong with a store."""

    FULL = "full"
    """No room on the file system."""
    READ_ONLY = "read_only"
    """The directory or the file may not be written, or the directory cannot be made."""
    CORRUPT = "corrupt"
    """A store of ours, damaged."""
    FOREIGN = "foreign"
    """Something else has the store's name."""
    NEWER = "newer"
    """Written by a triton-watch with a newer schema."""
    IO = "io"
    """Everything else that the system may answer."""


NO_FAILURES: Mapping[str, int] = MappingProxyType({failure.value: 0 for failure in Failure})


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """How the store of a running process fares.

    `persistent`: the last attempt to write succeeded, or none was made yet; else `reason` is a sentence that
    says why events are kept in memory only. `failures` counts by the values of `Failure`, `set_aside` the files
    that were put out of the way, both since the process began. `last_flush` is Unix seconds and
    `last_flush_seconds` how long it took; None = none yet. `bytes` is the file with its log, as of the last flush.
    """

    persistent: bool
    path: str
    reason: str = ""
    failures: Mapping[str, int] = field(default_factory=lambda: NO_FAILURES)
    set_aside: int = 0
    last_flush: float | None = None
    last_flush_seconds: float | None = None
    bytes: int = 0
