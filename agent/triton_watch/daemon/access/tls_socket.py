"""A server's side of a TLS connection, for a loop that must never wait."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
from errno import EWOULDBLOCK
from typing import Any, Final

RECORD: Final = 16 * 1024
"""Most bytes in one record of TLS. Who receives so many at once leaves none behind in OpenSSL, unseen by poll()."""
_AT_ONCE: Final = 4 * RECORD

_HTTP_HERE: Final = (
    b"HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
    b"This agent speaks HTTPS: write https:// before its address.\n"
)


class NothingYetError(Exception):
    """There is nothing to read at the moment. No OSError, for those end a connection."""


class TlsSocket:
    """What waitress does with a socket, over TLS. OpenSSL is not for two threads at once: each call holds a lock."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, allowed_sans: frozenset[str]) -> None:
        """Wrap a connection that was accepted; shakes no hands yet. Raises OSError, ValueError."""
        plain.setblocking(False)
        self._tls = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self._allowed_sans = allowed_sans
        self._lock = threading.Lock()
        self.is_ready = False
        self.wants_write = False
        """Whether the handshake, while it goes on, waits for room to send; else it waits for bytes."""

    def shake(self) -> None:
        """Go on with the handshake as far as there are bytes. Raises OSError where it fails."""
        try:
            with self._lock:
                self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self.wants_write = False
        except ssl.SSLWantWriteError:
            self.wants_write = True
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                self._answer_plain_http()
            raise
        except (ValueError, AttributeError) as error:  # the client has gone between accept() and here
            raise ConnectionResetError from error
        else:
            self._refuse_stranger()
            self.is_ready = True

    def _answer_plain_http(self) -> None:
        """Say what is wrong below TLS; what is left of the request is read, or closing would take the answer back."""
        with contextlib.suppress(OSError):
            socket.socket.send(self._tls, _HTTP_HERE)
            socket.socket.recv(self._tls, RECORD)

    def _refuse_stranger(self) -> None:
        certificate = self._tls.getpeercert()
        if self._allowed_sans and certificate and not self._allowed_sans & names_of(certificate):
            raise ConnectionRefusedError

    def recv(self, size: int) -> bytes:
        """Bytes of the client; none = it has closed. Raises NothingYetError, OSError."""
        try:
            with self._lock:
                return self._tls.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise NothingYetError from error

    def send(self, data: bytes) -> int:
        """Send as much as there is room for; the number of bytes. Raises BlockingIOError, OSError."""
        sent = 0
        try:
            with self._lock, memoryview(data) as view:
                while sent < min(len(view), _AT_ONCE):
                    sent += self._tls.send(view[sent : sent + RECORD])
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            if not sent:
                raise BlockingIOError(EWOULDBLOCK, "no room") from error
        return sent

    def close(self) -> None:
        """Say goodbye where that is possible at once, and close."""
        with self._lock:
            if self.is_ready:
                with contextlib.suppress(OSError, ValueError):
                    self._tls.unwrap()
            self._tls.close()

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._tls.fileno()

    def setblocking(self, flag: bool) -> None:
        """Nothing to do: it never blocks."""

    def getsockopt(self, *option: int) -> Any:  # noqa: ANN401 - socket's own manner
        """An option of the socket."""
        return self._tls.getsockopt(*option)


def names_of(certificate: dict[str, Any]) -> set[str]:
    """The subject's alternative names in a certificate as ssl gives it: hosts, addresses, mail addresses, URIs."""
    return {_address(value) if kind == "IP Address" else value for kind, value in certificate.get("subjectAltName", ())}


def _address(text: str) -> str:
    """An IP address as people write it: OpenSSL spells out each group of IPv6."""
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return text
