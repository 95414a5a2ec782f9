"""One Alertmanager: what it is still to be told, the connection to it, and how it fares."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.manager.api import ManagerApi
from triton_watch.alerting.manager.errors import AlertsRefusedError, ManagerError
from triton_watch.alerting.manager.kept import dump, load
from triton_watch.records import PeerStatus

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping

    from triton_watch.alerting.manager.outbox import Outbox
    from triton_watch.alerting.manager.payload import Payload
    from triton_watch.records import Alertmanager, Labels

LONGEST_SEND: Final = 30.0
"""Seconds after which a send leaves the rest to the next one."""
_MOST_REPORTS: Final = 10
"""Refused alerts that one send writes a line about each."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What every peer is given: monotonic seconds, Unix seconds, and where to write what is news."""

    clock: Callable[[], float]
    now: Callable[[], float]
    log: logging.Logger


class Peer:
    """Tells one Alertmanager. Any thread may call any method; only one sends at a time."""

    def __init__(self, manager: Alertmanager, outbox: Outbox, tools: Tools) -> None:
        self.manager = manager
        self._outbox = outbox
        self._tools = tools
        self._api = ManagerApi(manager, clock=tools.clock)
        self._old: list[ManagerApi] = []
        self._guard = threading.Lock()
        self._sending = threading.Lock()
        self._closed = False
        self._up: bool | None = None
        self._error = ""
        self._last_success: float | None = None
        self._reports = 0
        self._was_told = False
        """By the process before, as far as is known."""

    def configure(self, manager: Alertmanager, resend_interval: float) -> None:
        """Take other settings; with other credentials and the like it is tried again at once."""
        with self._guard:
            self._outbox.resend_interval = resend_interval
            if manager == self.manager:
                return
            self._outbox.retry_now()
            self._old.append(self._api)
            self.manager, self._api = manager, ManagerApi(manager, clock=self._tools.clock)
        self._tidy()

    def offer(self, payloads: Mapping[Labels, Payload]) -> None:
        """Take all alerts that fire or have resolved."""
        with self._guard:
            self._outbox.offer(payloads, self._tools.clock(), self._tools.now())

    def due(self) -> bool:
        """Whether there is something to send now, and nobody sends."""
        if self._closed or self._sending.locked():
            return False
        with self._guard:
            return self._outbox.due(self._tools.clock())

    def send(self, deadline: float | None = None) -> None:
        """Send all that is due; does nothing while another thread sends. `deadline` is seconds of the clock."""
        if not self._sending.acquire(blocking=False):
            return
        try:
            self._reports = 0
            until = self._tools.clock() + LONGEST_SEND if deadline is None else deadline
            while not self._closed and self._tools.clock() < until and self._send_batch(deadline):
                pass
        finally:
            self._sending.release()
        self._tidy()

    def status(self) -> PeerStatus:
        """How it fares."""
        with self._guard:
            box = self._outbox
            refused = box.refusals()
            return PeerStatus(
                url=self.manager.url,
                up=self._up,
                error=self._error or (self._refusal(refused[-1].payload, refused[-1].reason) if refused else ""),
                last_success=self._last_success,
                sent=box.sent,
                refused=box.refused,
                failed=box.failed,
                dropped=box.dropped,
                waiting=box.waiting(),
            )

    def is_owed(self) -> bool:
        """Whether it was told of alerts, as far as that is known, and has yet to hear the end of some."""
        with self._guard:
            return bool(self._outbox.entries) and (self._was_told or self._outbox.sent > 0)

    def mark(self) -> object:
        """What changes with that which `dump` must not lose."""
        with self._guard:
            return self._outbox.mark()

    def dump(self) -> list[dict[str, object]]:
        """What it is to be told, as JSON values."""
        with self._guard:
            return dump(self._outbox)

    def load(self, kept: object) -> None:
        """Put back what was dumped."""
        with self._guard:
            load(self._outbox, kept, self._tools.clock(), self._tools.now())
            self._was_told = bool(self._outbox.entries)

    def close(self) -> None:
        """Send no more. A request that is under way ends by itself."""
        with self._guard:
            self._closed = True
            self._old.append(self._api)
        self._tidy()

    def _send_batch(self, deadline: float | None) -> bool:
        """Send one batch; False when there is none, or the peer could not be told."""
        clock, now = self._tools.clock, self._tools.now
        with self._guard:
            api, batch = self._api, self._outbox.batch(clock())
            alerts = [payload.wire(now(), self._outbox.resend_interval) for payload in batch]
        if not batch:
            return False
        try:
            api.tell(alerts, deadline)
        except AlertsRefusedError as error:
            with self._guard:
                news = self._outbox.refuse(batch, error.reason, clock())
            self._note_answer()
            if news is not None:
                self._report(news, error.reason)
        except ManagerError as error:
            with self._guard:
                self._outbox.fail(clock())
            self._note_failure(error)
            return False
        else:
            with self._guard:
                self._outbox.took(batch, clock(), now())
                self._last_success = now()
            self._note_answer()
        return True

    def _note_answer(self) -> None:
        if self._up is False:
            self._tools.log.info("Alertmanager at %s takes alerts again", self.manager.url)
        self._up, self._error = True, ""

    def _note_failure(self, error: ManagerError) -> None:
        if self._up is not False:
            self._tools.log.error("alerts are not delivered, and tried again: %s", error)
        self._up, self._error = False, error.sentence

    def _report(self, payload: Payload, reason: str) -> None:
        self._reports += 1
        if self._reports <= _MOST_REPORTS:
            self._tools.log.error("%s", self._refusal(payload, reason).removesuffix("."))
        elif self._reports == _MOST_REPORTS + 1:
            self._tools.log.error("Alertmanager at %s refuses more alerts than are told here", self.manager.url)

    def _refusal(self, payload: Payload, reason: str) -> str:
        return f"Alertmanager at {self.manager.url} refuses the alert {payload.name()} until it changes: {reason}."

    def _tidy(self) -> None:
        """Close the connections that are not used any more, unless one of them is under way."""
        if self._sending.acquire(blocking=False):
            try:
                while self._old:
                    self._old.pop().close()
            finally:
                self._sending.release()
