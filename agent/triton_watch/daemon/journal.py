"""Lines for systemd's journal begin with their priority, so that `journalctl --priority warning` finds them."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRIORITIES: Final = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}
_DEBUG: Final = 7
"""Those of syslog, see sd-daemon(3)."""


class JournalFormatter(logging.Formatter):
    """`<4>` before what another formatter makes; the journal takes it off again."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        priority = next((number for level, number in _PRIORITIES.items() if record.levelno >= level), _DEBUG)
        return f"<{priority}>{self._inner.format(record)}"


def leads_to_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether systemd connected the stream with the journal: $JOURNAL_STREAM names its device and inode."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # no file at all, as in tests
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
