"""Sparklines: the course of a value of late as one small drawing, with its text alternative."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from triton_watch.wording import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HEIGHT: Final = 20


class Spark(NamedTuple):
    """SVG path data in a box of `width` x `HEIGHT`: a line, a second one of what failed ("" = nothing), and a text."""

    width: int
    line: str
    failed: str
    label: str


def spark(
    title: str,
    period: str,
    values: Sequence[float | None],
    write: Callable[[float], str],
    last: float | None,
    failed: Sequence[float | None] = (),
) -> Spark | None:
    """Draw values that come in equal steps, the oldest first, from 0 up; None where none of them is known.

    `period` says of which time they are: `last hour`. `write` says a value in words, `last` is that of now. A step
    without data is a gap in the line.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:  # one moment is no course
        return None
    most = max(known)
    now = "no data now" if last is None else f"now {write(last)}"
    worst = max((value for value in failed if value is not None), default=0.0)
    also = f"; failed: most {write(worst)}" if worst > 0 else ""
    return Spark(
        len(values) - 1,
        _path(values, most),
        _path(failed, max(most, worst)) if worst > 0 else "",
        f"{title}, {period}: {now}, most {write(most)}{also}",
    )


def of_cycles(seconds: Sequence[float]) -> Spark | None:
    """Draw how long the last poll cycles took, the oldest first."""
    last = seconds[-1] if seconds else None
    return spark("Length of a poll cycle", f"last {len(seconds):,} cycles", seconds, words.seconds, last)


def _path(values: Sequence[float | None], most: float) -> str:
    return "".join(_runs([None if value is None else _height(value, most) for value in values]))


def _height(value: float, most: float) -> int:
    """The distance from the top, in whole units; a line of 2 units keeps clear of both edges."""
    return round((HEIGHT - 1) - (HEIGHT - 2) * (max(value, 0.0) / most if most > 0 else 0.0))


def _runs(heights: Sequence[int | None]) -> Iterator[str]:
    """Path data of each stretch without a gap; a lone step is a dot.

    Relative steps of one unit are short to write.
    """
    before: int | None = None
    for x, y in enumerate(heights):
        if y is not None:
            yield f"M{x} {y}h0" if before is None else "h1" if y == before else f"l1 {y - before}"
        before = y
