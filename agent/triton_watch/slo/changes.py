"""What other objectives mean for what was counted so far, in sentences: nothing of it happens silently."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from triton_watch.slo.words import period_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from triton_watch.records import Goal, Objective


def consequences(old: Sequence[Objective], new: Sequence[Objective]) -> Iterator[str]:
    """Yield a sentence for each objective whose events are begun anew, dropped, or judged otherwise from now on."""
    before, after = ({one.name: one for one in objectives} for objectives in (old, new))
    for name in sorted(before.keys() - after.keys()):
        yield f"objective {name} is gone, and what was counted for it with it"
    for name in sorted(after.keys() - before.keys()):
        yield f"objective {name} is new and counts from now on"
    for name in sorted(before.keys() & after.keys()):
        yield from _of_one(before[name], after[name])


def _of_one(old: Objective, new: Objective) -> Iterator[str]:
    if new.sli is not old.sli:
        yield f"objective {new.name} is about {new.sli.value} now and is counted anew"
        return
    if _scope(new) != _scope(old):
        yield f"objective {new.name} covers other models or targets now: what was counted for those left out is gone"
    if new.period != old.period:
        yield f"objective {new.name} has a period of {period_words(new.period)} now and is counted anew"
    elif _judged_by(old) != _judged_by(new):
        yield f"objective {new.name} has other thresholds now: what was counted so far stays as it was judged"


def _scope(objective: Objective) -> tuple[tuple[str, ...], ...]:
    return objective.models, objective.exclude_models, objective.targets


def _judged_by(objective: Objective) -> tuple[Goal, Mapping[tuple[str, ...], Goal]]:
    """What decides whether an event is good; what share must be is judged anew for all events."""
    overrides = {one.models: _threshold(one.goal) for one in objective.overrides}
    return _threshold(objective.goal), overrides


def _threshold(goal: Goal) -> Goal:
    return replace(goal, objective=0.5, min_events=1)
