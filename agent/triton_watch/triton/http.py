"""HTTP to one target, on requests: bounded in time and size, cheap per request, errors in one tree."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from urllib3.exceptions import HTTPError

from triton_watch.triton.adapter import DeadlineAdapter
from triton_watch.triton.errors import (
    GarbageError,
    NetworkError,
    NotHttpError,
    TooLargeError,
    TritonError,
    TruncatedError,
    clean,
)
from triton_watch.triton.exchange import Exchange
from triton_watch.triton.prepare import prepare
from triton_watch.triton.tls import fingerprint, tls_context
from triton_watch.triton.wire import TlsDeadlineSocket

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from triton_watch.records import Target

_ERROR_BODY_LIMIT = 65_536
"""Bytes read of the body of an answer that is not 200."""
_PREPARED_LIMIT = 64
_UNREADABLE = (requests.RequestException, HTTPError, http.client.HTTPException, OSError, ValueError)
"""What requests, urllib3 and http.client raise at an answer that they cannot read."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole HTTP answer. `location` is where a redirect points, or empty.

    `header_length` is how many bytes of an inference's body are JSON, before the tensors; None = all.
    """

    status: int
    body: bytes
    content_type: str = ""
    location: str = ""
    header_length: int | None = None


class HttpFetcher:
    """Makes HTTP requests to one target with its deadlines, credentials and TLS settings.

    Connections are kept open between requests; `close()` closes them. One request runs at a time:
    a second thread waits. `clock` gives monotonic seconds.
    """

    def __init__(self, target: Target, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._exchange = Exchange(target.timeouts, clock)
        self._context: ssl.SSLContext | None = None
        self._tls_files: tuple[object, ...] = ()
        self._prepared: dict[tuple[str, str, bytes | None], requests.PreparedRequest] = {}
        # Not a Session: it reads the body of a redirect, whatever its size, and adds 30 % to a request.
        self._adapter = DeadlineAdapter(self._exchange, self._tls)

    def fetch(
        self,
        method: str,
        url: str,
        *,
        limit: int,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        idempotent: bool | None = None,
    ) -> Response:
        """Ask, and read the whole answer, whatever its status. Raises TritonError.

        `limit` is the most bytes of a 200's body; of other answers' bodies the first 64 KiB are kept.
        `headers` say what the body is; such a request is not remembered, for its body is another each time.
        `deadline`, in seconds of the clock, can shorten the target's total deadline. When the server
        closed a kept connection before it answered anything, an idempotent request (GET and HEAD,
        unless told otherwise) is sent once more.
        """
        with self._lock:
            request = prepare(self._target, method, url, body, headers) if headers else self._request(method, url, body)
            self._exchange.begin(url, deadline)
            try:
                return self._ask(request, limit)
            except NetworkError:
                again = method in {"GET", "HEAD"} if idempotent is None else idempotent
                if not again or self._exchange.head or not self._exchange.reused:
                    raise
            self._exchange.restart()
            return self._ask(request, limit)

    def hang_up(self, url: str) -> None:
        """Close the kept connection to the server of this URL; a later request opens a new one."""
        with self._lock:
            self._adapter.hang_up(url)

    def close(self) -> None:
        """Close all connections; a later request opens new ones."""
        with self._lock:
            self._adapter.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tls(self) -> ssl.SSLContext:
        """The context for a new connection; made again when a certificate file was renewed."""
        files = fingerprint(self._target.tls)
        if self._context is None or files != self._tls_files:
            self._context = tls_context(self._target.tls, TlsDeadlineSocket, self._exchange.url)
            self._tls_files = files
        return self._context

    def _request(self, method: str, url: str, body: bytes | None) -> requests.PreparedRequest:
        key = (method, url, body)
        request = self._prepared.get(key)
        if request is None:
            request = prepare(self._target, method, url, body)
            if len(self._prepared) >= _PREPARED_LIMIT:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[key] = request
        return request

    def _ask(self, request: requests.PreparedRequest, limit: int) -> Response:
        exchange = self._exchange
        try:
            answer = self._adapter.send(request, stream=True)
        except _UNREADABLE as error:
            message = f"answered with a broken HTTP header ({_why(error)}): is the port right?"
            raise NotHttpError(message, url=exchange.url) from error
        exchange.in_headers = False
        try:
            return self._read(answer, limit)
        except _UNREADABLE as error:
            raise self._broken_body(error) from error
        finally:
            answer.raw.close()

    def _read(self, answer: requests.Response, limit: int) -> Response:
        headers = answer.headers
        status = answer.status_code
        content_type = headers.get("Content-Type", "")
        if status != 200:
            return Response(status, self._error_body(answer), content_type, headers.get("Location", ""))
        encoding = headers.get("Content-Encoding", "").strip().lower()
        if encoding not in {"", "identity"}:
            message = f"sent a body in the encoding {encoding[:40]!r}, which was not asked for: is a proxy between?"
            raise GarbageError(message, url=self._exchange.url, http_status=status)
        header_length = _whole_number(headers.get("Inference-Header-Content-Length", ""))
        return Response(status, self._body(answer, limit), content_type, header_length=header_length)

    def _body(self, answer: requests.Response, limit: int) -> bytes:
        length = _length(answer)
        if length is not None and length > limit:
            raise self._too_large(f"{length} announced", limit)
        # One read of the raw stream: requests' own iteration, in pieces, costs eight times the CPU.
        body: bytes = answer.raw.read(limit + 1 if length is None else max(length, 1), decode_content=False)
        if len(body) > limit:
            raise self._too_large("more came", limit)
        if length is not None and len(body) < length:
            message = f"ended its answer early: {len(body)} of {length} bytes came"
            raise TruncatedError(message, url=self._exchange.url, http_status=200)
        return body

    def _error_body(self, answer: requests.Response) -> bytes:
        try:
            body: bytes = answer.raw.read(_ERROR_BODY_LIMIT, decode_content=False)
        except (TritonError, *_UNREADABLE):
            return b""  # the status is what counts; the body would have explained it
        return body

    def _too_large(self, what: str, limit: int) -> TritonError:
        message = f"sent a body over the limit of {limit} bytes ({what}): raise body_limit if it is genuine"
        return TooLargeError(message, url=self._exchange.url, http_status=200)

    def _broken_body(self, error: Exception) -> TritonError:
        url = self._exchange.url
        if self._exchange.ended:
            message = "closed the connection in the middle of the body: see the server's log"
            return TruncatedError(message, url=url, http_status=200)
        return GarbageError(f"sent a broken HTTP body ({_why(error)})", url=url, http_status=200)


def _length(answer: requests.Response) -> int | None:
    """Bytes announced; None when chunked, or when nothing that counts was announced."""
    return None if "Transfer-Encoding" in answer.headers else _whole_number(answer.headers.get("Content-Length", ""))


def _whole_number(text: str) -> int | None:
    return int(text[:20]) if text.isascii() and text.isdigit() else None


def _why(error: BaseException) -> str:
    """The text of the innermost cause, short."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__ or error
    return clean(f"{type(error).__name__}: {error}")[:120]
