"""All connections of the server, and who has to go when there are too many."""

from __future__ import annotations

import contextlib
import errno
from typing import TYPE_CHECKING, Any, Final

from waitress.server import TcpWSGIServer

from triton_watch.daemon.access.tls_socket import TlsSocket
from triton_watch.daemon.channel import Channel, Doing

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from triton_watch.daemon.access.live import Access

MOST: Final = 320
"""Connections at once: more than can wait in all lanes, and well below the 1024 files that a process usually has."""
RESERVE: Final = 16
"""Places that are kept free, by closing who has been idle, slow or silent the longest."""
MOST_UNREAD: Final = 64 * 2**20
"""Bytes of answers that may wait for their readers; over it pages are refused, and old readers closed."""
_GRACE: Final = 1.0
"""Seconds that a reader has in any case."""
_PAUSE: Final = 0.5
"""Seconds without a new connection after the system had no file for one."""


class Crowd:
    """The connections among the `channels` of the loop, which alone calls all this. `clock`: monotonic seconds."""

    def __init__(self, channels: dict[int, Any], clock: Callable[[], float]) -> None:
        self._channels = channels
        self.clock = clock
        self._next = 0.0
        self._closed_until = 0.0

    def tend(self) -> None:
        """Before each wait of the loop: keep places free, and once a second close who has had their time."""
        now = self.clock()
        if len(self._channels) > MOST - RESERVE:
            self._close_some(now, len(self._channels) - (MOST - RESERVE))
        if now >= self._next:
            self._next = now + 1
            for channel in self._members():
                if channel.is_overdue(now):
                    _close(channel)
            self._bound_unread(now)

    def room(self) -> int:
        """How many may join now."""
        return MOST - len(self._channels) if self.clock() >= self._closed_until else 0

    def is_full(self) -> bool:
        """Whether so many answers wait for their readers that no more should be made for the moment."""
        return sum(one.total_outbufs_len for one in self._members()) > MOST_UNREAD

    def no_file(self) -> None:
        """The system has no file for one more: close one, and let others be for a moment."""
        now = self.clock()
        self._closed_until = now + _PAUSE
        self._close_some(now, 1)

    def _members(self) -> list[Channel]:
        return [one for one in self._channels.values() if isinstance(one, Channel)]

    def _close_some(self, now: float, count: int) -> None:
        ranked = sorted(self._members(), key=lambda one: one.dispensability(now), reverse=True)
        for channel in ranked[:count]:
            if channel.dispensability(now) > 0:
                _close(channel)

    def _bound_unread(self, now: float) -> None:
        readers = sorted((one for one in self._members() if one.doing is Doing.READING), key=lambda one: one.since)
        unread = sum(one.total_outbufs_len for one in readers)
        for reader in readers:
            if unread <= MOST_UNREAD or now - reader.since < _GRACE:
                return
            unread -= reader.total_outbufs_len
            _close(reader)


def _close(channel: Channel) -> None:
    """Close it; the loop has no net below what it asks before it waits."""
    with contextlib.suppress(OSError):
        channel.handle_close()


class Listener(TcpWSGIServer):
    """waitress's listening socket, with the crowd's limits in place of its own, and TLS where the access says so."""

    channel_class = Channel
    crowd: Crowd
    access: Access
    _map: Any

    def readable(self) -> bool:
        """Whether to wait for new connections. The loop asks this before it looks at any connection."""
        self.crowd.tend()
        return bool(self.accepting) and self.crowd.room() > 0

    def handle_accept(self) -> None:
        """Take all who wait and for whom there is room."""
        try:
            for _ in range(self.crowd.room()):
                accepted = self.accept()
                if accepted is None:
                    return
                self._admit(*accepted)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self.crowd.no_file()

    def _admit(self, accepted: socket.socket, address: Any) -> None:  # noqa: ANN401 - socket's
        now = self.access.now
        try:
            self.set_socket_options(accepted)
            wrapped: Any = accepted
            if now.context is not None:
                wrapped = TlsSocket(accepted, now.context, now.allowed_sans)
        except (OSError, ValueError):  # the client has gone already
            accepted.close()
            return
        self.channel_class(self, wrapped, address, self.adj, map=self._map)
