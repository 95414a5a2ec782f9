"""What can go wrong with an Alertmanager, as one sentence about it.

The fetcher is the one that talks to Triton servers, and some of its sentences say so: they get other words here.
"""

from __future__ import annotations

import json
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from triton_watch.triton.answers import is_html
from triton_watch.triton.errors import (
    AnswerTimeoutError,
    BadUrlError,
    ConnectError,
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
        BadUrlError: "cannot be asked: the URL must be like http://host:9093, and headers without control characters",
        DnsError: "has a host name that has no address: check the name, and the DNS of this machine",
        RefusedError: "refused the connection: nothing listens there; is the port right (usually 9093)?",
        NotHttpError: "answered with bytes that are not HTTP: check the port (usually 9093), and http:// or https://",
        AnswerTimeoutError: "did not answer in time: it hangs or is overloaded; see its log",
        TooLargeError: "sent an answer that is too large: is it an Alertmanager?",
    }
)
_BY_STATUS: Mapping[int, str] = MappingProxyType(
    {
        401: "set basic_auth or bearer_token for it, or for Mimir the header X-Scope-OrgID",
        403: "the credentials for it are missing, wrong, or not enough",
        404: "it does not know Alertmanager's API v2; is it an Alertmanager (usually port 9093), and does its URL "
        "have the path of --web.external-url or --web.route-prefix?",
        405: "it takes no alerts here; is it an Alertmanager (usually port 9093), and is the path of its URL right?",
        429: "it limits its clients; they are sent again later",
        503: "it is starting, or overloaded; see its log",
    }
)
NOT_ONE: Final = "is another server or a login there?"


class ManagerError(Exception):
    """An Alertmanager was not told. The text is one sentence that names it by its URL, without secrets.

    `http_status` is None where no whole answer came. `is_unreachable`: nothing there could be spoken to.
    """

    def __init__(self, message: str, *, url: str, http_status: int | None = None, is_unreachable: bool = False) -> None:
        self.http_status = http_status
        self.is_unreachable = is_unreachable
        super().__init__(f"Alertmanager at {shown(url)} {message}")

    @property
    def sentence(self) -> str:
        """The text with a mark at its end."""
        return str(self) if str(self).endswith(("?", ".", "…")) else f"{self}."


class AlertsRefusedError(ManagerError):
    """It answers, and does not take an alert of this batch, which it will not at another time either.

    `reason` is in its own words. Of a 400 it took the alerts that are good, of a 422 none (seen on 0.25).
    """

    def __init__(self, reason: str, *, url: str, http_status: int) -> None:
        self.reason = reason
        super().__init__(f"refuses alerts (HTTP {http_status}): {reason}", url=url, http_status=http_status)


def unreachable(error: TritonError, url: str) -> ManagerError:
    """What an error of the fetcher means for the Alertmanager at `url`."""
    is_unreachable = isinstance(error, (BadUrlError, ConnectError, AnswerTimeoutError, NotHttpError))
    status = error.http_status
    for kind, words in _OWN_WORDS.items():
        if isinstance(error, kind):
            return ManagerError(words, url=url, http_status=status, is_unreachable=is_unreachable)
    # The other sentences say what happened on the wire or in TLS; only this phrase is about targets.
    said = str(error).removeprefix(f"{error.url} ").replace("the target's URL", "its URL")
    return ManagerError(said, url=url, http_status=status, is_unreachable=is_unreachable)


def refusal(response: Response, url: str) -> ManagerError:
    """The error that a status other than 2xx stands for.

    Only 400, 413 and 422 are about the alerts, and of the first and the last only those in Alertmanager's own
    JSON: whatever else says no (a proxy, a missing password) may say yes later, and must not cost an alert.
    """
    status = response.status
    said, is_own = _said(response)
    if status == 413 or (status in {400, 422} and is_own):
        return AlertsRefusedError(said or "too large", url=url, http_status=status)
    if 300 <= status < 400:
        where = shown(response.location) or "nowhere"
        words = f"redirects to {where} (HTTP {status}): write the final address in its URL"
    elif status == 400 and _TLS_PORT.search(response.body):
        words = "answered that it speaks TLS: write https:// in its URL"
    else:
        hint = _BY_STATUS.get(status, "see its log, and that of a proxy before it")
        words = f"answered HTTP {status}{f' {said!r}' if said else ''}: {hint}"
    return ManagerError(words, url=url, http_status=status)


def not_alertmanager(response: Response, url: str) -> ManagerError:
    """The error for a 200 that Alertmanager would not have given."""
    what = "an HTML page" if is_html(response) else "something else" if response.body else "an empty body"
    message = f"answered with {what} where Alertmanager's API was expected: {NOT_ONE}"
    return ManagerError(message, url=url, http_status=response.status)


def _said(response: Response) -> tuple[str, bool]:
    """The server's words, and whether they are Alertmanager's: a JSON string, or an object with a message."""
    try:
        found = json.loads(response.body)
    except (ValueError, RecursionError):
        return "" if is_html(response) else clean(response.body.decode(errors="replace"))[:200], False
    text = found.get("message") if isinstance(found, dict) else found
    return (clean(text), True) if isinstance(text, str) else ("", False)
