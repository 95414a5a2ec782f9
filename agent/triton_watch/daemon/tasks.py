"""One request's way through waitress: what the application learns of it, and what is said where it never gets there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from waitress.task import ErrorTask, WSGITask

from triton_watch.daemon.app import ASKED_AT, SECURITY_HEADERS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Answering(WSGITask):
    """A request that the application answers."""

    request: Any

    def get_environment(self) -> WSGIEnvironment:
        """What the application learns of the request."""
        environ: WSGIEnvironment = super().get_environment()
        environ[ASKED_AT] = self.request.asked_at
        return environ


class Refusal(ErrorTask):
    """The answer to what never reaches the application, with the headers that every other answer has."""

    channel: Any
    response_headers: Any

    def execute(self) -> None:
        """Write it."""
        own = self.channel.server.access.now.headers
        self.response_headers.extend({**SECURITY_HEADERS, **dict(own)}.items())
        super().execute()
