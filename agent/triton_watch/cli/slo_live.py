"""Asks servers whether they have the data that objectives are about."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.records import Objective, SloSettings, Target, TargetSnapshot
    from triton_watch.slo.coverage import Covered

PAUSE: Final = 2.0
"""Seconds between the two polls."""
_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Checked:
    """What is to be said: `covered` by objective, `heard` servers that answered, sentences.

    `notes` are about what is written, `warnings` about what the servers have; `asked` is how many were asked.
    """

    slo: SloSettings
    asked: int
    heard: int
    covered: dict[str, tuple[Covered, ...]]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def ask(slo: SloSettings, targets: Sequence[Target], *, quiet: bool) -> Checked:
    """Poll each target twice and hold the objectives against what it has. Without targets nothing is asked."""
    from triton_watch.slo.sanity import oddities

    snapshots = _poll(targets, quiet=quiet)
    heard = [one for one in snapshots if one.is_heard]
    silent = [f"{one.target.name} did not answer as Triton does: {_why(one)}" for one in snapshots if one not in heard]
    covered = {objective.name: _covered(objective, heard) for objective in slo.objectives}
    found = [text for objective in slo.objectives for text in _warnings(objective, covered[objective.name], heard)]
    pageless = [f"{one.target.name} has no metrics page: {_why(one)}" for one in heard if one.slis is None]
    return Checked(
        slo=slo,
        asked=len(targets),
        heard=len(heard),
        covered=covered,
        notes=tuple(oddities(slo.objectives)),
        warnings=(*silent, *pageless, *found),
    )


def _poll(targets: Sequence[Target], *, quiet: bool) -> list[TargetSnapshot]:
    from triton_watch.cli.status import poll_twice

    if len(targets) == 1:
        return [poll_twice(targets[0], PAUSE, quiet=quiet)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(partial(poll_twice, pause=PAUSE, quiet=True), targets))


def _why(snapshot: TargetSnapshot) -> str:
    """Return what the first failed probe said; metrics first, as objectives live on it."""
    probes = sorted(snapshot.probes.items(), key=lambda item: item[0] != "metrics")
    said = next((result.detail for _, result in probes if not result.ok), "nothing was heard")
    return said if said.endswith((".", "?")) else f"{said}."


def _covered(objective: Objective, heard: Sequence[TargetSnapshot]) -> tuple[Covered, ...]:
    from triton_watch.slo.coverage import covered_by

    return tuple(one for snapshot in heard for one in covered_by(objective, snapshot))


def _warnings(objective: Objective, covered: Sequence[Covered], heard: Sequence[TargetSnapshot]) -> Iterator[str]:
    from triton_watch.slo.coverage import gaps
    from triton_watch.slo.words import listed

    if heard and not covered:
        names = [snapshot.target.name for snapshot in heard]
        yield f"{objective.name} covers no model on {listed(names)}: check its {_suspect(objective, names)}."
    for snapshot in heard:
        mine = tuple(one for one in covered if one.target == snapshot.target.name)
        if snapshot.slis is not None:
            yield from gaps(objective, mine, snapshot)


def _suspect(objective: Objective, names: Sequence[str]) -> str:
    from triton_watch.records.objective import matches

    if not any(matches(objective.targets, name) for name in names):
        return f"targets ({', '.join(objective.targets)})"
    return f"models ({', '.join(objective.models)})"
