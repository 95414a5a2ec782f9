"""Structured logs on stderr: one line an event, as text or JSON, with the event's facts beside its message."""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

from triton_watch.daemon.journal import JournalFormatter, leads_to_journal
from triton_watch.records import LogLine

if TYPE_CHECKING:
    from triton_watch.records import LogSettings

LOGGER = "triton_watch"
_QUIETED = ("apscheduler", "urllib3", "requests", "waitress")
"""Libraries whose own lines would say again what we log in our words."""

REMEMBERED: Final = 50
"""Lines of `LogTail`."""
_LONGEST: Final = 500
"""Characters that are kept of a message, and of its facts."""


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.123Z WARNING message key=value …`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts = "".join(f" {fact}" for fact in _texts(record))
        return f"{_when(record)} {record.levelname:<7} {_one_line(record.getMessage())}{facts}{_cause(record)}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, message, and the facts."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry = {"time": _when(record), "level": record.levelname.lower(), "message": record.getMessage()}
        if cause := _cause(record):
            entry["cause"] = cause.strip(" :")
        return json.dumps({**entry, **_facts(record)}, ensure_ascii=False, default=str)


class LogTail(logging.Handler):
    """Remembers the last lines at level warning or worse, the newest first, and counts all of them.

    `lines` never changes after it was handed out.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: tuple[LogLine, ...] = ()
        self.warnings = 0
        self.errors = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line in."""
        try:
            message = f"{_one_line(record.getMessage())}{_cause(record)}"
            line = LogLine(record.created, record.levelname, message[:_LONGEST], " ".join(_texts(record))[:_LONGEST])
        except Exception:  # noqa: BLE001 - as logging's own handlers: a line that cannot be made says so on stderr
            self.handleError(record)
            return
        self.lines = (line, *self.lines[: REMEMBERED - 1])
        if record.levelno >= logging.ERROR:
            self.errors += 1
        else:
            self.warnings += 1


def set_up(settings: LogSettings, stream: TextIO | None = None) -> logging.Logger:
    """Send the package's log, and warnings of libraries, to `stream` (stderr); return the package's logger.

    The `LogTail` of an earlier call stays.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    formatter = JsonFormatter() if settings.format == "json" else TextFormatter()
    handler.setFormatter(JournalFormatter(formatter) if leads_to_journal(handler.stream, os.environ) else formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler, tail_of(root) or LogTail()]
    root.setLevel(logging.WARNING)
    for name in _QUIETED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    log = logging.getLogger(LOGGER)
    log.setLevel(settings.level.upper())
    return log


def tail_of(log: logging.Logger) -> LogTail | None:
    """What remembers the last lines of a logger, its own or one above it; None = it was not set up."""
    place: logging.Logger | None = log
    while place is not None:
        for handler in place.handlers:
            if isinstance(handler, LogTail):
                return handler
        place = place.parent if place.propagate else None
    return None


def _texts(record: logging.LogRecord) -> list[str]:
    """The facts as `key=value`."""
    return [f"{name}={_quoted(value)}" for name, value in _facts(record).items()]


def _facts(record: logging.LogRecord) -> dict[str, object]:
    facts = getattr(record, "facts", None)
    return facts if isinstance(facts, dict) else {}


def _when(record: logging.LogRecord) -> str:
    moment = dt.datetime.fromtimestamp(record.created, dt.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _quoted(value: object) -> str:
    text = str(value)
    plain = text.isprintable() and text and not any(c in text for c in ' "=')
    return text if plain else json.dumps(text, ensure_ascii=False)


def _one_line(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _cause(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    error = record.exc_info[1]
    return f": {type(error).__name__}: {_one_line(str(error))}"
