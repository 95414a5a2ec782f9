"""Threads that make the answers, in lanes: what takes long in one of them keeps nobody in another waiting."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from waitress.task import ThreadedTaskDispatcher
from waitress.utilities import Error

from triton_watch.daemon.access.guard import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.daemon.access.live import Access


@dataclass(frozen=True, slots=True)
class Lane:
    """`threads` that make answers; `most` more requests wait for them, at most `most_each` of one address."""

    threads: int
    most: int
    most_each: int | None = None
    crew: ThreadedTaskDispatcher = field(default_factory=ThreadedTaskDispatcher)

    def has_room(self, address: str) -> bool:
        """Whether one more request of this address may wait."""
        with self.crew.lock:
            waiting = [channel.addr[0] for channel in self.crew.queue]  # type: ignore[attr-defined] # channels wait there
        return len(waiting) < self.most and (self.most_each is None or waiting.count(address) < self.most_each)


class RefusedError(Error):
    """A request that nobody has time for now."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        self.code, self.reason, self.body = status.value, status.phrase, f"{sentence}\n"

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], Any]:
        """Status line, headers and body."""
        del ident
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "1")]
        return f"{self.code} {self.reason}", headers, self.body.encode()


_BUSY: Final = (HTTPStatus.SERVICE_UNAVAILABLE, "Too many ask at the moment: ask again in a second.")
_GUESSING: Final = (HTTPStatus.TOO_MANY_REQUESTS, "Too many passwords are being checked: ask again in a second.")


class Lanes:
    """Gives each request of a channel to the lane for its path; what waitress asks of a dispatcher.

    A password that has to be checked, which takes a tenth of a second or more, has a lane of its own with one thread:
    who guesses passwords keeps only those waiting who were not let in before. Those who show none where one is needed
    have another: to turn them away takes no time, but they would fill the places of readers. Answers of the last
    resort, and of /-/…, are made in no time, and are never refused.
    """

    def __init__(self, access: Access, is_full: Callable[[], bool] = lambda: False) -> None:
        """`is_full` tells whether too many answers wait to be read for another page; scrapes are made even so."""
        self._access = access
        self._is_full = is_full
        self._quick = Lane(threads=1, most=48)
        self._metrics = Lane(threads=1, most=104)
        self._pages = Lane(threads=2, most=128)
        self._doubtful = Lane(threads=1, most=8, most_each=2)
        self._strangers = Lane(threads=1, most=16)
        self._all = (self._quick, self._metrics, self._pages, self._doubtful, self._strangers)
        for lane in self._all:
            lane.crew.set_thread_count(lane.threads)

    def add_task(self, channel: Any) -> None:  # noqa: ANN401 - waitress's HTTPChannel, of which its stubs know half
        """Have somebody answer the first request of the channel."""
        request = channel.requests[0]
        request.asked_at = time.monotonic()
        lane = self._lane(request)
        if lane is not self._quick and not self._may_wait(lane, channel.addr[0]):
            request.error = RefusedError(*(_GUESSING if lane is self._doubtful else _BUSY))
            lane = self._quick
        lane.crew.add_task(channel)

    def _may_wait(self, lane: Lane, address: str) -> bool:
        return lane.has_room(address) and not (lane is self._pages and self._is_full())

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """Let running answers end, for `timeout` seconds at most; requests that wait are not answered."""
        until = time.monotonic() + timeout
        for lane in self._all:
            lane.crew.set_thread_count(0)
        ended = [lane.crew.shutdown(cancel_pending, max(0, until - time.monotonic())) for lane in self._all]  # type: ignore[arg-type] # seconds may have a fraction
        return all(ended)

    def _lane(self, request: Any) -> Lane:  # noqa: ANN401 - waitress's HTTPRequestParser
        path = getattr(request, "path", "/")
        if request.error or path in OPEN:
            return self._quick
        users = self._access.now.passwords
        authorization = request.headers.get("AUTHORIZATION", "")
        if users is not None and not users.is_known(authorization):
            return self._doubtful if users.needs_work(authorization) else self._strangers
        if path.startswith("/-/"):
            return self._quick
        return self._metrics if path == "/metrics" else self._pages
