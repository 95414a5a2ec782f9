"""Every Alertmanager of the configuration, each told for itself: one that hangs holds up no other."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Final

from triton_watch.alerting.effective import definition_of
from triton_watch.alerting.manager.entry import KEEP
from triton_watch.alerting.manager.outbox import Outbox
from triton_watch.alerting.manager.payload import AHEAD, merged, payload_of
from triton_watch.alerting.manager.peer import Peer, Tools
from triton_watch.records import AlertMode, AlertPhase

if TYPE_CHECKING:
    import logging
    import random
    from collections.abc import Callable, Iterable, Mapping

    from triton_watch.alerting.manager.payload import Payload
    from triton_watch.records import AlertKey, AlertSettings, AlertState, PeerStatus

LAST_SEND: Final = 1.5
"""Seconds that the last send gets when the agent ends, all peers at the same time."""


class Dispatcher:
    """Delivers alerts. `external_url` is where people reach this agent; `kept` is what `dump` returned.

    `clock` gives monotonic seconds, `now` Unix seconds. Any thread may call any method; `send` is for jobs.
    """

    def __init__(
        self,
        settings: AlertSettings,
        *,
        external_url: str,
        kept: Mapping[str, object],
        clock: Callable[[], float],
        now: Callable[[], float],
        rng: random.Random,
        log: logging.Logger,
    ) -> None:
        self._external_url = external_url
        self._tools = Tools(clock, now, log)
        self._rng = rng
        self._guard = threading.Lock()
        self._settings = settings
        self._states: tuple[AlertState, ...] | None = None
        self._made: dict[AlertKey, tuple[object, Payload]] = {}
        self._peers: Mapping[str, Peer] = {}
        self._leave_by = math.inf
        self._renew(kept)
        if not self._notifies():
            self._leave()

    def offer(self, states: Iterable[AlertState]) -> None:
        """Take the state of all alerts: what is left out, and fired, has ended."""
        with self._guard:
            self._states = tuple(state for state in states if state.phase is not AlertPhase.PENDING)
            self._hand_out()

    def peers(self) -> tuple[str, ...]:
        """The URLs of those that are told: all where this agent is the one who notifies, else those that it leaves."""
        if self._peers and not self._notifies():
            with self._guard:
                self._part()
        return tuple(self._peers)

    def due(self, url: str) -> bool:
        """Whether this peer is to be told something now, and nobody is telling it."""
        peer = self._peers.get(url)
        return peer is not None and peer.due()

    def send(self, url: str) -> None:
        """Tell this peer all that is due. Blocks until it answered or its deadline passed; it never raises for it."""
        peer = self._peers.get(url)
        if peer is not None:
            peer.send()

    def statuses(self) -> tuple[PeerStatus, ...]:
        """How the peers fare; none unless this agent is the one who notifies."""
        return tuple(peer.status() for peer in self._peers.values()) if self._notifies() else ()

    def swap(self, settings: AlertSettings, external_url: str | None = None) -> None:
        """Take other settings: peers come and go, and alerts whose labels change end under the old ones.

        Where another one is to notify from now on, the peers are told that everything has ended. `external_url` None =
        as before.
        """
        with self._guard:
            did_notify = self._notifies()
            self._settings = settings
            self._external_url = self._external_url if external_url is None else external_url
            self._made = {}
            self._renew({})
            if did_notify and not self._notifies():
                self._leave()
            elif self._states is not None:
                self._hand_out()

    def mark(self) -> object:
        """What is another one, by ==, as soon as `dump` has news that must not be lost: texts and values are none."""
        return {url: peer.mark() for url, peer in self._peers.items()}

    def dump(self) -> dict[str, object]:
        """What is still to be told, by URL, as JSON values."""
        return {url: peer.dump() for url, peer in self._peers.items()}

    def close(self) -> None:
        """Send a last time what is due, within `LAST_SEND` seconds, and end. What fires goes on firing there."""
        peers = tuple(self._peers.values())
        deadline = self._tools.clock() + LAST_SEND
        threads = [
            threading.Thread(target=peer.send, args=(deadline,), name=f"last alerts to {peer.manager.url}", daemon=True)
            for peer in peers
            if peer.due()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline + 0.2 - self._tools.clock()))
        for peer in peers:
            peer.close()

    def _notifies(self) -> bool:
        return self._settings.mode is AlertMode.AGENT

    def _renew(self, kept: Mapping[str, object]) -> None:
        """Make the peers those of the settings: all of them, or those that are still to hear that all has ended."""
        settings, notifies = self._settings, self._notifies()
        peers: dict[str, Peer] = {}
        for manager in settings.alertmanagers:
            peer, owed = self._peers.get(manager.url), kept.get(manager.url)
            if peer is not None:
                peer.configure(manager, settings.resend_interval)
            elif notifies or owed:
                peer = Peer(manager, Outbox(settings.resend_interval, self._rng), self._tools)
                peer.load(owed)
            if peer is not None and (notifies or peer.is_owed()):
                peers[manager.url] = peer
        gone = [peer for url, peer in self._peers.items() if url not in peers]
        self._peers = peers
        for peer in gone:
            peer.close()

    def _leave(self) -> None:
        """End all alerts at the peers; after a while they have ended there by themselves."""
        self._leave_by = self._tools.clock() + KEEP + AHEAD * self._settings.resend_interval
        self._hand_out()

    def _part(self) -> None:
        """Forget the peers that have heard the end of everything, or will not any more."""
        self._hand_out()
        is_late = self._tools.clock() >= self._leave_by
        gone = [url for url, peer in self._peers.items() if is_late or not peer.is_owed()]
        for url in gone:
            self._peers[url].close()
        if gone:
            self._peers = {url: peer for url, peer in self._peers.items() if url not in gone}

    def _hand_out(self) -> None:
        if not self._notifies():
            for peer in self._peers.values():
                peer.offer({})
            return
        made = {state.key: self._payload(state) for state in self._states or ()}
        self._made = made
        payloads = merged(payload for _, payload in made.values())
        for peer in self._peers.values():
            peer.offer(payloads)

    def _payload(self, state: AlertState) -> tuple[object, Payload]:
        """The payload of a state and what it was made of; the one before where only its durations changed."""
        facts = (state.phase, state.fired_at, state.resolved_at, state.summary, state.detail, state.value)
        known = self._made.get(state.key)
        if known is not None and known[0] == facts:
            return known
        return facts, payload_of(state, definition_of(state.key), self._settings, self._external_url)
