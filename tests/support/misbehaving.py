"""Servers on real loopback sockets that answer wrongly, slowly, or not at all.

A `Server` runs one `Behaviour` for each connection, in a thread of its own, and is closed by
`close()` or as a context manager. Behaviours are plain functions over a `Connection`; those below
are the ones that a watcher meets, and `answers(b"...")` serves any scripted bytes.

    with Server(drips(b"HTTP/1.1 200 OK\\r\\n", every=0.02)) as server:
        ...server.url...
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from triton_watch.records import Target, Timeouts

if TYPE_CHECKING:
    import ssl

    from typing_extensions import Self

GRPC_SETTINGS = bytes.fromhex("000018 04 00 00000000 000400400000 000500400000 000600004000 fe0300000001")
"""What tritonserver 2.51 sends first on its gRPC port: an HTTP/2 SETTINGS frame."""
TLS_ALERT = bytes.fromhex("15 03 01 0002 0246")
"""What OpenSSL answers to a client that does not speak TLS: a fatal alert, protocol version."""


@dataclass(eq=False)
class Connection:
    """One accepted connection. `number` counts the server's connections from 0."""

    sock: socket.socket
    number: int
    closing: threading.Event
    """Set when the server closes: waits must end then."""
    requests: list[bytes]
    """The server's: each request is appended when its header and body are complete."""
    _pending: bytes = field(default=b"")

    def read_request(self) -> bool:
        """Read one request with its body; False when the client closed the connection."""
        while b"\r\n\r\n" not in self._pending:
            if not self._receive():
                return False
        head, _, rest = self._pending.partition(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        self._pending = rest
        while len(self._pending) < length:
            if not self._receive():
                return False
        self.requests.append(head + b"\r\n\r\n" + self._pending[:length])
        self._pending = self._pending[length:]
        return True

    def unread(self) -> None:
        """Give the last request back, for another behaviour to read."""
        self._pending = self.requests.pop() + self._pending

    def send(self, data: bytes) -> None:
        """Send everything."""
        self.sock.sendall(data)

    def sleep(self, seconds: float) -> bool:
        """Wait; False when the server closes meanwhile."""
        return not self.closing.wait(seconds)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _receive(self) -> bool:
        data = self.sock.recv(65_536)
        self._pending += data
        return bool(data)


Behaviour: TypeAlias = Callable[[Connection], None]


class Server:
    """Listens on a free loopback port; runs `behaviour` for each connection, over TLS if given a context."""

    def __init__(self, behaviour: Behaviour, *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._behaviour = behaviour
        self._tls = tls
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, name=f"server {self.port}")
        self._acceptor.start()

    def close(self) -> None:
        """End all connections and threads, and free the port."""
        self._closing.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()  # wakes accept()
        self._acceptor.join()
        self._listener.close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        for number in itertools.count():
            sock, _ = self._listener.accept()
            if self._closing.is_set():
                sock.close()
                return
            self.connections += 1
            self._open.add(sock)
            thread = threading.Thread(target=self._serve, args=(sock, number))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        plain = sock
        try:
            if self._tls is not None:
                sock = self._encrypted(sock, self._tls)
            self._behaviour(Connection(sock, number, self._closing, self.requests))
        except OSError:
            pass  # the client went away, or the server is being closed
        finally:
            sock.close()
            plain.close()
            self._open -= {sock, plain}

    def _encrypted(self, plain: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        sock = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self._open.add(sock)
        try:
            sock.do_handshake()
        except OSError:
            # Closing while the client still sends would be a reset, which can overtake the TLS alert.
            with sock, contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_WR)
                while socket.socket.recv(sock, 65_536):
                    pass
            raise
        return sock


def http_answer(
    body: bytes = b"",
    status: str = "200 OK",
    content_type: str = "text/plain",
    headers: Iterable[str] = (),
) -> bytes:
    """A correct HTTP/1.1 answer with a Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def answers(*scripted: bytes) -> Behaviour:
    """Answer the requests of a connection with these bytes, one after another, the last one for ever."""

    def behave(connection: Connection) -> None:
        for number in itertools.count():
            if not connection.read_request():
                return
            connection.send(scripted[min(number, len(scripted) - 1)])

    return behave


def answers_and_closes(data: bytes) -> Behaviour:
    """Answer one request with these bytes, then close the connection."""

    def behave(connection: Connection) -> None:
        if connection.read_request():
            connection.send(data)
            connection.sock.shutdown(socket.SHUT_WR)
            connection.read_request()  # until the client closes, lest unread bytes make it a reset

    return behave


def routes(by_path: dict[str, bytes]) -> Behaviour:
    """Answer by path, and 404 with an empty body where there is none."""

    def behave(connection: Connection) -> None:
        while connection.read_request():
            path = connection.requests[-1].split()[1].decode()
            connection.send(by_path.get(path, http_answer(status="404 Not Found")))

    return behave


def speaks_first(data: bytes) -> Behaviour:
    """Send these bytes as soon as somebody connects, as gRPC and SSH servers do, and go on listening."""

    def behave(connection: Connection) -> None:
        connection.send(data)
        connection.closing.wait()

    return behave


def silent(connection: Connection) -> None:
    """Accept, read, and never answer."""
    connection.closing.wait()


def closes_at_once(connection: Connection) -> None:
    """Close as soon as the request is there, without a word."""
    connection.read_request()


def resets(connection: Connection) -> None:
    """Reset the connection as soon as the request is there."""
    connection.read_request()
    connection.reset()


def drips(data: bytes, *, every: float, at_once: bytes = b"") -> Behaviour:
    """Send `at_once`, then one byte of `data` every so many seconds, for ever."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(at_once)
        for byte in itertools.cycle(data):
            if not connection.sleep(every):
                return
            connection.send(bytes([byte]))

    return behave


def floods(head: bytes, piece: bytes) -> Behaviour:
    """Send a head, then the same piece without end, as fast as it goes."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        connection.send(head)
        while not connection.closing.is_set():
            connection.send(piece)

    return behave


ENDLESS_CHUNKS = floods(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
ENDLESS_BODY = floods(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b"x" * 65_536)


def keeps_alive_for(answered: int, data: bytes, *, end: Behaviour | None = None) -> Behaviour:
    """Answer so many requests of the first connection, then read one and close; later connections are good.

    That is a server that closes an idle connection just when the next request is under way.
    """
    good = answers(data)

    def behave(connection: Connection) -> None:
        if connection.number > 0:
            return good(connection)
        for _ in range(answered):
            connection.read_request()
            connection.send(data)
        connection.read_request()
        return end(connection) if end else None

    return behave


def target_at(url: str, *, metrics_url: str | None = None, **fields: Any) -> Target:
    """A target at this URL with deadlines that suit tests (0.4, 0.4 and 0.7 s) and a body limit of 1 MB."""
    settings = {"timeouts": Timeouts(connect=0.4, read=0.4, total=0.7), "body_limit": 1_000_000, **fields}
    return Target("test", url, metrics_url or f"{url}/metrics", "localhost:1", **settings)


class Deaf:
    """Listens, but its queue of connections is full: a connection attempt gets no answer."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._waiting = []
        for _ in range(3):
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.port))
            self._waiting.append(sock)

    def close(self) -> None:
        """Free the port."""
        for sock in self._waiting:
            sock.close()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
