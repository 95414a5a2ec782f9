"""Requests made ready to send: URL checked, credentials and headers of the target put in."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import requests
from requests.structures import CaseInsensitiveDict

from triton_watch.triton.errors import BadUrlError
from triton_watch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import Target


def prepare(
    target: Target, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None = None
) -> requests.PreparedRequest:
    """A request to `url` as this target wants it; `headers` say what its body is, and win over the target's.

    Raises BadUrlError, which tells no header's value.
    """
    request = requests.PreparedRequest()
    request.prepare_method(method)
    try:
        request.prepare_url(url, None)
    except (requests.RequestException, ValueError) as error:
        raise BadUrlError("is not a URL that can be asked: check the target's URL", url=url) from error
    if not (request.url or "").startswith(("http://", "https://")):
        raise BadUrlError("is not an HTTP URL: it must begin with http:// or https://", url=url)
    sent = request_headers(target, url)
    sent.update(headers or {})
    try:
        request.prepare_headers(sent)
    except (requests.RequestException, ValueError):
        # Not chained: the cause's text holds the header's value, which may be a secret.
        message = "cannot be asked: a header or credential of the target has characters that HTTP does not allow"
        raise BadUrlError(message, url=url) from None
    request.prepare_body(body, None)
    return request


def request_headers(target: Target, url: str) -> CaseInsensitiveDict[str | bytes]:
    """The headers that a request to `url` carries; the restricted-API header goes to v2 endpoints only."""
    credentials = target.credentials
    headers: CaseInsensitiveDict[str | bytes] = CaseInsensitiveDict()
    headers["User-Agent"] = f"triton-watch/{__version__}"
    headers["Accept-Encoding"] = "identity"
    headers["Accept"] = "*/*"
    if credentials.username is not None:
        pair = f"{credentials.username}:{credentials.password or ''}".encode()
        headers["Authorization"] = b"Basic " + base64.b64encode(pair)
    if credentials.bearer_token is not None:
        headers["Authorization"] = f"Bearer {credentials.bearer_token}".encode()
    for name, value in credentials.headers:
        headers[name] = value.encode()
    if credentials.restricted_header is not None and _is_v2(target, url):
        name, value = credentials.restricted_header
        headers[name] = value.encode()
    return headers


def _is_v2(target: Target, url: str) -> bool:
    root = f"{target.http_url}/v2"
    return url != target.metrics_url and (url == root or url.startswith(f"{root}/"))
