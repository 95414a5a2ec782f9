"""One alert sent to see it arrive: taken, held, routed to whom, and how long that took."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from triton_watch.alerting.manager.api import ManagerApi
from triton_watch.alerting.manager.errors import ManagerError
from triton_watch.alerting.manager.payload import AHEAD, Payload, label_pairs, text_pairs
from triton_watch.records import AlertSeverity
from triton_watch.triton.errors import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.alerting.manager.api import Held
    from triton_watch.records import Alertmanager, AlertSettings

NAME: Final = "TritonWatchTest"
LASTS: Final = 300.0
"""Seconds until the alert ends where nothing resolves it, such as `--keep` or a lost connection."""
_PAUSE: Final = 0.1
_RUN: Final = "test_run"
"""The annotation that tells this run's alert from an older one with the same labels."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it at one peer. `seconds` passed until the alert was there; None = it was not seen.

    `error` is a sentence, "" = none. `silenced_by` and `inhibited_by`: it is there, and nobody is told of it.
    """

    url: str
    seconds: float | None = None
    receivers: tuple[str, ...] = ()
    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    resolved: bool = False
    error: str = ""
    is_unreachable: bool = False

    @property
    def arrived(self) -> bool:
        """Whether it is there; somebody is told of it where it is not suppressed."""
        return self.seconds is not None

    @property
    def suppressed(self) -> bool:
        """Whether it is silenced or inhibited there, so that nobody is told."""
        return bool(self.silenced_by or self.inhibited_by)


class Trier:
    """Tries peers, each in the thread that asks; `wait` is for how many seconds to look for the alert.

    `clock` gives monotonic seconds, `now` Unix seconds; `sleep` waits.
    """

    def __init__(
        self,
        settings: AlertSettings,
        *,
        wait: float,
        keep: bool,
        clock: Callable[[], float],
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._wait = wait
        self._keep = keep
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._payload = trial_payload(settings, now(), run=secrets.token_hex(8))

    def tried(self, peer: Alertmanager) -> Trial:
        """Send the alert to one peer, look for it, and resolve it. It never raises for the peer."""
        api = ManagerApi(peer, clock=self._clock)
        try:
            return self._steps(api)
        except ManagerError as error:
            return Trial(peer.url, error=error.sentence + _prefix_hint(api, error), is_unreachable=error.is_unreachable)
        finally:
            api.close()

    def _steps(self, api: ManagerApi) -> Trial:
        began = self._clock()
        api.tell([self._payload.wire(self._now(), LASTS / AHEAD)])
        trial = self._looked(api, began)
        return trial if self._keep else self._resolved(api, trial)

    def _looked(self, api: ManagerApi, began: float) -> Trial:
        try:
            found = self._seen(api, began)
        except ManagerError as error:
            return Trial(api.url, error=error.sentence, is_unreachable=error.is_unreachable)
        if found is None:
            return Trial(api.url, error=_not_seen(api.url, self._wait))
        held, seconds = found
        trial = Trial(api.url, seconds, held.receivers, held.silenced_by, held.inhibited_by)
        return replace(trial, error=_suppressed(trial))

    def _seen(self, api: ManagerApi, began: float) -> tuple[Held, float] | None:
        while True:
            for held in api.held(NAME):
                if held.annotations.get(_RUN) == dict(self._payload.annotations)[_RUN]:
                    return held, self._clock() - began
            if self._clock() - began >= self._wait:
                return None
            self._sleep(_PAUSE)

    def _resolved(self, api: ManagerApi, trial: Trial) -> Trial:
        now = self._now()
        try:
            api.tell([replace(self._payload, resolved_at=now).wire(now, LASTS / AHEAD)])
        except ManagerError as error:
            sentence = f"It could not be resolved, and ends by itself in {LASTS / 60:.0f} minutes: {error.sentence}"
            return replace(trial, error=f"{trial.error} {sentence}".strip())
        return replace(trial, resolved=True)


def trial_payload(settings: AlertSettings, now: float, run: str) -> Payload:
    """The alert that is sent. Its labels are the same each time: one test does not pile up on another."""
    own = {"alertname": NAME, "severity": settings.severity_label(AlertSeverity.INFO)}
    texts = {
        "summary": "A test of triton-watch: alerts of this agent arrive.",
        "description": "Somebody ran `triton-watch alerts test`. Nothing is wrong, and nothing is to be done.",
        _RUN: run,
    }
    return Payload(label_pairs({**dict(settings.external_labels), **own}), text_pairs(texts), now)


def _prefix_hint(api: ManagerApi, error: ManagerError) -> str:
    """Where an Alertmanager that runs below a path says it is: its start page leads there (seen on 0.25)."""
    if error.http_status not in {404, 405}:
        return ""
    try:
        path = urlsplit(api.redirect()).path.rstrip("/")
    except ManagerError:
        return ""
    return f" Its start page leads to {path}: try {shown(urljoin(f'{api.url}/', path))}." if path else ""


def _not_seen(url: str, wait: float) -> str:
    return (
        f"Alertmanager at {shown(url)} took the alert, and did not show it within {wait:g} s: is this a load balancer "
        "before several (give the URL of each), or do the clocks differ by minutes?"
    )


def _suppressed(trial: Trial) -> str:
    if trial.silenced_by:
        ids = ", ".join(trial.silenced_by)
        return f"It is silenced there, so nobody is told: end the silence {ids} (`amtool silence expire`)."
    if trial.inhibited_by:
        ids = ", ".join(trial.inhibited_by)
        return f"It is inhibited there, so nobody is told: see inhibit_rules, and the alert with fingerprint {ids}."
    return ""
