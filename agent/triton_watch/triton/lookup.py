"""Host names to addresses, within a deadline: getaddrinfo has none, so it runs in a thread."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any, TypeAlias

from triton_watch.triton.errors import BadUrlError, DnsError

if TYPE_CHECKING:
    from collections.abc import Sequence

Address: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""What getaddrinfo gives: family, type, protocol, canonical name, socket address."""


class _Query(threading.Thread):
    """One getaddrinfo call that may outlive the request that asked for it."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(name=f"lookup {host}", daemon=True)
        self._host = host
        self._port = port
        self.addresses: Sequence[Address] = ()
        self.failure: OSError | UnicodeError | None = None

    def run(self) -> None:
        try:
            self.addresses = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            self.failure = error


class Lookup:
    """Looks up names for one fetcher. A name whose last query still hangs is not asked a second time."""

    def __init__(self) -> None:
        self._pending: dict[tuple[str, int], _Query] = {}

    def addresses(self, host: str, port: int, timeout: float, url: str) -> Sequence[Address]:
        """The host's addresses within `timeout` seconds. Raises DnsError, BadUrlError for what is no name."""
        try:
            return socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
            )
        except (OSError, UnicodeError):
            return self._by_name(host, port, timeout, url)

    def _by_name(self, host: str, port: int, timeout: float, url: str) -> Sequence[Address]:
        query = self._pending.get((host, port))
        if query is None:
            query = self._pending[host, port] = _Query(host, port)
            query.start()
        query.join(timeout)
        if query.is_alive():
            message = f"could not be reached: looking up {host!r} took over {timeout:.3g} s; check the DNS server"
            raise DnsError(message, url=url)
        del self._pending[host, port]
        if isinstance(query.failure, UnicodeError):
            raise BadUrlError(f"has no valid host name: {host!r}", url=url) from query.failure
        if query.failure is not None:
            reason = query.failure.strerror or str(query.failure)
            message = f"could not be reached: the name {host!r} has no address ({reason}); check its spelling"
            raise DnsError(message, url=url) from query.failure
        return query.addresses
