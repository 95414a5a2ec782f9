"""gRPC or HTTP: gRPC where there is any, and HTTP where there never was."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from triton_watch.records import CanaryReason, Protocol
from triton_watch.triton.infer.errors import InferError

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.probes.canary.clients import InferClient, UnaryClient
    from triton_watch.records import Target
    from triton_watch.triton.infer.messages import Exchange, InferRequest

_LOOK_AGAIN: Final = 600.0
"""Seconds after which gRPC is tried again where there was none."""
_LEAST_LEFT: Final = 0.1
_NONE_FOUND: Final = (
    "it answers over gRPC alone, and no gRPC answers at {address}: "
    "give the right address with grpc: in the file or --grpc, or let the server open its gRPC port"
)
_NOT_CHOSEN: Final = "it answers over gRPC alone, and canary.protocol is http: make it auto"
_ANY_CERTIFICATE: Final = (
    "it answers over gRPC alone, which cannot accept any certificate: "
    "give the certificate's authority with tls.ca_file in place of insecure_skip_verify"
)


class Transport:
    """Asks one target, from any number of threads. Implements `run.InferClient`.

    A server whose gRPC once answered has no excuse: when it is gone later, that is a failure, and HTTP is not asked.
    """

    def __init__(
        self,
        target: Target,
        protocol: Protocol = Protocol.AUTO,
        *,
        clock: Callable[[], float] = time.monotonic,
        over_grpc: Callable[[Target], InferClient] | None = None,
        over_http: Callable[[Target], UnaryClient] | None = None,
    ) -> None:
        self._target = target
        self._clock = clock
        self._make_grpc = over_grpc or _grpc
        self._make_http = over_http or _http
        self._making = threading.Lock()
        self._grpc: InferClient | None = None
        self._http: UnaryClient | None = None
        self._is_fixed = protocol is not Protocol.AUTO
        self._speaks_http = protocol is Protocol.HTTP
        self._why_http = _NOT_CHOSEN if self._speaks_http else _NONE_FOUND.format(address=target.grpc_address)
        self._has_spoken = False
        self._since = clock()
        if not self._is_fixed and target.grpc_tls and target.tls.insecure_skip_verify:
            self._is_fixed = self._speaks_http = True  # gRPC cannot be told to accept any certificate
            self._why_http = _ANY_CERTIFICATE

    @property
    def protocol(self) -> Protocol:
        """What is spoken now."""
        return Protocol.HTTP if self._speaks_http else Protocol.GRPC

    @property
    def hindrance(self) -> str:
        """Why models that stream cannot be asked now, and what to do, in a sentence; empty = they can."""
        return self._why_http if self._speaks_http else ""

    def infer(self, request: InferRequest, timeout: float) -> Exchange:
        """One request, one response. Raises `InferError`."""
        self._look_again()
        if self._speaks_http:
            return self._over_http().infer(request, timeout)
        end = self._clock() + timeout
        try:
            return self._spoken(lambda: self._over_grpc().infer(request, timeout))
        except InferError as error:
            left = end - self._clock()
            if not self._may_fall_back(error) or left < _LEAST_LEFT:
                raise
            return self._fallen_back(request, left, error)

    def stream(self, request: InferRequest, timeout: float, limit: int) -> Exchange:
        """One request and its responses, over gRPC alone. Raises `InferError`."""
        return self._spoken(lambda: self._over_grpc().stream(request, timeout, limit))

    def close(self) -> None:
        """Close all connections."""
        for client in (self._grpc, self._http):
            if client is not None:
                client.close()

    def _spoken(self, ask: Callable[[], Exchange]) -> Exchange:
        """Ask over gRPC, and note whether it is there."""
        try:
            exchange = ask()
        except InferError as error:
            self._has_spoken = self._has_spoken or error.reason not in (CanaryReason.UNREACHABLE, CanaryReason.DEADLINE)
            raise
        self._has_spoken = True
        self._speaks_http = self._speaks_http and self._is_fixed
        return exchange

    def _may_fall_back(self, error: InferError) -> bool:
        """A hint means that gRPC is there, and that the settings are wrong: that is to be told, not to be got round."""
        is_absent = error.reason is CanaryReason.UNREACHABLE and not error.hint
        return is_absent and not self._has_spoken and not self._is_fixed

    def _fallen_back(self, request: InferRequest, left: float, first: InferError) -> Exchange:
        try:
            exchange = self._over_http().infer(request, left)
        except InferError as second:
            if second.reason is CanaryReason.UNREACHABLE:
                raise first from None
            self._speak_http()
            raise
        self._speak_http()
        return exchange

    def _speak_http(self) -> None:
        self._speaks_http, self._since = True, self._clock()

    def _look_again(self) -> None:
        if self._speaks_http and not self._is_fixed and self._clock() - self._since > _LOOK_AGAIN:
            self._speaks_http, self._since = False, self._clock()

    def _over_grpc(self) -> InferClient:
        with self._making:
            if self._grpc is None:
                self._grpc = self._make_grpc(self._target)
            return self._grpc

    def _over_http(self) -> UnaryClient:
        with self._making:
            if self._http is None:
                self._http = self._make_http(self._target)
            return self._http


def _grpc(target: Target) -> InferClient:
    from triton_watch.triton.infer.grpc import GrpcInfer  # noqa: PLC0415 - 15 MB that an agent without canaries saves

    return GrpcInfer(target)


def _http(target: Target) -> UnaryClient:
    from triton_watch.triton.infer.http import HttpInfer  # noqa: PLC0415 - needed where there is no gRPC alone

    return HttpInfer(target)
