"""Targets: in a line, and whole."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.daemon.facts import target as facts
from triton_watch.daemon.facts.common import VERSION
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.state import TargetCounts
from triton_watch.daemon.telling.parts import finite, happening, number, sentence, target_links, trouble
from triton_watch.daemon.telling.sentences import verdict_sentence
from triton_watch.daemon.telling.server_sentences import own_problems
from triton_watch.daemon.telling.standings import Knowledge
from triton_watch.daemon.telling.views import views
from triton_watch.records import Gpu, Sli
from triton_watch.slo.serving import Serving, ServingVerdict
from triton_watch.slo.sli import ROW
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from triton_watch.daemon.state import AlertsView, StateSource
    from triton_watch.daemon.telling.views import TargetView
    from triton_watch.records import SliTable, TargetSnapshot
    from triton_watch.slo.troubles import Trouble

_TROUBLES: Final = 100
"""Troubles of a target that are told; the list of models has the first of each."""
_SHARES: Final = 20
"""Models of a GPU that are told, the busiest ones."""
_UNKNOWN: Final = ServingVerdict(Serving.UNKNOWN)


def target_list(source: StateSource, now: float, offset: int = 0, limit: int = 50) -> facts.TargetList:
    """Return a page of the targets, the worst first, as of Unix time `now`."""
    found, serving = views(source, now), source.serving()
    briefs = _briefs(found, serving, source.alerts())
    told = tuple(_detail(source, now, view, brief, serving) for view, brief in briefs[offset : offset + limit])
    return facts.TargetList(VERSION, now, len(found), offset, limit, told)


def target_detail(source: StateSource, now: float, name: str) -> facts.TargetDetail | None:
    """Return all that is known of a target; None = it is not watched."""
    found, serving = views(source, now, name)[:1], source.serving()
    briefs = _briefs(found, serving, source.alerts())
    return _detail(source, now, *briefs[0], serving) if briefs else None


def briefs_of(source: StateSource, found: Iterable[TargetView]) -> tuple[facts.TargetBrief, ...]:
    """Return a line for each of these targets, the worst first."""
    return tuple(brief for _, brief in _briefs(found, source.serving(), source.alerts()))


def _briefs(
    found: Iterable[TargetView], serving: Mapping[str, ServingVerdict], alerts: AlertsView
) -> list[tuple[TargetView, facts.TargetBrief]]:
    told = [(view, _brief(view, serving.get(view.target.name, _UNKNOWN), alerts)) for view in found]
    return sorted(told, key=lambda one: (one[1].standing.rank, one[1].name))


def standing_of(view: TargetView, serving: ServingVerdict) -> Standing:
    """Return the worst that is to be said of a target or a model of it.

    A server that is silent fails once that is no longer a blip, which is for the serving verdict to say.
    """
    worst = min((row.standing for row in view.rows if row.counts), key=lambda one: one.rank, default=Standing.OK)
    own = _own_standing(view, serving)
    return min(own, worst, key=lambda one: one.rank)


def _own_standing(view: TargetView, serving: ServingVerdict) -> Standing:
    if view.knowledge is Knowledge.SILENT:
        return Standing.FAILING if serving.verdict is Serving.NOT_SERVING else Standing.UNKNOWN
    if not view.is_heard or view.snapshot is None:
        return Standing.UNKNOWN
    if view.snapshot.ready is False or own_problems(view):
        return Standing.FAILING
    return Standing.UNKNOWN if view.snapshot.models is None else Standing.OK


def _brief(view: TargetView, serving: ServingVerdict, alerts: AlertsView) -> facts.TargetBrief:
    target, snapshot = view.target, view.snapshot
    known = snapshot if view.knowledge in (Knowledge.HEARD, Knowledge.SILENT) else None
    server = None if snapshot is None else snapshot.server
    return facts.TargetBrief(
        name=whole(target.name),
        url=whole(target.http_url),
        standing=standing_of(view, serving),
        headline=verdict_sentence((view,)),
        serving=serving.verdict,
        live=None if known is None else known.live,
        ready=None if known is None else known.ready,
        server=None if server is None else whole(f"{server.name} {server.version}"),
        at=None if snapshot is None else snapshot.at,
        stale=view.knowledge is Knowledge.STALE,
        interval_seconds=target.interval,
        models=view.counts,
        request_rate=_sum(known, Sli.REQUEST_RATE),
        failure_rate=_sum(known, Sli.FAILURE_RATE),
        links=target_links(alerts, target.name),
    )


def _sum(snapshot: TargetSnapshot | None, sli: Sli) -> float | None:
    """The sum over all models; None where none has a value."""
    if snapshot is None or snapshot.slis is None:
        return None
    values = snapshot.slis.values[ROW[sli]]
    return None if np.isnan(values).all() else finite(float(np.nansum(values)))


def _detail(
    source: StateSource,
    now: float,
    view: TargetView,
    brief: facts.TargetBrief,
    serving: Mapping[str, ServingVerdict],
) -> facts.TargetDetail:
    name, snapshot = view.target.name, view.snapshot
    history, counts = source.history(), source.counters().get(name, TargetCounts())
    server = None if snapshot is None else snapshot.server
    probes = {} if snapshot is None else snapshot.probes
    table = snapshot.slis if snapshot is not None and view.is_heard else None
    troubles = _troubles(view)
    return facts.TargetDetail(
        version=VERSION,
        at=now,
        brief=brief,
        reasons=tuple(map(sentence, serving.get(name, _UNKNOWN).reasons)),
        metrics_url=whole(view.target.metrics_url),
        extensions=() if server is None else tuple(map(whole, server.extensions)),
        probes=tuple(facts.Probe(one, p.outcome, number(p.duration), sentence(p.detail)) for one, p in probes.items()),
        troubles=tuple(map(trouble, troubles[:_TROUBLES])),
        troubles_total=len(troubles),
        gpus=() if table is None else _gpus(table),
        cycles=tuple(facts.Cycle(one.at, number(one.seconds), one.failed) for one in history.cycles.get(name, ())),
        cycles_total=counts.cycles,
        skipped_total=counts.skipped,
        probe_failures=_failures(counts),
        events=tuple(happening(one) for one in history.events if one.target == name),
    )


def _troubles(view: TargetView) -> list[Trouble]:
    """The server's own, then the models' in the order in which these are told."""
    return [*view.troubles.get(None, ()), *chain.from_iterable(view.troubles_of(row.key) for row in view.rows)]


def _failures(counts: TargetCounts) -> tuple[facts.ProbeFailures, ...]:
    return tuple(
        facts.ProbeFailures(probe, outcome, count) for (probe, outcome), count in sorted(counts.failures.items())
    )


def _gpus(table: SliTable) -> tuple[facts.GpuState, ...]:
    return tuple(_gpu(table, i) for i in range(len(table.frame.gpus)))


def _gpu(table: SliTable, i: int) -> facts.GpuState:
    values: Mapping[Gpu, float | None] = {gpu: finite(table.frame.gpu_values[gpu, i]) for gpu in Gpu}
    share = table.gpu_share[i]
    busiest = np.argsort(np.where(share > 0, -share, np.inf), kind="stable")[:_SHARES].tolist()
    keys = table.models.keys
    return facts.GpuState(
        uuid=whole(table.frame.gpus[i]),
        utilization=values[Gpu.UTILIZATION],
        memory_used=values[Gpu.MEMORY_USED],
        memory_total=values[Gpu.MEMORY_TOTAL],
        power_watts=values[Gpu.POWER],
        power_limit_watts=values[Gpu.POWER_LIMIT],
        energy_joules=finite(table.gpu_energy[i]),
        shares=tuple(
            facts.GpuShare(whole(keys[row].name), whole(keys[row].version), float(share[row]))
            for row in busiest
            if share[row] > 0
        ),
    )
