"""Inference over Triton's HTTP port, on our own fetcher: its deadlines, TLS, credentials and limit of a body."""

from __future__ import annotations

import dataclasses
import threading
import time
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from triton_watch.records import CanaryReason, Outcome, Timeouts
from triton_watch.triton.answers import json_of, refusal
from triton_watch.triton.errors import TritonError
from triton_watch.triton.http import HttpFetcher
from triton_watch.triton.infer.binary import outputs_of, request_body
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.messages import Exchange, InferAnswer, TensorError
from triton_watch.triton.infer.words import UNKNOWN_MODEL, own_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from triton_watch.records import Target
    from triton_watch.triton.http import Response
    from triton_watch.triton.infer.messages import InferRequest

_NO_BOUND: Final = 86_400.0
"""Seconds: more than any canary may take, so that its own timeout is the one that counts."""
_UNSUPPORTED: Final = 501

_REASONS: Final[Mapping[Outcome, CanaryReason]] = MappingProxyType(
    {
        Outcome.BAD_URL: CanaryReason.UNREACHABLE,
        Outcome.DNS_ERROR: CanaryReason.UNREACHABLE,
        Outcome.REFUSED: CanaryReason.UNREACHABLE,
        Outcome.NETWORK_ERROR: CanaryReason.UNREACHABLE,
        Outcome.CONNECT_TIMEOUT: CanaryReason.UNREACHABLE,
        Outcome.TLS_ERROR: CanaryReason.UNREACHABLE,
        Outcome.NOT_HTTP: CanaryReason.UNREACHABLE,
        Outcome.TRUNCATED: CanaryReason.UNREACHABLE,
        Outcome.READ_TIMEOUT: CanaryReason.DEADLINE,
        Outcome.DEADLINE: CanaryReason.DEADLINE,
        Outcome.REDIRECT: CanaryReason.REFUSED,
        Outcome.UNAUTHORIZED: CanaryReason.REFUSED,
        Outcome.RESTRICTED: CanaryReason.REFUSED,
        Outcome.NOT_FOUND: CanaryReason.REFUSED,
        Outcome.CLIENT_ERROR: CanaryReason.REFUSED,
        Outcome.UNAVAILABLE: CanaryReason.OVERLOADED,
        Outcome.SERVER_ERROR: CanaryReason.SERVER_ERROR,
    }
)
"""What a failed request says. All other outcomes are answers that cannot be read."""
_MAY_BE_UNKNOWN: Final = frozenset({Outcome.NOT_FOUND, Outcome.CLIENT_ERROR, Outcome.UNAVAILABLE})
_HINTS: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        Outcome.UNAUTHORIZED: "set the target's basic_auth or bearer_token",
        Outcome.RESTRICTED: "set the target's restricted_api to this header and the value of --http-restricted-api",
    }
)


class HttpInfer:
    """Asks the models of one target over HTTP, from any number of threads, each on a connection of its own.

    A server that hears a client hang up goes on with its request (2.51): only gRPC can cancel one.
    `body_limit` is in bytes, the target's own when left out; `clock` gives monotonic seconds.
    """

    def __init__(
        self, target: Target, body_limit: int | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        bounds = Timeouts(connect=target.timeouts.connect, read=_NO_BOUND, total=_NO_BOUND)
        self._target = dataclasses.replace(target, timeouts=bounds)
        self._limit = target.body_limit if body_limit is None else body_limit
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: list[HttpFetcher] = []

    def infer(self, request: InferRequest, timeout: float) -> Exchange:
        """One request, one response, within `timeout` seconds. Raises `InferError`."""
        try:
            body, headers = request_body(request)
            url = _url(self._target.http_url, request)
        except ValueError as error:  # half of a surrogate pair in a name
            raise InferError(CanaryReason.REFUSED, f"the request cannot be written: {error}") from None
        began = self._clock()
        try:
            with self._fetcher(url) as fetcher:
                response = fetcher.fetch(
                    "POST", url, limit=self._limit, body=body, headers=headers, deadline=began + timeout
                )
            seconds = self._clock() - began
            answer = _answer(response, url, seconds)
        except TritonError as error:
            raise _failure(error, self._clock() - began) from error
        except TensorError as error:
            text = f"an output cannot be read: {error}"
            raise InferError(CanaryReason.UNREADABLE, text, seconds=seconds) from error
        return Exchange((answer,), seconds)

    def close(self) -> None:
        """Forget what was kept for later requests; no connection is open between requests."""
        with self._lock:
            idle, self._idle = self._idle, []
        for fetcher in idle:
            fetcher.close()

    @contextmanager
    def _fetcher(self, url: str) -> Iterator[HttpFetcher]:
        """A fetcher that no other thread has, without a connection afterwards: see `TritonClient.hang_up`."""
        with self._lock:
            fetcher = self._idle.pop() if self._idle else None
        fetcher = fetcher or HttpFetcher(self._target, clock=self._clock)
        try:
            yield fetcher
        finally:
            fetcher.hang_up(url)
            with self._lock:
                self._idle.append(fetcher)


def _url(root: str, request: InferRequest) -> str:
    version = f"/versions/{quote(request.version, safe='')}" if request.version else ""
    return f"{root}/v2/models/{quote(request.model, safe='')}{version}/infer"


def _answer(response: Response, url: str, seconds: float) -> InferAnswer:
    """The result in a response. Raises TritonError, TensorError."""
    if response.status != 200:
        raise refusal(response, url)
    length = len(response.body) if response.header_length is None else response.header_length
    if length > len(response.body):
        raise TensorError(f"{length} bytes of JSON are announced where {len(response.body)} bytes came")
    found: Any = json_of(dataclasses.replace(response, body=response.body[:length]), url)
    if not isinstance(found, dict):
        raise TensorError("the answer is not a JSON object")
    model, version = (found.get(key, "") for key in ("model_name", "model_version"))
    if not (isinstance(model, str) and isinstance(version, str)):
        raise TensorError("the answer's model_name or model_version is not a text")
    return InferAnswer(model, version, outputs_of(found, response.body[length:]), seconds)


def _failure(error: TritonError, seconds: float) -> InferError:
    outcome = error.outcome
    text = own_words(error.server_text)
    reason = _REASONS.get(outcome, CanaryReason.UNREADABLE)
    if outcome in _MAY_BE_UNKNOWN and UNKNOWN_MODEL.search(text):
        reason = CanaryReason.NOT_SERVED
    elif error.http_status == _UNSUPPORTED:
        # UNSUPPORTED: the model cannot be asked so, as a decoupled one over HTTP.
        reason = CanaryReason.REFUSED
    return InferError(reason, text or str(error), hint=_HINTS.get(outcome, ""), seconds=seconds)
