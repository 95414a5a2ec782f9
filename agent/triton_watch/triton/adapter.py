"""Requests' adapter over connections whose every wait is bounded by an `Exchange`."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from triton_watch.triton.lookup import Lookup
from triton_watch.triton.wire import connected, encrypted

if TYPE_CHECKING:
    from triton_watch.triton.exchange import Exchange

Context: TypeAlias = Callable[[], ssl.SSLContext]


def pool_classes(exchange: Exchange, context: Context) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools by scheme whose connections belong to `exchange`; `context` is called for https."""
    lookup = Lookup()

    class Connection(HTTPConnection):
        def connect(self) -> None:
            self.sock = connected(exchange, lookup, self._dns_host, self.port)

    class TlsConnection(HTTPSConnection):
        def connect(self) -> None:
            tls = context()
            plain = connected(exchange, lookup, self._dns_host, self.port)
            self.sock = encrypted(exchange, tls, plain, self.host)
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
        origin = _origin(request.url or "")
        pool = self._pools.get(origin)
        if pool is None:
            parts = urlsplit(origin)
            pool = self._classes[parts.scheme](parts.hostname or "", parts.port, maxsize=1)
            self._pools[origin] = pool
        return pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:  # noqa: ANN401, ARG002
        """The request's path and query: no proxy is ever used."""
        url = request.url or ""
        return url.partition("#")[0][len(_origin(url)) :]

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

    def hang_up(self, url: str) -> None:
        """Close the connection to the server of this URL, if there is one."""
        pool = self._pools.pop(_origin(url), None)
        if pool is not None:
            pool.close()

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()


def _origin(url: str) -> str:
    """`scheme://host:port` of a URL."""
    return "/".join(url.split("/", 3)[:3])
