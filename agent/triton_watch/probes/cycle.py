"""One poll cycle of one target: run the probes, compute the SLIs, build the snapshot."""

from __future__ import annotations

import time
from collections import deque
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.probes import PROBES, Probe
from triton_watch.probes.watch import Watch
from triton_watch.records import Outcome, ProbeResult, SliTable, Target, TargetSnapshot
from triton_watch.slo.apart import CanaryDebt, rows_by_name
from triton_watch.slo.silence import SilenceWatch
from triton_watch.slo.sli import compute
from triton_watch.slo.wedge import WedgeWatch
from triton_watch.triton.client import TritonClient
from triton_watch.triton.errors import TritonError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from triton_watch.probes.canary.canaries import TargetCanaries
    from triton_watch.records import FloatArray, ModelIndex

_READY_REMEMBERED = 20
"""Cycles."""
_SERVER_EVERY = 20
"""Cycles between two looks at a server's name and version when nothing hints at a restart."""


class TargetPoller:
    """Runs the cycles of one target. Not for two threads at once.

    `canaries` are those of the target: they follow what each cycle finds, and come off its counters.
    `clock` gives monotonic seconds, `now` Unix seconds.
    """

    def __init__(
        self,
        target: Target,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        probes: Mapping[str, Probe] = PROBES,
        canaries: TargetCanaries | None = None,
    ) -> None:
        self.target = target
        self._clock = clock
        self._now = now
        self._probes = probes
        self._watch = Watch(target, TritonClient(target))
        self._cycle = 0
        self._last: Mapping[str, ProbeResult] = MappingProxyType({})
        self._canaries = canaries
        self._debt = CanaryDebt()
        self._silence = SilenceWatch()
        self._wedge = WedgeWatch()
        self._ready: deque[bool | None] = deque(maxlen=_READY_REMEMBERED)
        self._heard: deque[bool] = deque(maxlen=2)

    def cycle(self) -> TargetSnapshot:
        """Run one cycle. Every way in which the target can fail is in the snapshot; nothing is raised for it."""
        start = self._clock()
        deadline = start + self.target.interval
        self._cycle += 1
        self._watch.begin_cycle()
        results: dict[str, ProbeResult] = {}
        try:
            for name, probe in self._probes.items():
                if name == "server" and not self._server_is_due(results):
                    results[name] = self._last[name]
                    continue
                results[name] = self._run(name, probe, deadline)
        finally:
            # A stopping tritonserver waits up to 30 s for open connections to its HTTP port (seen on 2.51.0).
            self._watch.client.hang_up()
        self._doubt_health(results)
        slis = self._slis()
        states = None if self._canaries is None else self._canaries.states()
        self._last = MappingProxyType(results)
        self._ready.append(self._watch.ready)
        snapshot = TargetSnapshot(
            target=self.target,
            cycle=self._cycle,
            at=self._now(),
            duration=self._clock() - start,
            probes=self._last,
            live=self._watch.live,
            ready=self._watch.ready,
            server=self._watch.server,
            models=self._watch.states(),
            configs=self._watch.configs,
            slis=slis,
            canaries=states,
            silent=self._silence.observe(self._watch.frame, states or {}),
            wedged=self._wedge.observe(slis),
            ready_recently=tuple(self._ready),
            heard_before=tuple(self._heard),
        )
        self._heard.append(snapshot.is_heard)
        return snapshot

    def close(self) -> None:
        """Close the target's connections."""
        self._watch.client.close()

    def _run(self, name: str, probe: Probe, deadline: float) -> ProbeResult:
        start = self._clock()
        if start >= deadline:
            return ProbeResult(name, Outcome.NOT_TRIED, 0.0, "the cycle had no time left for it")
        status = None
        try:
            outcome, detail = probe(self._watch, deadline)
        except TritonError as error:
            outcome, detail, status = error.outcome, str(error), error.http_status
        return ProbeResult(name, outcome, self._clock() - start, detail, status)

    def _server_is_due(self, results: Mapping[str, ProbeResult]) -> bool:
        """Whether the server's version should be asked for: it is unknown, was unreachable, or it is time."""
        if self._watch.server is None or self._cycle % _SERVER_EVERY == 0:
            return True
        return any(not last.ok for last in self._last.values()) or not results["live"].ok

    def _doubt_health(self, results: Mapping[str, ProbeResult]) -> None:
        """Triton's metrics port says 200 to any path: where the metadata is not Triton's, health proves nothing."""
        server = results.get("server")
        if server is not None and server.outcome is Outcome.NOT_TRITON:
            self._watch.live = self._watch.ready = None

    def _slis(self) -> SliTable | None:
        watch = self._watch
        if watch.frame is None:
            return None
        passed_and_failed = self._count_canaries(watch.frame.models)
        table = compute(watch.baseline, watch.frame, watch.vectors(watch.frame), self._debt, passed_and_failed)
        if table.was_reset.any():
            for key, reset in zip(table.models.keys, table.was_reset, strict=True):
                if reset:
                    watch.forget_config(key.name)
        return table

    def _count_canaries(self, models: ModelIndex) -> FloatArray | None:
        """Take the canaries since the last page: (2, n) passed and failed, NaN for models that have none."""
        if self._canaries is None:
            return None
        sent = self._canaries.take_sent()
        self._debt.add(sent)
        counts = np.full((2, len(models)), np.nan)
        rows = rows_by_name(models)
        found = (rows.get(key[:2]) for key in self._canaries.states())
        counts[:, [row for row in found if row is not None]] = 0.0
        for key, count in sent.items():
            row = rows.get(key[:2])
            if row is not None:
                counts[:, row] = count.passed, count.failed
        return counts
