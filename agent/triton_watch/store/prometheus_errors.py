"""What can go wrong when history is read from Prometheus, as one sentence about Prometheus.

The fetcher is the one that talks to Triton servers, and some of its sentences say so: whoever mistypes the URL of a
Prometheus must not read about Triton's ports. `unreachable` and `refusal` give them words of their own.
"""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from triton_watch.triton.answers import is_html
from triton_watch.triton.errors import (
    AnswerTimeoutError,
    BadUrlError,
    DnsError,
    NotHttpError,
    RefusedError,
    TooLargeError,
    TritonError,
    clean,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.triton.http import Response

_TLS_PORT = re.compile(rb"plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server")
"""The words of nginx and of Go's net/http."""
_OWN_WORDS: Mapping[type[TritonError], str] = MappingProxyType(
    {
        BadUrlError: "cannot be asked: the URL must be like http://host:9090, and headers without control characters",
        DnsError: "has a host name that has no address: check the name, and the DNS of this machine",
        RefusedError: "refused the connection: nothing listens there; is the port right (usually 9090)?",
        NotHttpError: "answered with bytes that are not HTTP: check the port (usually 9090), and http:// or https://",
        AnswerTimeoutError: "did not answer in time: raise the timeout, narrow the selector, or see its load",
        TooLargeError: "sent an answer that is too large to be read: narrow it down with a selector",
    }
)
_BY_STATUS: Mapping[int, str] = MappingProxyType(
    {
        400: "it does not take this query; check the selector, and that this is Prometheus's API",
        401: "set basic_auth or bearer_token for it, or for Mimir the header X-Scope-OrgID",
        403: "the credentials for it are missing, wrong, or not enough",
        404: "it does not know this API; is the path of its URL right (that of Mimir ends in /prometheus)?",
        405: "it does not take POST here; is the path of its URL right?",
        413: "it or a proxy limits the size of queries; raise that limit",
        422: "it could not evaluate the query; raise its limits (--query.max-samples, --query.timeout)",
        429: "it limits its clients; try again later or raise that limit",
        503: "it is starting, overloaded, or ran out of time; see its log",
    }
)


class HistoryError(Exception):
    """History cannot be read. The text is one sentence that names the server by its URL, without secrets.

    `http_status` is that of a whole answer that could not be used, None without one.
    """

    def __init__(self, message: str, *, url: str, http_status: int | None = None) -> None:
        self.http_status = http_status
        super().__init__(f"Prometheus at {shown(url)} {message}")


def unreachable(error: TritonError, url: str) -> HistoryError:
    """What an error of the fetcher means for the Prometheus at `url`."""
    for kind, words in _OWN_WORDS.items():
        if isinstance(error, kind):
            return HistoryError(words, url=url, http_status=error.http_status)
    # The other sentences say what happened on the wire or in TLS; only this phrase is about targets.
    said = str(error).removeprefix(f"{error.url} ").replace("the target's URL", "its URL")
    return HistoryError(said, url=url, http_status=error.http_status)


def refusal(response: Response, url: str) -> HistoryError:
    """The error that a status other than 200 stands for, with the server's own words."""
    status = response.status
    if 300 <= status < 400:
        where = shown(response.location) or "nowhere"
        words = f"redirects to {where} (HTTP {status}): write the final address in its URL"
    elif status == 400 and _TLS_PORT.search(response.body):
        words = "answered that it speaks TLS: write https:// in its URL"
    else:
        said = _own_words(response)
        words = f"answered HTTP {status}{f' {said!r}' if said else ''}: {_hint(status)}"
    return HistoryError(words, url=url, http_status=status)


def not_prometheus(response: Response, url: str) -> HistoryError:
    """The error for a 200 that is no answer to a query."""
    what = "an HTML page" if is_html(response) else "something else" if response.body else "an empty body"
    words = f"answered with {what} where a query's result in JSON was expected: is another server or a login there?"
    return HistoryError(words, url=url, http_status=response.status)


def parsed(body: bytes) -> Any:  # noqa: ANN401 - JSON, read by the caller into records
    """Decode JSON. Raises ValueError, also for nesting that would use up the interpreter's stack."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _hint(status: int) -> str:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return "see its log, and that of a proxy before it"
    return "it refuses the query" if status >= 400 else "Prometheus answers 200; is something else on this port?"


def _own_words(response: Response) -> str:
    """What the server says: the `error` of its JSON, or a short plain text."""
    try:
        found = parsed(response.body)
    except ValueError:
        plain = response.body.decode(errors="replace")
        return "" if is_html(response) else clean(plain)[:200]
    text = found.get("error") if isinstance(found, dict) else None
    return clean(text) if isinstance(text, str) else ""
