"""The whole configuration, validated: what the daemon is built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triton_watch.records.target import Target


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the agent listens."""

    host: str = "127.0.0.1"
    port: int = 8003


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`level` is debug, info, warning or error; `format` is text or json."""

    level: str = "info"
    format: str = "text"


@dataclass(frozen=True, slots=True)
class Settings:
    """One validated configuration. `poll_threads` bounds the threads that poll targets."""

    targets: tuple[Target, ...]
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    poll_threads: int = 64
