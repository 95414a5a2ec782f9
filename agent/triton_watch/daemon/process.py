"""How the agent's own process fares: memory, CPU and threads as Linux counts them, and its last warnings."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from triton_watch.daemon.logs import tail_of
from triton_watch.records import AgentStatus

if TYPE_CHECKING:
    import logging

_STAT: Final = Path("/proc/self/stat")
_THREADS, _PAGES = 17, 21
"""Places of num_threads and rss after the process's name, see proc(5)."""


def agent_status(started: float, log: logging.Logger) -> AgentStatus:
    """Look now. `started` is Unix seconds; `log` is what the agent logs to."""
    # The name, in parentheses, may hold blanks and parentheses itself.
    fields = _STAT.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    tail = tail_of(log)
    return AgentStatus(
        started=started,
        memory=int(fields[_PAGES]) * os.sysconf("SC_PAGESIZE"),
        cpu=time.process_time(),
        threads=int(fields[_THREADS]),
        log=() if tail is None else tail.lines,
        warnings=0 if tail is None else tail.warnings,
        errors=0 if tail is None else tail.errors,
    )
