"""What is odd about objectives as they are written: nothing forbids it, and it is seldom meant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from triton_watch.records import SloSli
from triton_watch.slo.words import window_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.records import Objective

_TIMED = (SloSli.BATCH_EFFICIENCY, SloSli.GPU_UTILIZATION)
"""SLIs that count seconds: no window holds more of them than it is long."""


def oddities(objectives: Sequence[Objective]) -> Iterator[str]:
    """Yield a sentence for each thing that somebody should look at again."""
    yield from _twins(objectives)
    for objective in objectives:
        if not objective.windows:
            yield f"{objective.name} alerts nobody: its alerts are empty, so that only reports show it."
        yield from _too_many_events(objective)


def _twins(objectives: Sequence[Objective]) -> Iterator[str]:
    seen: dict[Objective, str] = {}
    for objective in objectives:
        nameless = replace(objective, name="", description="")
        if nameless in seen:
            yield f"{objective.name} promises the same as {seen[nameless]}: delete one of them."
        seen.setdefault(nameless, objective.name)


def _too_many_events(objective: Objective) -> Iterator[str]:
    if objective.sli not in _TIMED:
        return
    needed = max(goal.min_events for goal in (objective.goal, *(one.goal for one in objective.overrides)))
    deaf = [window.long for window in objective.windows if window.long < needed]
    if deaf:
        yield (
            f"{objective.name} needs {needed} events, which are seconds here, and its window of "
            f"{window_words(max(deaf))} never holds so many: lower min_events."
        )
