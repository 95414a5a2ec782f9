"""All the ways in which a request to a Triton server can fail, as one tree.

TritonError
├── BadUrlError             the URL or a header cannot be sent at all
├── ConnectError            no connection
│   ├── DnsError            the name has no address, or nobody said so in time
│   ├── RefusedError        nothing listens on the port
│   ├── NetworkError        reset, unreachable, closed without an answer
│   ├── ConnectTimeoutError no connection (or TLS handshake) within the connect deadline
│   └── TlsError            certificate or TLS protocol trouble
├── AnswerTimeoutError      connected, but no complete answer in time
│   ├── ReadTimeoutError    nothing came for the read deadline
│   └── DeadlineError       bytes came, but too slowly for the total deadline
├── StatusError             a whole HTTP answer with a status that means "no"
│   ├── RedirectError, UnauthorizedError, RestrictedError, NotFoundError
│   ├── ClientError         any other 4xx
│   ├── UnavailableError    503
│   └── ServerError         any other 5xx
└── AnswerError             an answer that cannot be used
    ├── NotHttpError        not HTTP/1.1: a gRPC port, a TLS port, noise
    ├── NotTritonError      HTTP, but not what Triton answers
    ├── GarbageError        broken JSON, a field of a wrong type, an unknown encoding
    ├── TruncatedError      it ended before its end
    ├── TooLargeError       it is over the cap
    └── EmptyError          200 without a body where a metrics page was expected

Each leaf names its `records.Outcome`. The text of an error is one sentence for a person: what
failed, where, what to do. No secret gets into it: URLs lose their user part and their query.
"""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import urlsplit

from triton_watch.records import Outcome

MAX_TEXT = 500
"""Characters of a server's own text that are kept."""


def shown(url: str) -> str:
    """The URL as messages may show it: no user, no password, no query, nothing unprintable."""
    try:
        parts = urlsplit(url)
        bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
        return clean(bare._replace(query="…" if parts.query else "").geturl())
    except ValueError:
        return clean(url.rpartition("@")[2])


def clean(text: str) -> str:
    """A server's text on one line, without control characters, at most `MAX_TEXT` characters."""
    printable = "".join(char if char.isprintable() else " " for char in text[: 4 * MAX_TEXT])
    line = " ".join(printable.split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


class TritonError(Exception):
    """A request to a Triton server failed.

    `url` is fit to be shown. `http_status` is None when no status line came. `server_text` is what
    Triton's error JSON says, in its own words, or empty.
    """

    outcome: ClassVar[Outcome]

    def __init__(self, message: str, *, url: str, http_status: int | None = None, server_text: str = "") -> None:
        self.url = shown(url)
        self.http_status = http_status
        self.server_text = clean(server_text)
        super().__init__(f"{self.url} {message}" if self.url else message)


class BadUrlError(TritonError):
    """The URL, or a header configured for the target, cannot be sent."""

    outcome = Outcome.BAD_URL


class ConnectError(TritonError):
    """There is no connection to the server."""


class DnsError(ConnectError):
    """The host's name could not be turned into an address."""

    outcome = Outcome.DNS_ERROR


class RefusedError(ConnectError):
    """The host refuses connections to the port."""

    outcome = Outcome.REFUSED


class NetworkError(ConnectError):
    """The connection broke, was closed without an answer, or the network has no way there."""

    outcome = Outcome.NETWORK_ERROR


class ConnectTimeoutError(ConnectError):
    """No connection within the connect deadline, TLS handshake included."""

    outcome = Outcome.CONNECT_TIMEOUT


class TlsError(ConnectError):
    """TLS failed: certificate, protocol, or our own TLS files."""

    outcome = Outcome.TLS_ERROR


class AnswerTimeoutError(TritonError):
    """Connected, but no complete answer in time."""


class ReadTimeoutError(AnswerTimeoutError):
    """Nothing was received for the read deadline."""

    outcome = Outcome.READ_TIMEOUT


class DeadlineError(AnswerTimeoutError):
    """Bytes kept coming, too slowly for the total deadline."""

    outcome = Outcome.DEADLINE


class StatusError(TritonError):
    """A whole HTTP answer whose status means that the request was not served."""


class RedirectError(StatusError):
    """HTTP 3xx; redirects are not followed, for credentials would go with them."""

    outcome = Outcome.REDIRECT


class UnauthorizedError(StatusError):
    """HTTP 401, or a 403 that is not Triton's restricted API."""

    outcome = Outcome.UNAUTHORIZED


class RestrictedError(StatusError):
    """HTTP 403 of `--http-restricted-api`: Triton expects a header."""

    outcome = Outcome.RESTRICTED


class NotFoundError(StatusError):
    """HTTP 404: no such model, or no such path on this server."""

    outcome = Outcome.NOT_FOUND


class ClientError(StatusError):
    """Any other HTTP 4xx."""

    outcome = Outcome.CLIENT_ERROR


class UnavailableError(StatusError):
    """HTTP 503."""

    outcome = Outcome.UNAVAILABLE


class ServerError(StatusError):
    """Any other HTTP 5xx."""

    outcome = Outcome.SERVER_ERROR


class AnswerError(TritonError):
    """An answer that cannot be used."""


class NotHttpError(AnswerError):
    """What answered does not speak HTTP/1.1 in the clear."""

    outcome = Outcome.NOT_HTTP


class NotTritonError(AnswerError):
    """HTTP, but not Triton's answer."""

    outcome = Outcome.NOT_TRITON


class GarbageError(AnswerError):
    """The body is not what it claims to be."""

    outcome = Outcome.GARBAGE


class TruncatedError(AnswerError):
    """The answer ended before its end."""

    outcome = Outcome.TRUNCATED


class TooLargeError(AnswerError):
    """The body is over the cap; nothing of it was used."""

    outcome = Outcome.TOO_LARGE


class EmptyError(AnswerError):
    """HTTP 200 with an empty body where a metrics page was expected."""

    outcome = Outcome.EMPTY
