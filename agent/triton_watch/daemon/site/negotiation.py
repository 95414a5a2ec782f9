"""What a client has already, and what it can unpack: ETags and gzip, as the API does it."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from triton_watch.daemon.api.answers import Representation, compressed, is_known, is_to_be_compressed
from triton_watch.daemon.app import Response

if TYPE_CHECKING:
    from triton_watch.daemon.app import Request


def negotiated(request: Request, response: Response, etag: str) -> Response:
    """Return the response as this client takes it: 304 where it has `etag`, compressed where it takes gzip.

    A weak ETag stands for both forms of the body.
    """
    headers = {**response.headers, "ETag": etag, "Vary": "Accept-Encoding"}
    if response.status is HTTPStatus.OK and is_known(request.header("If-None-Match"), etag):
        return Response(HTTPStatus.NOT_MODIFIED, response.content_type, b"", headers)
    whole = Representation(response.body, etag)
    if is_to_be_compressed(request, whole):
        return replace(response, body=compressed(whole).body, headers={**headers, "Content-Encoding": "gzip"})
    return replace(response, headers=headers)
