"""Puts an entry of a map where its key says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from triton_watch.check.pbtxt.records import Path, ProblemKind

if TYPE_CHECKING:
    from triton_watch.check.pbtxt.places import Offsets
    from triton_watch.check.pbtxt.report import Report


def adopt_entry(
    report: Report,
    first_problem: int,
    inner: dict[Path, Offsets],
    outer: dict[Path, Offsets],
    target: Path,
    place: Offsets,
) -> None:
    """Move places in `inner`, and problems from number `first_problem` on, from the map's path to `target`.

    A key that was there already gives up its places: Triton keeps the last entry (seen on 2.51.0).
    """

    def moved(path: Path) -> Path:
        below = path[len(target) - 1 :]
        return target + (below[1:] if below[:1] == ("value",) and len(below) > 1 else below)

    report.move(first_problem, moved)
    if target in outer:
        _drop(report, outer, target, inner.get((*target[:-1], "key"), place))
    outer[target] = place
    for path, offsets in inner.items():
        outer[moved(path)] = offsets


def _drop(report: Report, places: dict[Path, Offsets], target: Path, key: Offsets) -> None:
    line = report.line(places[target][0])
    for path in [path for path in places if path[: len(target)] == target]:
        del places[path]
    message = f"the key {target[-1]!r} is given twice: Triton keeps this entry and drops that of line {line}"
    report.add(
        ProblemKind.DUPLICATE_KEY, message, (key[2], key[3]), target, refused=False, advice="remove one of the two"
    )
