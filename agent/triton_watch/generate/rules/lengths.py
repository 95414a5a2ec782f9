"""The lengths of time over which objectives are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from triton_watch.records import Objective


def by_length(
    objectives: Iterable[Objective], lengths: Callable[[Objective], AbstractSet[float]]
) -> dict[float, list[Objective]]:
    """Return each length (seconds, ascending) with the objectives that have it, in their order."""
    found: dict[float, list[Objective]] = {}
    for one in objectives:
        for length in lengths(one):
            found.setdefault(length, []).append(one)
    return dict(sorted(found.items()))
