"""Triton's own words in an error: what they say beyond a status, the same for gRPC and HTTP."""

from __future__ import annotations

import re
from typing import Final

from triton_watch.triton.errors import clean

UNKNOWN_MODEL: Final = re.compile(
    r"unknown model|is not found|no available versions?|not ready|at requested version|is not available", re.IGNORECASE
)
"""The server knows no such model, or no version of it that is ready."""
_REQUEST_ID: Final = re.compile(r"^\[request id: [^\]]*\] ")


def own_words(text: str) -> str:
    """Triton's words on one line, without the request's id that it puts before some of them."""
    return clean(_REQUEST_ID.sub("", text, count=1))
