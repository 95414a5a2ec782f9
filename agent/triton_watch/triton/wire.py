"""Sockets, plain and TLS, whose every wait is bounded by an `Exchange`.

urllib3 and http.client give each receive a timeout of its own and never add them up. Here the
sockets do: before each receive and send they set their timeout to what the exchange has left.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any

from triton_watch.triton.errors import ConnectTimeoutError, NetworkError, RefusedError, TritonError
from triton_watch.triton.tls import tls_error

if TYPE_CHECKING:
    from triton_watch.triton.exchange import Exchange
    from triton_watch.triton.lookup import Address, Lookup


class DeadlineSocket(socket.socket):
    """A socket that asks its exchange how long it may wait, and turns its errors into TritonErrors."""

    exchange: Exchange

    def recv_into(self, buffer: Any, *args: Any) -> int:  # noqa: ANN401 - the signatures of socket and SSLSocket differ
        """Receive within the exchange's deadlines. Raises TritonError."""
        exchange = self.exchange
        self.settimeout(exchange.wait())
        try:
            count = super().recv_into(buffer, *args)
        except OSError as error:
            raise exchange.failed(error) from error
        exchange.received(bytes(buffer[: min(count, 24)]))
        return count

    def send(self, data: Any, flags: int = 0, /) -> int:  # noqa: ANN401
        """Send some, within the exchange's deadlines. Raises TritonError."""
        self.settimeout(self.exchange.wait())
        try:
            return super().send(data, flags)
        except OSError as error:
            raise self.exchange.failed(error) from error

    def sendall(self, data: Any, flags: int = 0, /) -> None:  # noqa: ANN401
        """Send all, within the exchange's deadlines. Raises TritonError."""
        self.settimeout(self.exchange.wait())
        try:
            super().sendall(data, flags)
        except OSError as error:
            raise self.exchange.failed(error) from error


class TlsDeadlineSocket(DeadlineSocket, ssl.SSLSocket):
    """The same over TLS: what `super()` means above is ssl.SSLSocket here."""


def connected(exchange: Exchange, lookup: Lookup, host: str, port: int) -> DeadlineSocket:
    """A connection to host and port within the exchange's connect deadline. Raises TritonError."""
    until = exchange.connect_until()
    addresses = lookup.addresses(host.strip("[]"), port, until - exchange.clock(), exchange.url)
    failure: OSError | None = None
    for tried, address in enumerate(addresses):
        # Each address gets its share, so that a dead IPv6 way leaves time for the IPv4 one.
        share = (until - exchange.clock()) / (len(addresses) - tried)
        try:
            return _connect(exchange, address, max(share, 0.001))
        except OSError as error:
            failure = error
    raise _no_connection(exchange, failure) from failure


def _connect(exchange: Exchange, address: Address, timeout: float) -> DeadlineSocket:
    family, kind, protocol, _, where = address
    sock = DeadlineSocket(family, kind, protocol)
    sock.exchange = exchange
    try:
        sock.settimeout(timeout)
        sock.connect(where)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def encrypted(exchange: Exchange, context: ssl.SSLContext, plain: socket.socket, host: str) -> ssl.SSLSocket:
    """The connection after a TLS handshake for this host; `plain` is used up. Raises TritonError."""
    try:
        # ssl bounds a whole handshake, not each of its receives, by the socket's timeout.
        plain.settimeout(min(exchange.wait(), exchange.timeouts.connect))
        wrapped = context.wrap_socket(plain, server_hostname=host.strip("[]").partition("%")[0])
    except TimeoutError as error:
        plain.close()
        message = "did not answer the TLS handshake in time: does this port speak TLS?"
        raise ConnectTimeoutError(message, url=exchange.url) from error
    except OSError as error:
        plain.close()
        raise tls_error(error, exchange.url) from error
    except BaseException:
        plain.close()
        raise
    assert isinstance(wrapped, TlsDeadlineSocket)  # noqa: S101 - what tls_context makes
    wrapped.exchange = exchange
    return wrapped


def _no_connection(exchange: Exchange, error: OSError | None) -> TritonError:
    if isinstance(error, ConnectionRefusedError):
        message = "refused the connection: nothing listens there; is Triton running, and is the port right?"
        return RefusedError(message, url=exchange.url)
    if error is None or isinstance(error, TimeoutError):
        allowed = min(exchange.timeouts.connect, exchange.allowed())
        message = f"could not be connected to within {allowed:.3g} s: check the address and firewalls"
        return ConnectTimeoutError(message, url=exchange.url)
    reason = error.strerror or type(error).__name__
    return NetworkError(f"could not be connected to: {reason}; check the address and routes", url=exchange.url)
