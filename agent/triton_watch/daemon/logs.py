"""Structured logs on stderr: one line an event, as text or JSON, with the event's facts beside its message."""

from __future__ import annotations

import datetime as dt
import json
import logging
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from triton_watch.records import LogSettings

LOGGER = "triton_watch"
_QUIETED = ("apscheduler", "urllib3", "requests", "waitress")
"""Libraries whose own lines would say again what we log in our words."""


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.123Z WARNING message key=value …`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts = "".join(f" {name}={_quoted(value)}" for name, value in _facts(record).items())
        return f"{_when(record)} {record.levelname:<7} {_one_line(record.getMessage())}{facts}{_cause(record)}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, message, and the facts."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry = {"time": _when(record), "level": record.levelname.lower(), "message": record.getMessage()}
        if cause := _cause(record):
            entry["cause"] = cause.strip(" :")
        return json.dumps({**entry, **_facts(record)}, ensure_ascii=False, default=str)


def set_up(settings: LogSettings, stream: TextIO | None = None) -> logging.Logger:
    """Send the package's log, and warnings of libraries, to `stream` (stderr); return the package's logger."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _QUIETED:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    log = logging.getLogger(LOGGER)
    log.setLevel(settings.level.upper())
    return log


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
