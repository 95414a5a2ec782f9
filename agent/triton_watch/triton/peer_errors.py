"""What can go wrong with an HTTP server that is no Triton, as one sentence about it.

The fetcher is the one that talks to Triton servers, and some of its sentences say so: whoever mistypes the URL of a
Prometheus must not read about Triton's ports. Each kind of server brings its own words as data.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from triton_watch.triton.answers import TLS_PORT, is_html
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
    from collections.abc import Callable, Mapping

    from triton_watch.triton.http import Response

_BY_ERROR: Final[Mapping[type[TritonError], str]] = MappingProxyType(
    {
        BadUrlError: "cannot be asked: the URL must be like http://host:{port}, and headers without control characters",
        DnsError: "has a host name that has no address: check the name, and the DNS of this machine",
        RefusedError: "refused the connection: nothing listens there; is the port right (usually {port})?",
        NotHttpError: "answered with bytes that are not HTTP: check the port (usually {port}), and http:// or https://",
        AnswerTimeoutError: "did not answer in time: {too_slow}",
        TooLargeError: "sent an answer that is too large{too_large}",
    }
)
_BY_STATUS: Final[Mapping[int, str]] = MappingProxyType(
    {
        401: "set basic_auth or bearer_token for it, or for Mimir the header X-Scope-OrgID",
        403: "the credentials for it are missing, wrong, or not enough",
    }
)
_OTHER_STATUS: Final = "see its log, and that of a proxy before it"


class PeerError(Exception):
    """A server could not be used. The text is one sentence that names it by its URL, without secrets.

    `http_status` is that of a whole answer that could not be used, None without one. `is_unreachable`: nothing
    there could be spoken to.
    """

    peer: ClassVar[str]
    """What the server is called."""

    def __init__(self, message: str, *, url: str, http_status: int | None = None, is_unreachable: bool = False) -> None:
        self.http_status = http_status
        self.is_unreachable = is_unreachable
        super().__init__(f"{self.peer} at {shown(url)} {message}")

    @property
    def sentence(self) -> str:
        """The text with a mark at its end."""
        return ended(str(self))


AnyError = TypeVar("AnyError", bound=PeerError)


@dataclass(frozen=True, slots=True)
class Peer(Generic[AnyError]):
    """What is to be said of one kind of server, in errors of its own class."""

    error: type[AnyError]
    port: int
    """Where it usually listens."""
    expected: str
    """What it answers with where all is well."""
    too_slow: str
    too_large: str
    """What follows on "too large"."""
    by_status: Mapping[int, str]
    """What to do about a status, or about a whole class by its first digit (4 = any other 4xx)."""
    text_of: Callable[[Any], Any]
    """Finds the server's own words in its JSON; what is no text counts as none."""

    def unreachable(self, error: TritonError, url: str) -> AnyError:
        """What an error of the fetcher means for the server at `url`."""
        found = (words for kind, words in _BY_ERROR.items() if isinstance(error, kind))
        own = next(found, "").format(port=self.port, too_slow=self.too_slow, too_large=self.too_large)
        is_unreachable = isinstance(error, (BadUrlError, ConnectError, AnswerTimeoutError, NotHttpError))
        return self.error(own or bare(error), url=url, http_status=error.http_status, is_unreachable=is_unreachable)

    def refusal(self, response: Response, url: str) -> AnyError:
        """The error that a status other than the one hoped for stands for, with the server's own words."""
        status = response.status
        if 300 <= status < 400:
            where = shown(response.location) or "nowhere"
            words = f"redirects to {where} (HTTP {status}): write the final address in its URL"
        elif status == 400 and TLS_PORT.search(response.body):
            words = "answered that it speaks TLS: write https:// in its URL"
        else:
            said, _ = self.said(response)
            hints = {**_BY_STATUS, **self.by_status}
            hint = hints.get(status) or hints.get(status // 100, _OTHER_STATUS)
            words = f"answered HTTP {status}{f' {said!r}' if said else ''}: {hint}"
        return self.error(words, url=url, http_status=status)

    def stranger(self, response: Response, url: str) -> AnyError:
        """The error for a 200 that such a server would not have given."""
        what = "an HTML page" if is_html(response) else "something else" if response.body else "an empty body"
        words = f"answered with {what} where {self.expected} was expected: is another server or a login there?"
        return self.error(words, url=url, http_status=response.status)

    def said(self, response: Response) -> tuple[str, bool]:
        """The words in an answer, and whether they stand in JSON as this server writes it."""
        try:
            text = self.text_of(json.loads(response.body))
        except (ValueError, RecursionError):
            return "" if is_html(response) else clean(response.body.decode(errors="replace"))[:200], False
        return (clean(text), True) if isinstance(text, str) else ("", False)


def bare(error: TritonError) -> str:
    """What an error of the fetcher says, without the URL before it."""
    # What happened on the wire or in TLS is the same for all servers; only this phrase is about targets.
    return str(error).removeprefix(error.url).strip().replace("the target's URL", "its URL")


def ended(text: str) -> str:
    """The text with a mark at its end."""
    return text if text.endswith(("?", ".", "…")) else f"{text}."
