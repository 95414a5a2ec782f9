"""The HTTP server: one WSGI application under waitress, with limits against slow and greedy clients.

One thread moves all bytes, of TLS too; a few threads make the answers, in lanes. An answer is whole before its first
byte is written and waits in memory for its reader, so a client that reads slowly holds no thread.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.trigger import trigger

from triton_watch.daemon.access.guard import Guard
from triton_watch.daemon.access.live import Access
from triton_watch.daemon.access.tls_socket import RECORD
from triton_watch.daemon.crowd import Crowd, Listener
from triton_watch.daemon.lanes import Lanes
from triton_watch.daemon.listen import BACKLOG, WebError, close_all, listen, url_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication

    from triton_watch.records import WebSettings

__all__ = ["WebError", "WebServer"]

LOG = logging.getLogger(__name__)

LIMITS: dict[str, Any] = {
    "backlog": BACKLOG,
    "recv_bytes": RECORD,
    "max_request_header_size": 16 * 1024,
    "max_request_body_size": 1,
    "outbuf_high_watermark": 256 * 1024 * 1024,
    "log_socket_errors": False,
    "ident": None,
}
"""Bytes. No request may have a body. A thread waits for a slow reader only over `outbuf_high_watermark`,
which no page reaches. How many may connect and how long they may take is in `crowd` and `channel`."""
_LOOK_EVERY = 1.0
"""Seconds after which the loop looks for connections that have had their time."""


class WebServer:
    """Serves `app` at `settings`, to whom `access` lets in. The address is taken at once, answers come after `start`.

    `clock`: monotonic seconds. Raises `WebError` where the address cannot be had. Port 0 takes a free one: see `url`.
    """

    def __init__(
        self,
        settings: WebSettings,
        app: WSGIApplication,
        access: Access | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sockets = listen(settings)
        self._clock = clock
        self._access = access or Access()
        self._app = Guard(app, self._access)
        self.url = url_of(self._sockets[0], tls=self._access.speaks_tls)
        self._channels: dict[int, Any] = {}
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether requests are being answered; False after `start` means that the server died."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Answer requests, in threads that do not keep the process alive."""
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every short queue
        crowd = Crowd(self._channels, self._clock)
        self._lanes = Lanes(self._access, crowd.is_full)
        adj = Adjustments(**LIMITS, url_scheme="https" if self._access.speaks_tls else "http")
        for listening in self._sockets:
            self._listen(listening, crowd, adj)
        self._wake = trigger(self._channels)  # type: ignore[arg-type] # the stubs take the map for one of sockets
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let running answers end for up to a second, then close every connection and free the port."""
        if self._thread is not None and self._thread.is_alive():
            self._lanes.shutdown(timeout=1)
            self._wake.pull_trigger(self._close_channels)  # type: ignore[arg-type]  # a method without arguments
            self._thread.join(timeout=2)
        close_all(self._sockets)

    def _listen(self, listening: socket.socket, crowd: Crowd, adj: Adjustments) -> None:
        info: Any = (listening.family, listening.type, listening.proto, listening.getsockname())
        dispatcher: Any = self._lanes
        listener = Listener(
            self._app,
            self._channels,
            _start=False,
            _sock=listening,
            dispatcher=dispatcher,
            adj=adj,
            bind_socket=False,
            sockinfo=info,
        )
        listener.crowd, listener.access = crowd, self._access
        listener.accept_connections()

    def _close_channels(self) -> None:
        wasyncore.close_all(self._channels, ignore_all=True)

    def _run(self) -> None:
        try:
            wasyncore.loop(timeout=_LOOK_EVERY, map=self._channels, use_poll=True)
        except Exception as error:  # noqa: BLE001 - said here, and seen by who asks `is_alive`
            LOG.critical("The web server died: %s: %s", type(error).__name__, error)
