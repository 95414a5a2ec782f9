"""A page as an answer: written once for all who ask at that moment, with an ETag that does not age."""

from __future__ import annotations

import re
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.daemon.app import HTML, Request, Response
from triton_watch.daemon.site.negotiation import negotiated

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http import HTTPStatus

CSP: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {"Content-Security-Policy": CSP, "Cache-Control": "private, no-cache"}
)
_PASSING: Final = re.compile(r'(?:<time id="rendered"[^>]*>|(<time [^>]*>))[^<]*|<data [^>]*>[^<]*')
"""What time changes though nothing happened: how long ago something was, and when the page was made."""


class Written(NamedTuple):
    """A page as it is kept."""

    status: HTTPStatus
    body: bytes
    etag: str


def written(status: HTTPStatus, text: str) -> Written:
    """Return a page as it is kept; pages that differ only in how long ago things were have the same ETag."""
    lasting = _PASSING.sub(r"\1", text)
    return Written(status, text.encode(), f'W/"{blake2b(lasting.encode(), digest_size=12).hexdigest()}"')


def answer(request: Request, page: Written) -> Response:
    """Return the answer that this client takes."""
    return negotiated(request, Response(page.status, HTML, page.body, HEADERS), page.etag)
