"""What a gRPC status, or the text of a stream's error, says of an inference."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import grpc

from triton_watch.records import CanaryReason
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.words import UNKNOWN_MODEL, own_words

if TYPE_CHECKING:
    from collections.abc import Mapping

_NETWORK: Final = re.compile(
    r"failed to connect|errors? resolving|connections to all|socket closed|connection (reset|refused|timed out|aborted)"
    r"|broken pipe|recvmsg|sendmsg|endpoint clos|goaway|rst_stream|stream removed|tcp user timeout|keepalive"
    r"|http status code|http2|handshake|transport|no route|unreachable|channel closed",
    re.IGNORECASE,
)
"""Words of gRPC's own: it gives a status for a lost connection, too, and nothing but the text tells the two apart."""
_RESTRICTED: Final = re.compile(r"This protocol is restricted, expecting header '([^']*)'")

_TOO_LARGE: Final = "Received message larger than max"
"""gRPC's own words, of a request with "SERVER:" before them, of an answer with "CLIENT:" or nothing."""

_REASONS: Final[Mapping[grpc.StatusCode, CanaryReason]] = MappingProxyType(
    {
        grpc.StatusCode.UNAVAILABLE: CanaryReason.OVERLOADED,
        grpc.StatusCode.RESOURCE_EXHAUSTED: CanaryReason.OVERLOADED,
        grpc.StatusCode.DEADLINE_EXCEEDED: CanaryReason.DEADLINE,
        grpc.StatusCode.NOT_FOUND: CanaryReason.NOT_SERVED,
        grpc.StatusCode.INVALID_ARGUMENT: CanaryReason.REFUSED,
        grpc.StatusCode.ALREADY_EXISTS: CanaryReason.REFUSED,
        grpc.StatusCode.PERMISSION_DENIED: CanaryReason.REFUSED,
        grpc.StatusCode.UNAUTHENTICATED: CanaryReason.REFUSED,
        grpc.StatusCode.FAILED_PRECONDITION: CanaryReason.REFUSED,
        grpc.StatusCode.OUT_OF_RANGE: CanaryReason.REFUSED,
        grpc.StatusCode.UNIMPLEMENTED: CanaryReason.REFUSED,
    }
)
"""What a status means that the server sent. All others are errors of the server."""


_MAY_BE_OURS: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)
"""Statuses that gRPC makes itself where there is no answer; the last one where plain HTTP says 404."""

_STREAM_WORDS: Final = (
    (UNKNOWN_MODEL, CanaryReason.NOT_SERVED),
    (re.compile(r"Exceeds maximum queue size|Request timeout expired", re.IGNORECASE), CanaryReason.OVERLOADED),
    (
        re.compile(r"unexpected (shape|data|number|inference)|expected \d+ inputs|data-type is|must specify"),
        CanaryReason.REFUSED,
    ),
)
"""A stream's errors come as texts alone, without a status: Triton's words on 2.51."""


def failure(code: grpc.StatusCode, details: str, seconds: float, *, in_tls: bool) -> InferError:
    """What a call that ended with this status and these details came to; `in_tls`: the channel speaks TLS."""
    text = own_words(details)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return InferError(CanaryReason.DEADLINE, f"no answer within {seconds:.3g} s", seconds=seconds)
    if _TOO_LARGE in text:
        return _too_large(text, seconds)
    if code in _MAY_BE_OURS and _NETWORK.search(text):
        return InferError(CanaryReason.UNREACHABLE, text, hint=_hint(text, in_tls=in_tls), seconds=seconds)
    return _refusal(code, text, seconds)


def stream_error(message: str, seconds: float) -> InferError:
    """What the text of a stream's error says."""
    text = own_words(message)
    reason = next((reason for words, reason in _STREAM_WORDS if words.search(text)), CanaryReason.SERVER_ERROR)
    return InferError(reason, text, seconds=seconds)


def _too_large(text: str, seconds: float) -> InferError:
    if "SERVER" in text:
        return InferError(CanaryReason.REFUSED, text, seconds=seconds)
    hint = "raise the target's body_limit if the model may answer so much"
    return InferError(CanaryReason.UNREADABLE, text, hint=hint, seconds=seconds)


def _hint(text: str, *, in_tls: bool) -> str:
    if "SSL" in text or "handshake" in text.lower() or "certificate" in text.lower():
        return "check tls.ca_file, cert_file and key_file of the target"
    if not in_tls and "Socket closed" in text:
        return "if the server's gRPC port speaks TLS, write grpc: grpcs://… for the target"
    return ""


def _refusal(code: grpc.StatusCode, text: str, seconds: float) -> InferError:
    restricted = _RESTRICTED.search(text)
    if restricted:
        key = restricted[1].removeprefix("triton-grpc-protocol-")
        hint = f"set the target's restricted_api to the header {key!r} with the value of --grpc-restricted-protocol"
        return InferError(CanaryReason.REFUSED, text, hint=hint, seconds=seconds)
    reason = _REASONS.get(code, CanaryReason.SERVER_ERROR)
    if reason is not CanaryReason.SERVER_ERROR and UNKNOWN_MODEL.search(text):
        reason = CanaryReason.NOT_SERVED
    return InferError(reason, text or f"gRPC status {code.name}", seconds=seconds)
