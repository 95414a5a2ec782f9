"""Servers that this process polls itself: the agent's own watch, without its pages, store and alerts."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from triton_watch.cli.top.sources import WITH_RECENT, Seen, UnheardError, is_silent, reasons_of
from triton_watch.daemon.supervisor import Supervisor
from triton_watch.daemon.telling.model import model_detail
from triton_watch.daemon.telling.models import ModelQuery, model_list
from triton_watch.daemon.telling.status import status
from triton_watch.daemon.telling.targets import target_detail
from triton_watch.records import AlertMode
from triton_watch.slo.serving import awaits_verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.cli.top.view import ModelId
    from triton_watch.daemon.facts.model import ModelDetail
    from triton_watch.records import Settings

_EVERY: Final = 1_000_000_000
_PATIENCE: Final = 0.5
"""Seconds that polls under way get to end."""
_FIRST: Final = 10.0
"""Seconds that the first poll may take before something is shown without it."""
_SETTLES: Final = 20.0
"""Seconds beyond two polls that canaries and slow servers get."""
_STEP: Final = 0.05


class ServerSource:
    """Polls the targets of `settings` every `interval` seconds from now on."""

    has_alerts = False
    settles = True

    def __init__(self, settings: Settings, interval: float) -> None:
        self._death = ""
        self._interval = interval
        targets = tuple(replace(one, interval=interval) for one in settings.targets)
        self.where = targets[0].http_url if len(targets) == 1 else f"{len(targets)} servers"
        self._asks = settings.canary.options.enabled
        self._supervisor = Supervisor(
            replace(
                settings,
                targets=targets,
                slo=replace(settings.slo, state_dir=None),
                alerts=replace(settings.alerts, mode=AlertMode.OFF),
            ),
            log=_silent(),
            on_death=self._died,
        )
        self._supervisor.start()

    def read(self) -> Seen:
        """Return what the polls of late say; waits for the first one."""
        self._until(self._supervisor.first_cycle_done, _FIRST)
        if self._death:
            raise UnheardError(self._death)
        self._supervisor.watch_clock()
        now = time.time()
        first = model_list(self._supervisor, now, ModelQuery(limit=WITH_RECENT, recent=True))
        rest = model_list(self._supervisor, now, ModelQuery(offset=WITH_RECENT, limit=_EVERY))
        is_heard = any(one.is_heard for one in self._supervisor.snapshots().values())
        known = status(self._supervisor, now)
        silent = (target_detail(self._supervisor, now, one.name) for one in known.targets if is_silent(one))
        reasons = reasons_of(one for one in silent if one is not None)
        return Seen(known, (*first.models, *rest.models), is_heard, reasons)

    def detail(self, model: ModelId) -> ModelDetail | None:
        """Return everything that is known of a model."""
        namespace = model.namespace or None
        return model_detail(self._supervisor, time.time(), model.target, model.name, model.version or None, namespace)

    def settle(self) -> None:
        """Wait until two polls say what there is to measure, and canaries have decided.

        One poll more says what the server counted meanwhile: whether a failure is a silent one.
        """
        self._until(lambda: self._polled(2) and self._decided(), 2 * self._interval + _SETTLES)
        if self._asks:
            polls = max((one.cycles for one in self._supervisor.counters().values()), default=0)
            self._until(lambda: self._polled(polls + 1), self._interval + _SETTLES)

    def close(self) -> bool:
        """Stop polling."""
        return self._supervisor.stop(_PATIENCE)

    def _polled(self, times: int) -> bool:
        """Whether each target was polled so often, or does not answer."""
        if not self._supervisor.first_cycle_done():
            return False
        counts = self._supervisor.counters()
        heard = (name for name, one in self._supervisor.snapshots().items() if one.is_heard)
        return all(counts[name].cycles >= times for name in heard)

    def _decided(self) -> bool:
        states = (one for models in self._supervisor.canaries().values() for one in models.values())
        return not self._asks or not any(awaits_verdict(one) for one in states)

    def _until(self, condition: Callable[[], bool], longest: float) -> None:
        end = time.monotonic() + longest
        while not self._death and not condition() and time.monotonic() < end:
            time.sleep(_STEP)

    def _died(self, sentence: str) -> None:
        self._death = sentence


def _silent() -> logging.Logger:
    """Return a log that writes nothing: the screen is not its place. What libraries say is not told either."""
    logging.getLogger().addHandler(logging.NullHandler())
    log = logging.getLogger(__name__)
    log.propagate = False
    log.setLevel(logging.CRITICAL + 1)
    return log
