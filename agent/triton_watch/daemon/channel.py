"""One connection of a client: what it waits for, how long it may, and TLS where that is spoken."""

from __future__ import annotations

from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError

from triton_watch.daemon.access.tls_socket import RECORD, NothingYetError, TlsSocket
from triton_watch.daemon.tasks import Answering, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Doing(Enum):
    """What a connection is at."""

    ARRIVING = "arriving"
    """Its handshake or request has begun and is not complete, or it is new and silent."""
    IDLE = "idle"
    """It was answered, and may ask again."""
    READING = "reading"
    """Its answer is made, and not read yet."""
    BUSY = "busy"
    """Its request waits for a thread, or is being answered."""


PATIENCE: Mapping[Doing, float] = MappingProxyType({Doing.ARRIVING: 10.0, Doing.IDLE: 75.0, Doing.READING: 60.0})
"""Seconds that a connection may do something before it is closed. A request must be complete in time as a whole, so
that a byte now and then does not help; Prometheus's usual interval of 60 s is shorter than what an idle one may be."""

STALL = 20.0
"""Seconds after which a reader that read nothing at all is closed."""

_EASE: Mapping[Doing, float] = MappingProxyType({Doing.ARRIVING: 4.0, Doing.IDLE: 4.0, Doing.READING: 1.0})
"""How readily a connection is closed where room is needed, a second that it has been doing this."""


class OneRequest(HTTPRequestParser):
    """A request, and the only one in its breath.

    What a client sends after it at once is thrown away, and the connection closed after the answer, as HTTP lets a
    server do: answers do not pile up for one that asks on and on and reads none.
    """

    headers: Any

    def received(self, data: bytes) -> int:
        """Take in bytes; their number."""
        taken = super().received(data)
        if not self.completed or self.empty or not data[taken:].strip():
            return taken
        self.headers["CONNECTION"] = "close"
        return len(data)

    def parse_header(self, header_plus: bytes) -> None:
        """Take the head apart. Raises ParsingError, also where waitress would close the connection without a word."""
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # half a bracket in a host, a length of thousands of digits
            raise ParsingError("The URL or the Content-Length is invalid") from error


class Channel(HTTPChannel):
    """waitress's connection. `since` is when it began to do what it does, in seconds of the crowd's clock."""

    parser_class = OneRequest
    task_class = Answering
    error_task_class = Refusal
    since: float
    _progress: float

    def __init__(self, server: Any, sock: Any, addr: Any, adj: Any, map: Any = None) -> None:  # noqa: A002, ANN401 - waitress's
        super().__init__(server, sock, addr, adj, map=map)
        self._clock: Callable[[], float] = server.crowd.clock
        self.since = self._progress = self._clock()
        self._was_answered = False
        self._tls = sock if isinstance(sock, TlsSocket) else None
        # What is taken out of the buffer for one send: hardly more than TLS sends at once.
        self.sendbuf_len = min(self.sendbuf_len, 8 * RECORD)

    # What it does

    @property
    def doing(self) -> Doing:
        """What it is at now."""
        if self.requests:
            return Doing.BUSY
        if self.total_outbufs_len or self.close_when_flushed:
            return Doing.READING
        return Doing.IDLE if self._was_answered and self.request is None else Doing.ARRIVING

    def is_overdue(self, now: float) -> bool:
        """Whether it has had its time."""
        doing = self.doing
        stalled = doing is Doing.READING and now - self._progress > STALL
        return stalled or now - self.since > PATIENCE.get(doing, float("inf"))

    def dispensability(self, now: float) -> float:
        """How readily it is closed where room is needed; 0 = not at all, for somebody works for it."""
        return (now - self.since) * _EASE.get(self.doing, 0.0)

    def received(self, data: bytes) -> bool:
        """Take in bytes of a request."""
        is_start = self.request is None
        taken = super().received(data)
        if is_start and (self.request is not None or self.requests):
            self.since = self._clock()
        return taken

    def write_soon(self, data: bytes) -> int:
        """Take in a part of an answer, in a thread of a lane."""
        self._was_answered = True
        self.since = self._progress = self._clock()
        return super().write_soon(data)

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what there is room for."""
        sent = super().send(data, do_close=do_close)
        if sent:
            self._progress = self._clock()
        return sent

    # TLS, and a loop that may look at a connection that was closed a moment ago

    def readable(self) -> bool:
        """Whether the loop shall wait for bytes."""
        if self.socket is None:
            return False
        return not self._tls.wants_write if self._is_shaking() and self._tls else bool(super().readable())

    def writable(self) -> bool:
        """Whether the loop shall wait for room to send."""
        if self.socket is None:
            return False
        return self._tls.wants_write if self._is_shaking() and self._tls else bool(super().writable())

    def handle_read(self) -> None:
        """There are bytes."""
        if self._goes_on():
            try:
                super().handle_read()
            except NothingYetError:
                return

    def handle_write(self) -> None:
        """There is room to send."""
        if self._goes_on():
            super().handle_write()

    def handle_expt(self) -> None:
        """There are urgent bytes, of which HTTP knows none; waitress would say so in the log, again and again."""
        self.handle_close()

    def _is_shaking(self) -> bool:
        return self._tls is not None and not self._tls.is_ready

    def _goes_on(self) -> bool:
        """Go on with the handshake; whether it is done."""
        if self._tls is None or self._tls.is_ready:
            return True
        try:
            self._tls.shake()
        except OSError:
            self.handle_close()
            return False
        return self._tls.is_ready
