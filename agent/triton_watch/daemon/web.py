"""The HTTP server: one WSGI application under waitress, with limits against slow and greedy clients.

One thread moves all bytes; few threads make the answers. An answer is whole before its first byte is
written and waits in memory for its reader, so a client that reads slowly holds no thread.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from waitress.server import create_server
from waitress.trigger import trigger
from waitress.wasyncore import close_all as close_channels

from triton_watch.daemon.listen import WebError, close_all, listen, url_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from triton_watch.records import WebSettings

__all__ = ["WebError", "WebServer"]

LOG = logging.getLogger(__name__)

LIMITS: dict[str, Any] = {
    "threads": 4,
    "backlog": 128,
    "connection_limit": 100,
    "channel_timeout": 20,
    "cleanup_interval": 5,
    "max_request_header_size": 16 * 1024,
    "max_request_body_size": 16 * 1024,
    "outbuf_high_watermark": 256 * 1024 * 1024,
    "asyncore_use_poll": True,
    "log_socket_errors": False,
    "ident": None,
}
"""Seconds and bytes. A thread waits for a slow reader only over `outbuf_high_watermark`, which no page
reaches; a client that reads nothing for `channel_timeout` is cut off."""


class WebServer:
    """Serves `app` at `settings`. The address is taken at once, requests are answered after `start`.

    Raises `WebError` where the address cannot be had. Port 0 takes a free one: see `url`.
    """

    def __init__(self, settings: WebSettings, app: WSGIApplication) -> None:
        self._sockets = listen(settings)
        self.url = url_of(self._sockets[0])
        self._app = app
        self._channels: dict[int, Any] = {}
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether requests are being answered; False after `start` means that the server died."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Answer requests, in threads that do not keep the process alive."""
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of every short queue
        self._server = create_server(self._app, map=self._channels, sockets=self._sockets, **LIMITS)
        self._wake = trigger(self._channels)  # type: ignore[arg-type]
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let running answers end for up to a second, then close every connection and free the port."""
        if self._thread is not None and self._thread.is_alive():
            self._server.task_dispatcher.shutdown(timeout=1)
            self._wake.pull_trigger(self._close_channels)  # type: ignore[arg-type]
            self._thread.join(timeout=2)
        close_all(self._sockets)

    def _close_channels(self) -> None:
        close_channels(self._channels, ignore_all=True)

    def _run(self) -> None:
        try:
            self._server.run()
        except Exception as error:  # noqa: BLE001 - said here, and seen by who asks `is_alive`
            LOG.critical("The web server died: %s: %s", type(error).__name__, error)
