"""A record as an answer: its bytes, its ETag, compressed where the client takes it, or 304 where it has it already."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from triton_watch.daemon.api.errors import JSON
from triton_watch.daemon.app import Response
from triton_watch.daemon.exposition import accepts_gzip
from triton_watch.daemon.facts.coding import written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.daemon.app import Request

PASSING: Final = frozenset({"loop_age_seconds", "memory_bytes", "cpu_seconds", "threads", "not_seen_for_seconds"})
"""Fields that another answer a moment later has otherwise though nothing happened: they are no part of an ETag."""
WORTH_GZIP: Final = 1024
"""Bytes: what is not longer fits one packet as it is."""
_TAGS: Final = re.compile(r'(?:W/)?"([^"]*)"')


@dataclass(frozen=True, slots=True)
class Representation:
    """The bytes of an answer. `etag` is weak: equal for answers that say the same, in whichever encoding."""

    body: bytes = field(repr=False)
    etag: str
    encoding: str | None = None


def represented(data: Mapping[str, object]) -> Representation:
    """Return an object as JSON. Its ETag leaves out when it was made, and what passes in any case."""
    digest = blake2b(written(_lasting(data)), digest_size=16).hexdigest()
    return Representation(written(data) + b"\n", f'W/"{digest}"')


def compressed(whole: Representation) -> Representation:
    """Return the same as gzip, at the fastest level: JSON shrinks to some percent at any."""
    return replace(whole, body=gzip.compress(whole.body, compresslevel=1, mtime=0), encoding="gzip")


def is_to_be_compressed(request: Request, whole: Representation) -> bool:
    """Whether the client takes gzip, and it is worth it."""
    return len(whole.body) > WORTH_GZIP and accepts_gzip(request.header("Accept-Encoding"))


def answer(request: Request, one: Representation) -> Response:
    """Return a representation as the answer, or 304 where `If-None-Match` says that the client has it."""
    headers = {"ETag": one.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if is_known(request.header("If-None-Match"), one.etag):
        return Response(HTTPStatus.NOT_MODIFIED, JSON, b"", headers)
    if one.encoding is not None:
        headers["Content-Encoding"] = one.encoding
    return Response(HTTPStatus.OK, JSON, one.body, headers)


def is_known(if_none_match: str, etag: str) -> bool:
    """Whether a client says that it has this version; compared weakly, as RFC 9110, 13.1.2 says."""
    return if_none_match.strip() == "*" or etag.removeprefix("W/").strip('"') in _TAGS.findall(if_none_match)


def _lasting(data: object) -> object:
    """Leave out what passes; a list of anything but objects is as it is."""
    if isinstance(data, dict):
        # What has a version of the API is an answer, be it within another one: `at` is when it was made.
        passing = PASSING | {"at"} if isinstance(data.get("version"), int) else PASSING
        return {name: _lasting(one) for name, one in data.items() if name not in passing}
    if isinstance(data, list) and data and isinstance(data[0], dict):
        return [_lasting(one) for one in data]
    return data
