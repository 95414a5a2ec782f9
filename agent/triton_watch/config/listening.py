"""Where the agent listens when neither a file nor a flag says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from triton_watch.config.addresses import listen
from triton_watch.config.errors import ParseError
from triton_watch.records import WebSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "TRITON_WATCH_LISTEN"
"""Replaces the usual address: an image sets it, for its loopback is nobody else's."""


def default_listen(environ: Mapping[str, str]) -> tuple[str, int]:
    """Return the address of the environment; unset or empty, the usual one. Raises `ParseError`."""
    given = environ.get(VARIABLE)
    if not given:
        usual = WebSettings()
        return usual.host, usual.port
    try:
        return listen(given)
    except ParseError as error:
        raise ParseError(f"{VARIABLE} of the environment cannot be used: {error}") from None
