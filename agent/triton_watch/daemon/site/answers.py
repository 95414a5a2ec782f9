"""A page as an answer: written once for all who ask at that moment, with an ETag that does not age."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.daemon.app import HTML
from triton_watch.daemon.negotiation import Representation, answered, etag_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http import HTTPStatus

    from triton_watch.daemon.app import Request, Response

CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {"Content-Security-Policy": CSP, "Cache-Control": "private, no-cache"}
)
_PASSING: Final = re.compile(r'(?:<time id="rendered"[^>]*>|(<time [^>]*>))[^<]*|<data [^>]*>[^<]*')
"""What time changes though nothing happened: how long ago something was, and when the page was made."""


def represented(status: HTTPStatus, text: str) -> Representation:
    """Return a page as it is kept; pages that differ only in how long ago things were have the same ETag."""
    return Representation(text.encode(), etag_of(_PASSING.sub(r"\1", text).encode()), status=status)


def answer(request: Request, page: Representation) -> Response:
    """Return the answer that this client takes."""
    return answered(request, page, HTML, HEADERS)
