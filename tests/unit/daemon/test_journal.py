"""Where standard error is systemd's journal, each line says its priority; elsewhere it is as it was."""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import pytest

from triton_watch.daemon.journal import JournalFormatter, leads_to_journal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.CRITICAL, 2),
        (logging.ERROR, 3),
        (logging.WARNING, 4),
        (logging.INFO, 6),
        (logging.DEBUG, 7),
        (1, 7),
        (25, 6),
    ],
)
def test_a_line_begins_with_the_priority_of_its_level(level: int, priority: int) -> None:
    record = logging.LogRecord("triton_watch", level, __file__, 1, "probe failed", None, None)
    assert JournalFormatter(logging.Formatter("%(message)s")).format(record) == f"<{priority}>probe failed"


def test_only_the_stream_that_the_variable_names_leads_to_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w") as journal, (tmp_path / "file").open("w") as file:
        status = (tmp_path / "journal").stat()
        environ = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
        assert leads_to_journal(journal, environ)
        assert not leads_to_journal(file, environ)
        assert not leads_to_journal(journal, {})
    assert not leads_to_journal(io.StringIO(), environ)
    assert not leads_to_journal(journal, environ), "it is closed"
