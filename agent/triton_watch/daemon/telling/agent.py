"""The agent itself, as told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.daemon.facts.status import Agent, LogLine, Polling, Store
from triton_watch.daemon.state import TargetCounts
from triton_watch.daemon.telling.parts import finite, number, sentence
from triton_watch.version import __version__
from triton_watch.wording.text import whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triton_watch.daemon.state import StateSource
    from triton_watch.records import CycleMark, Target
    from triton_watch.store.status import StoreStatus


def agent_of(source: StateSource) -> Agent:
    """Return how the process fares."""
    process, reloaded, budgets = source.agent(), source.reload(), source.budgets()
    cycles, counts = source.history().cycles, source.counters()
    return Agent(
        version=__version__,
        started=process.started,
        memory_bytes=process.memory,
        cpu_seconds=process.cpu,
        threads=process.threads,
        loop_age_seconds=source.beat_age(),
        first_cycle_done=source.first_cycle_done(),
        reload_success=reloaded.success,
        reloaded_at=reloaded.last_success,
        warnings_total=process.warnings,
        errors_total=process.errors,
        log=tuple(LogLine(one.at, one.level, sentence(one.message), sentence(one.facts)) for one in process.log),
        polling=tuple(
            _polling(target, cycles.get(name, ()), counts.get(name, TargetCounts()))
            for name, target in sorted(source.targets().items())
        ),
        store=_store(budgets.store),
        history_success=None if budgets.history is None else budgets.history.success,
        history_reason="" if budgets.history is None else sentence(budgets.history.reason),
    )


def cycle_seconds(source: StateSource) -> Mapping[str, list[float]]:
    """Return how long the last poll cycles of each target took, seconds, the oldest first; by its name as told."""
    return {whole(name): [number(one.seconds) for one in marks] for name, marks in source.history().cycles.items()}


def _polling(target: Target, cycles: Sequence[CycleMark], counts: TargetCounts) -> Polling:
    seconds = [one.seconds for one in cycles]
    return Polling(
        target=whole(target.name),
        interval_seconds=target.interval,
        cycles=len(seconds),
        mean_seconds=finite(sum(seconds) / len(seconds)) if seconds else None,
        slowest_seconds=finite(max(seconds)) if seconds else None,
        skipped_total=counts.skipped,
    )


def _store(status: StoreStatus | None) -> Store | None:
    if status is None:
        return None
    return Store(status.persistent, whole(status.path), status.last_flush, status.bytes, sentence(status.reason))
