"""A body as an answer: its ETag, compressed where the client takes it, or 304 where it has it already."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from triton_watch.daemon.app import Response
from triton_watch.daemon.exposition import accepts_gzip

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from triton_watch.daemon.app import Request
    from triton_watch.daemon.shared import Shared

WORTH_GZIP: Final = 1024
"""Bytes: what is not longer fits one packet as it is."""
_TAGS: Final = re.compile(r'(?:W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Representation:
    """The bytes of an answer. `etag` is weak: equal for answers that say the same, in whichever encoding."""

    body: bytes = field(repr=False)
    etag: str
    encoding: str | None = None
    status: HTTPStatus = HTTPStatus.OK


def etag_of(lasting: bytes) -> str:
    """Return the weak ETag of what is the same in answers that say the same."""
    return f'W/"{blake2b(lasting, digest_size=16).hexdigest()}"'


def compressed(whole: Representation) -> Representation:
    """Return the same as gzip, at the fastest level: JSON and HTML shrink to some percent at any."""
    return replace(whole, body=gzip.compress(whole.body, compresslevel=1, mtime=0), encoding="gzip")


def is_to_be_compressed(request: Request, whole: Representation) -> bool:
    """Whether the client takes gzip, and it is worth it."""
    return len(whole.body) > WORTH_GZIP and accepts_gzip(request.header("Accept-Encoding"))


def shared_form(
    request: Request, shared: Shared[Representation], key: Hashable, make: Callable[[], Representation]
) -> Representation:
    """Return what is made for `key`, in the form that this client takes; each form is made once for all who ask."""
    whole = shared.get(key, make)
    if not is_to_be_compressed(request, whole):
        return whole
    # The key has the ETag: what is compressed says nothing older than what was asked for.
    return shared.get((key, whole.etag), partial(compressed, whole))


def answered(request: Request, one: Representation, content_type: str, headers: Mapping[str, str]) -> Response:
    """Return a representation as the answer, or 304 where `If-None-Match` says that the client has it."""
    every = {**headers, "ETag": one.etag, "Vary": "Accept-Encoding"}
    if one.status is HTTPStatus.OK and is_known(request.header("If-None-Match"), one.etag):
        return Response(HTTPStatus.NOT_MODIFIED, content_type, b"", every)
    if one.encoding is not None:
        every["Content-Encoding"] = one.encoding
    return Response(one.status, content_type, one.body, every)


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether a client says that it has this version; compared weakly, as RFC 9110, 13.1.2 says."""
    return if_none_match.strip() == "*" or etag.removeprefix("W/").strip('"') in _TAGS.findall(if_none_match)
