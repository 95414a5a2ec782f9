"""The channel to a target's gRPC port: its options, its TLS, and what is sent with each call."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

import grpc

from triton_watch.records import CanaryReason
from triton_watch.triton.infer.errors import InferError

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import Target

_PEM: Final = b"-----BEGIN "
_NAME: Final = re.compile(r"(?!.*-bin$)[0-9a-z_.-]+")
_VALUE: Final = re.compile(r"[ -~]*")
_OPTIONS: Final = (
    # A canary that fails says so now; the next one, seconds later, must find a channel that has tried again.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    # When a network drops packets without a word, only this ends the connection (TCP_USER_TIMEOUT): without it a
    # healed cut, or a server that moved, is found as late as the kernel tries again, which may be minutes later.
    # gRPC sets it when there are keepalive pings, so there is one in two hours, which no server minds.
    ("grpc.keepalive_time_ms", 7_200_000),
    ("grpc.keepalive_timeout_ms", 5000),
    ("grpc.dns_min_time_between_resolutions_ms", 1000),  # a server that moved is not looked for at its old address
)


def channel_to(target: Target) -> grpc.Channel:
    """A channel that connects when it is first used. Raises `InferError` for a file that cannot be used."""
    options = [*_OPTIONS, ("grpc.max_receive_message_length", target.body_limit)]
    if not target.grpc_tls:
        return grpc.insecure_channel(target.grpc_address, options=options)
    return grpc.secure_channel(target.grpc_address, _tls_of(target), options=options)


def _tls_of(target: Target) -> grpc.ChannelCredentials:
    """The target's TLS. gRPC ends the whole process for a key without a certificate, be it that a file is empty."""
    tls = target.tls
    chain = _pem(tls.cert_file)
    key = _pem(tls.key_file) or chain  # both may be in one file
    return grpc.ssl_channel_credentials(_pem(tls.ca_file), key if chain else None, chain)


def _pem(path: Path | None) -> bytes | None:
    """The bytes of a PEM file. Raises `InferError`."""
    if path is None:
        return None
    try:
        found = path.read_bytes()
    except OSError as error:
        raise _unusable(f"{path} could not be read: {error.strerror or error}") from None
    if _PEM not in found:
        raise _unusable(f"{path} is no PEM file")
    return found


def _unusable(text: str) -> InferError:
    return InferError(CanaryReason.UNREACHABLE, text, hint="check the target's tls settings")


def metadata_of(target: Target) -> tuple[tuple[str, str], ...]:
    """The target's credentials and headers, as gRPC sends them: names in lower case."""
    given = target.credentials
    pairs = [(name.lower(), value) for name, value in given.headers]
    if given.bearer_token is not None:
        pairs.append(("authorization", f"Bearer {given.bearer_token}"))
    elif given.username is not None:
        both = f"{given.username}:{given.password or ''}".encode()
        pairs.append(("authorization", f"Basic {base64.b64encode(both).decode()}"))
    if given.restricted_header is not None:
        name, value = given.restricted_header
        pairs.append((f"triton-grpc-protocol-{name.lower()}", value))
    return tuple(pairs)


def unsendable(metadata: tuple[tuple[str, str], ...]) -> str | None:
    """The name of a header that gRPC cannot send: it would say so on stderr and fail the call; None = all are fine."""
    return next((name for name, value in metadata if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value))), None)
