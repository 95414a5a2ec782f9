"""Connections for urllib3 whose every wait is bounded by an `Exchange`.

urllib3 and http.client give each receive a timeout of its own and never add them up. Here the
sockets do: before each receive and send they set their timeout to what the exchange has left.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from triton_watch.triton.errors import ConnectTimeoutError, NetworkError, RefusedError, TritonError
from triton_watch.triton.lookup import Address, Lookup
from triton_watch.triton.tls import tls_error

if TYPE_CHECKING:
    from triton_watch.triton.exchange import Exchange


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


Context = Callable[[], ssl.SSLContext]


def pool_classes(exchange: Exchange, context: Context) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools by scheme whose connections belong to `exchange`; `context` is called for https."""
    lookup = Lookup()

    class Connection(HTTPConnection):
        def connect(self) -> None:
            self.sock = _connected(exchange, lookup, self._dns_host, self.port)

    class TlsConnection(HTTPSConnection):
        def connect(self) -> None:
            tls = context()
            plain = _connected(exchange, lookup, self._dns_host, self.port)
            self.sock = _encrypted(exchange, tls, plain, self.host)
            self.is_verified = True  # by our context, or skipped on purpose: urllib3 need not warn

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": Pool, "https": TlsPool}


class DeadlineAdapter(HTTPAdapter):
    """Requests' adapter over these connections, without what it would do about TLS, proxies and cookies."""

    def __init__(self, exchange: Exchange, context: Context) -> None:
        super().__init__()
        self._classes = pool_classes(exchange, context)
        self._pools: dict[str, HTTPConnectionPool] = {}

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        *_: Any,  # noqa: ANN401
        **__: Any,  # noqa: ANN401
    ) -> HTTPConnectionPool:
        """The pool of one kept connection to the request's server. TLS settings are the same for all."""
        origin = _origin(request)
        pool = self._pools.get(origin)
        if pool is None:
            parts = urlsplit(origin)
            pool = self._classes[parts.scheme](parts.hostname or "", parts.port, maxsize=1)
            self._pools[origin] = pool
        return pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ANN401, ARG002
        """The request's path and query: no proxy is ever used."""
        return (request.url or "").partition("#")[0][len(_origin(request)) :]

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:  # noqa: ANN401
        """Nothing: connections verify with the target's own context."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:  # noqa: ANN401
        """Requests' response, without reading cookies that nobody sends back."""
        response = requests.Response()
        response.status_code = resp.status
        response.headers = resp.headers
        response.raw = resp
        response.request = req
        return response

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()


def _origin(request: requests.PreparedRequest) -> str:
    """`scheme://host:port` of a prepared request, whose URL always has a path."""
    return "/".join((request.url or "").split("/", 3)[:3])


def _connected(exchange: Exchange, lookup: Lookup, host: str, port: int) -> DeadlineSocket:
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


def _encrypted(exchange: Exchange, context: ssl.SSLContext, plain: socket.socket, host: str) -> ssl.SSLSocket:
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
    return NetworkError(
        f"could not be connected to: {reason}; check the address and routes", url=exchange.url
    )
