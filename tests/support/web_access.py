"""Certificates, web configuration files and clients for tests of the agent's TLS and passwords."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import trustme

from triton_watch.config import load_web
from triton_watch.daemon.access.live import Access
from triton_watch.daemon.app import App, Route
from triton_watch.daemon.web import WebServer
from triton_watch.records import WebSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PATIENCE = 5.0
HASH = "$2b$04$kG6kqNmzMUCRrLt3J./On.uHpV.OUBubV.2Ak8h5FiZdOFlL8NCPG"
"""Of PASSWORD, as cheap as bcrypt is."""
PASSWORD = "open sesame"
TLS = "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"
USERS = f"basic_auth_users: {{reader: {HASH}}}\n"


@lru_cache(maxsize=1)
def authority() -> trustme.CA:
    """One authority for all tests of a process: keys take time."""
    return trustme.CA()


@lru_cache
def certificate(*names: str) -> trustme.LeafCert:
    return authority().issue_cert(*names)


def write_pair(folder: Path, leaf: trustme.LeafCert) -> None:
    """Write cert.pem, key.pem and ca.pem."""
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    (folder / "key.pem").write_bytes(leaf.private_key_pem.bytes())
    authority().cert_pem.write_to_path(str(folder / "ca.pem"))


def web_file(folder: Path, text: str) -> Path:
    """A web configuration file in a folder with cert.pem, key.pem and ca.pem."""
    write_pair(folder, certificate("localhost", "127.0.0.1"))
    path = folder / "web.yml"
    path.write_text(text)
    return path


def client_context(folder: Path, *, leaf: trustme.LeafCert | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if leaf is not None:
        leaf.configure_cert(context)
    return context


@dataclass(frozen=True)
class Served:
    """A running server, and the access that it has."""

    server: WebServer
    access: Access

    @property
    def url(self) -> str:
        return self.server.url

    def connect(self) -> socket.socket:
        """A bare connection."""
        host, _, port = self.url.partition("://")[2].rpartition(":")
        return socket.create_connection((host, int(port)), timeout=PATIENCE)


@contextlib.contextmanager
def served(path: Path | None, routes: Sequence[Route], clock: Callable[[], float] = time.monotonic) -> Iterator[Served]:
    """The routes, under a web configuration file that is loaded in this process."""
    access = Access(path, load=load_web)
    server = WebServer(WebSettings(port=0), App(routes), access, clock)
    server.start()
    try:
        yield Served(server, access)
    finally:
        server.close()


def ask(client: Any, path: str = "/", *lines: str, method: str = "GET") -> bytes:
    """Send a request that closes the connection; the whole answer."""
    head = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *lines, "", ""]
    client.sendall("\r\n".join(head).encode())
    return b"".join(iter(lambda: client.recv(65536), b""))


def is_closed(client: socket.socket, within: float) -> bool:
    """Whether the server closes the connection in time; what it sends is thrown away."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        client.settimeout(max(0.01, until - time.monotonic()))
        try:
            if not client.recv(65536):
                return True
        except TimeoutError:
            return False
        except OSError:
            return True
    return False
