"""What an HTTP answer means: the error for a status that is not 200, and the JSON of one that is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from triton_watch.triton.errors import (
    ClientError,
    GarbageError,
    NotFoundError,
    NotHttpError,
    NotTritonError,
    RedirectError,
    RestrictedError,
    ServerError,
    StatusError,
    TritonError,
    UnauthorizedError,
    UnavailableError,
    clean,
    shown,
)

if TYPE_CHECKING:
    from triton_watch.triton.http import Response

_RESTRICTED = re.compile(r"This API is restricted, expecting header '([^']*)'")
"""Triton's words for --http-restricted-api: seen on 2.51, tests/integration/test_client_real.py."""
_OWN_WORDS = frozenset({"", "Not Found", "Method Not Allowed"})
"""Texts of a 404 or 405 that is about the path; other texts are about the model in it."""
_UNKNOWN_PATH = "it does not know this path; is it Triton's HTTP port, usually 8000?"
_DEEPEST: Final = 100
"""Levels of JSON. Triton's has below ten."""
_QUOTE: Final = ord('"')
_SHAPELESS: Final = bytes(set(range(256)) - set(b'[]{}"'))
"""All bytes but those that open and close texts, lists and objects."""
TLS_PORT = re.compile(rb"plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server")
"""The words of nginx and of Go's net/http."""


def refusal(response: Response, url: str, unknown_path: str = _UNKNOWN_PATH) -> TritonError:
    """The error that a status other than 200 stands for. `unknown_path` is the advice when it is 404."""
    status = response.status
    text = error_text(response.body)
    if 300 <= status < 400:
        where = shown(response.location) or "nowhere"
        message = f"redirects to {where} (HTTP {status}): write the final address in the target's URL"
        return RedirectError(message, url=url, http_status=status)
    if status == 400 and TLS_PORT.search(response.body):
        message = "answered that it speaks TLS: write https:// in the target's URL"
        return NotHttpError(message, url=url, http_status=status)
    kind, hint = _meaning(status, text, unknown_path)
    said = f" {text!r}" if text else ""
    return kind(f"answered HTTP {status}{said}: {hint}", url=url, http_status=status, server_text=text)


def _meaning(status: int, text: str, unknown_path: str) -> tuple[type[TritonError], str]:
    """The kind of error and what to do about it. `text` is Triton's own, or empty."""
    restricted = _RESTRICTED.search(text) if status == 403 else None
    if restricted:
        value = "the value that the server's --http-restricted-api has"
        return (
            RestrictedError,
            f"set the target's restricted_api to the header {restricted[1]!r} with {value}",
        )
    if status in {404, 405} and text not in _OWN_WORDS:
        return (
            NotFoundError if status == 404 else ClientError,
            "see the model's state in the repository index",
        )
    known: dict[int, tuple[type[StatusError], str]] = {
        401: (UnauthorizedError, "set the target's basic_auth or bearer_token"),
        403: (UnauthorizedError, "the target's credentials are missing, wrong, or not enough"),
        404: (NotFoundError, unknown_path),
        405: (ClientError, "is it the metrics port (8002)? Triton's HTTP port is usually 8000"),
        503: (UnavailableError, "it is starting, stopping or overloaded; see the server's log"),
    }
    if status in known:
        return known[status]
    if 400 <= status < 500:
        return ClientError, "it refuses this request; see the server's log"
    if status >= 500:
        return ServerError, "see the server's log"
    return NotTritonError, "Triton answers 200 here; is something else on this port?"


def error_text(body: bytes) -> str:
    """Triton's own words in `{"error": "…"}`, or an empty text."""
    try:
        found = _parsed(body)
    except ValueError:
        return ""
    text = found.get("error") if isinstance(found, dict) else None
    return clean(text) if isinstance(text, str) else ""


def is_html(response: Response) -> bool:
    """Whether this is a page for a browser: some other server's."""
    return response.content_type.lower().startswith("text/html") or response.body[:64].lstrip()[:1] == b"<"


def not_triton(response: Response, url: str, expected: str) -> NotTritonError:
    """The error for a 200 that Triton would not have given."""
    if not response.body:
        # Triton's metrics port says 200 to every path.
        what, hint = "an empty body", "is it the metrics port (8002)? The HTTP port is usually 8000"
    else:
        what, hint = "an HTML page" if is_html(response) else "a body", "is something else on this port?"
    message = f"answered with {what} where Triton answers with {expected}: {hint}"
    return NotTritonError(message, url=url, http_status=response.status)


def json_of(response: Response, url: str) -> Any:  # noqa: ANN401 - JSON, read by the caller into records
    """The JSON of a 200's body. Raises NotTritonError for HTML or nothing, GarbageError for broken JSON."""
    if is_html(response) or not response.body:
        raise not_triton(response, url, "JSON")
    try:
        return _parsed(response.body)
    except ValueError as error:
        # The decoder's text gives the position, not the content.
        message = f"sent broken JSON ({clean(str(error))[:120]}): is it a Triton server?"
        raise GarbageError(message, url=url, http_status=response.status) from error


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - JSON
    """Decode JSON in UTF-8. Raises ValueError, also for nesting that would use up the interpreter's stack."""
    if _is_too_deep(body):
        raise ValueError(f"nested over {_DEEPEST} levels deep")
    # Bytes would be taken for UTF-16 or UTF-32 where they look so, and those hide brackets.
    return json.loads(body.decode("utf-8-sig", "surrogatepass"))


def _is_too_deep(body: bytes) -> bool:
    """Whether lists and objects are too deep in each other; brackets inside texts do not count.

    Exact up to the first error of broken JSON, which is as far as a decoder comes. Most bytes are dropped by whole
    passes in C: a loop over an index of 5 MB would cost more than decoding it.
    """
    without_escapes = body.replace(rb"\\", b"").replace(rb"\"", b"")
    # Two quotes side by side are an empty text, or the seam of two: neither changes what is inside one.
    shape = without_escapes.translate(None, _SHAPELESS).replace(b'""', b"")
    depth, in_text = 0, False
    for byte in shape:
        if byte == _QUOTE:
            in_text = not in_text
        elif not in_text:
            depth += 1 if byte in b"[{" else -1
            if depth > _DEEPEST:
                return True
    return False
