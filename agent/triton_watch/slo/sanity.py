"""What is odd about objectives as they are written: nothing forbids it, and it is seldom meant."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from triton_watch.slo.words import listed, percent, period_words, window_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.records import Objective


def oddities(objectives: Sequence[Objective]) -> Iterator[str]:
    """Yield a sentence for each thing that somebody should look at again."""
    yield from _twins(objectives)
    for objective in objectives:
        if not objective.windows:
            yield f"{objective.name} alerts nobody: its alerts are empty, so that only reports show it."
        yield from _too_many_events(objective)
        yield from _out_of_reach(objective)
        yield from _fallen_together(objective)
        yield from _idle_overrides(objective)


def _twins(objectives: Sequence[Objective]) -> Iterator[str]:
    seen: dict[Objective, str] = {}
    for objective in objectives:
        nameless = replace(objective, name="", description="")
        if nameless in seen:
            yield f"{objective.name} promises the same as {seen[nameless]}: delete one of them."
        seen.setdefault(nameless, objective.name)


def _too_many_events(objective: Objective) -> Iterator[str]:
    if not objective.sli.is_time_based:
        return  # no window holds more seconds than it is long
    needed = max(goal.min_events for goal in (objective.goal, *(one.goal for one in objective.overrides)))
    deaf = [window.long for window in objective.windows if window.long < needed]
    if deaf:
        yield (
            f"{objective.name} needs {needed} events, which are seconds here, and its window of "
            f"{window_words(max(deaf))} never holds so many: lower min_events."
        )


def _out_of_reach(objective: Objective) -> Iterator[str]:
    """A budget cannot burn faster than when every event is bad."""
    fastest = 1 / round(1 - objective.goal.objective, 12)
    deaf = sorted({window.factor for window in objective.windows if window.factor >= fastest})
    if deaf:
        factors = listed([f"{factor:g}x" for factor in deaf])
        yield (
            f"{objective.name} never burns {factors}: with {percent(objective.goal.objective)} promised, everything "
            f"bad is {fastest:.3g}x; promise more, or do not count on these alerts."
        )


def _fallen_together(objective: Objective) -> Iterator[str]:
    pairs = [(window.severity, window.long, window.short) for window in objective.windows]
    if len(set(pairs)) < len(pairs):
        yield (
            f"{objective.name} has a period of {period_words(objective.period)}, for which windows fall together: "
            "the slower of their burn rates decides; choose a longer period."
        )


def _idle_overrides(objective: Objective) -> Iterator[str]:
    """Overrides that no model can get: an earlier one takes all of theirs, or the objective is not about them."""
    taken: list[str] = []
    for override in objective.overrides:
        names = listed(list(override.models))
        if all(any(fnmatchcase(glob, earlier) for earlier in taken) for glob in override.models):
            yield f"{objective.name} never uses its override for {names}: an earlier one matches the same models."
        elif not any(_may_meet(glob, objective.models) for glob in override.models):
            about = listed(list(objective.models))
            yield f"{objective.name} never uses its override for {names}: the objective is about {about} only."
        taken += override.models


def _may_meet(glob: str, models: Sequence[str]) -> bool:
    """Whether some name might match both: told for plain names, and for globs by how they begin."""
    return any(_overlap(glob, one) for one in models)


def _overlap(one: str, other: str) -> bool:
    if not _is_glob(one) or not _is_glob(other):
        return fnmatchcase(one, other) or fnmatchcase(other, one)
    begins = (_beginning(one), _beginning(other))
    return begins[0].startswith(begins[1]) or begins[1].startswith(begins[0])


def _is_glob(text: str) -> bool:
    return any(char in text for char in "*?[")


def _beginning(glob: str) -> str:
    return glob[: min((glob.index(char) for char in "*?[" if char in glob), default=len(glob))]
