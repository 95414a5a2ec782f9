"""One HTTP exchange on the wire: its deadlines, what has been received, and what went wrong.

Sockets ask it how long they may wait before each receive, and hand it their errors. That is what
makes the total deadline hold against a server that drips one byte a second: no layer above sees
those bytes one by one, the socket does.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from triton_watch.triton.errors import (
    DeadlineError,
    NetworkError,
    NotHttpError,
    ReadTimeoutError,
    TlsError,
    TritonError,
    TruncatedError,
)
from triton_watch.triton.tls import tls_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.records import Timeouts

_STATUS_LINE = b"HTTP/"
_HEAD = 24


class Exchange:
    """Deadlines (seconds of `clock`) and progress of the request that a fetcher makes now."""

    def __init__(self, timeouts: Timeouts, clock: Callable[[], float]) -> None:
        self.timeouts = timeouts
        self.clock = clock
        self.url = ""
        self.started = 0.0
        self.deadline = 0.0
        self.reused = True
        self.in_headers = True
        self.ended = False
        """The peer closed the connection."""
        self.head = b""
        """The first bytes of the answer."""
        self._deadline_is_next = False

    def begin(self, url: str, deadline: float | None) -> None:
        """Start the clock of a new request; `deadline` can only shorten its total deadline.

        Raises DeadlineError when that has passed already.
        """
        self.url = url
        self.started = self.clock()
        self.deadline = self.started + self.timeouts.total
        if deadline is not None:
            self.deadline = min(self.deadline, deadline)
        if self.deadline <= self.started:
            raise DeadlineError("was not asked: this cycle has no time left", url=url)
        self.restart()

    def restart(self) -> None:
        """Forget what was received; the deadline stays."""
        self.reused = True
        self.in_headers = True
        self.ended = False
        self.head = b""

    def connect_until(self) -> float:
        """When a connection begun now must be there, on `clock`. Raises when no time is left."""
        self.wait()
        self.reused = False
        return min(self.deadline, self.clock() + self.timeouts.connect)

    def wait(self) -> float:
        """Seconds that the next receive or send may take. Raises when the deadline has passed."""
        left = self.deadline - self.clock()
        if left <= 0:
            raise self.out_of_time()
        self._deadline_is_next = left < self.timeouts.read
        return left if self._deadline_is_next else self.timeouts.read

    def received(self, data: bytes) -> None:
        """Note what a receive brought: at most its first bytes are needed. Empty means the end.

        Raises NotHttpError as soon as the answer cannot become a status line, for a gRPC server
        keeps such a connection open; TruncatedError or NetworkError when headers end too early
        (http.client would take them for complete).
        """
        if data:
            if len(self.head) < _HEAD:
                self._begin_answer(data)
            return
        self.ended = True
        if self.in_headers:
            raise self._cut_headers()

    def failed(self, error: OSError) -> TritonError:
        """What an error of the socket means."""
        if isinstance(error, TimeoutError):
            return self.out_of_time() if self._deadline_is_next else self._silent(self.timeouts.read)
        if isinstance(error, ssl.SSLEOFError):
            # In TLS 1.3 a server may refuse a client only after the client's handshake is done.
            message = "closed the TLS connection: if it wants a client certificate, set tls.cert_file"
            return TlsError(message, url=self.url)
        if isinstance(error, ssl.SSLError):
            return tls_error(error, self.url)
        reason = error.strerror or str(error) or type(error).__name__
        return NetworkError(f"broke the connection ({reason}): see the server's log", url=self.url)

    def out_of_time(self) -> TritonError:
        """The error for a deadline that has passed."""
        if not self.head:
            return self._silent(self.allowed())
        message = f"answers too slowly: incomplete after {self.allowed():.3g} s, the time for this request"
        return DeadlineError(message, url=self.url)

    def allowed(self) -> float:
        """Seconds that this request may take in all: the same each time, so that its message repeats."""
        return self.deadline - self.started

    def _silent(self, seconds: float) -> TritonError:
        message = f"sent nothing for {seconds:.3g} s: the server hangs, is overloaded, or this is not its HTTP port"
        return ReadTimeoutError(message, url=self.url)

    def _begin_answer(self, data: bytes) -> None:
        self.head += data[: _HEAD - len(self.head)]
        if not _STATUS_LINE.startswith(self.head[: len(_STATUS_LINE)]):
            raise not_http(self.head, self.url)

    def _cut_headers(self) -> TritonError:
        if self.head:
            return TruncatedError("closed the connection in the middle of the answer's headers", url=self.url)
        return NetworkError("closed the connection without an answer: see the server's log", url=self.url)


def not_http(head: bytes, url: str) -> NotHttpError:
    """The error for an answer that begins with `head` and is no HTTP/1.1."""
    # An HTTP/2 frame header: 24 bits of length, then the type; a server's first frame is SETTINGS
    # (4), or GOAWAY (7) from one that does not wait for ours (RFC 9113, 3.4 and 4.1).
    if len(head) >= 4 and head[:2] == b"\0\0" and head[3] in {4, 7}:
        hint = "is this the gRPC port (8001)? The HTTP port is usually 8000"
    # A TLS record: alert (21) or handshake (22), then the major version 3.
    elif len(head) >= 2 and head[0] in {21, 22} and head[1] == 3:
        hint = "it speaks TLS, so write https:// in the target's URL"
    else:
        hint = f"they begin with {head!r}; is the port right? Triton's HTTP port is usually 8000"
    return NotHttpError(f"answered with bytes that are not HTTP: {hint}", url=url)
