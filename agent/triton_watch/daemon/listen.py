"""Where the agent listens: sockets from an address, and one clear sentence when there can be none."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Any

from triton_watch.config.addresses import local_url

if TYPE_CHECKING:
    from triton_watch.records import WebSettings

_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
BACKLOG = 1024
"""Connections that wait to be taken: one that finds no place here tries again after a second only."""


class WebError(Exception):
    """The agent cannot listen at its address; the message is one sentence for the user."""


def listen(settings: WebSettings) -> list[socket.socket]:
    """Listening sockets for every address of the host; port 0 picks a free one, the same for all.

    A name such as localhost has two addresses on most machines; the ones that this machine lacks are left
    out as long as one is there. Raises `WebError`.
    """
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    for family, sockaddr in _addresses(settings):
        port = sockets[0].getsockname()[1] if sockets else settings.port
        try:
            sockets.append(_listening(family, (sockaddr[0], port, *sockaddr[2:])))
        except OSError as error:
            if error.errno not in _NOT_HERE:
                close_all(sockets)
                raise WebError(refusal(settings, error)) from error
            missing = error
    if not sockets:
        raise WebError(refusal(settings, missing)) from missing
    return sockets


def close_all(sockets: list[socket.socket]) -> None:
    """Close them, so that their port is free."""
    for each in sockets:
        each.close()


def url_of(listening: socket.socket, *, tls: bool = False) -> str:
    """The URL at which a client on this machine reaches the socket."""
    host, port = listening.getsockname()[:2]
    return local_url(host, port, tls=tls)


def _addresses(settings: WebSettings) -> list[tuple[socket.AddressFamily, tuple[Any, ...]]]:
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError, OverflowError) as error:
        raise WebError(
            f"Cannot listen on {settings.host}: the name has no address; give an address of this machine."
        ) from error
    # A name may be in the hosts file twice with one address: each is taken once.
    return list(dict.fromkeys((family, sockaddr) for family, _, _, _, sockaddr in found))


def _listening(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Only the wildcard takes both families, as Go's servers do; others are one address each.
            only = 0 if address[0] == "::" else 1
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def refusal(settings: WebSettings, error: OSError | None) -> str:
    """One sentence on why nobody can listen there, and what to do; `error` is the system's."""
    where = f"Cannot listen on {settings.host}:{settings.port}: "
    match error.errno if error is not None else None:
        case errno.EADDRINUSE:
            return where + "the port is taken; choose another one, or stop what listens there."
        case errno.EACCES:
            return where + "ports this low need a privilege; choose one from 1024 on."
        case errno.EADDRNOTAVAIL:
            return where + "this machine has no such address; give one that it has, or 0.0.0.0 for all."
        case _:
            return where + f"{error.strerror if error is not None else 'no address'}; choose another address."
