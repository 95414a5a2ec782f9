"""The table of a report, which text, Markdown and HTML share: its columns, and the words in each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from triton_watch.records import Verdict
from triton_watch.wording import words
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from triton_watch.records import ReportRow

_PACES = ("BURN FAST", "BURN MEDIUM", "BURN SLOW")
"""Titles where the rows' windows differ: each cell then names its own."""


class Cells(NamedTuple):
    """One row in words. `burns` is one entry a column of burn rates; all are plain text on one line."""

    slo: str
    model: str
    targets: str
    objective: str
    events: str
    budget: str
    burns: tuple[str, ...]
    lasts: str
    verdict: str


def paces(rows: Sequence[ReportRow]) -> tuple[float, ...]:
    """Return the windows, in seconds, whose burn rates a table shows: the two shortest long ones and the longest."""
    longs = sorted({window.long for row in rows for window in row.objective.windows})
    return tuple(longs if len(longs) <= len(_PACES) else [*longs[:2], longs[-1]])


def burn_titles(rows: Sequence[ReportRow]) -> dict[str, float | None]:
    """Return the columns of burn rates with their window in seconds: `BURN 1h` where all rows have one period.

    Where they do not, a column has no window: each cell names the one of its row.
    """
    if len({row.objective.period for row in rows}) <= 1:
        return {f"BURN {words.brief(window)}": window for window in paces(rows)}
    return dict.fromkeys(_PACES[: max(len(paces([row])) for row in rows)])


def cells(row: ReportRow, titles: Mapping[str, float | None]) -> Cells:
    """Return a row in words, with the burn rates of the columns `titles` (of `burn_titles`)."""
    write = words.amount
    total = row.good + row.bad
    return Cells(
        words.name(row.objective.name),
        words.model(row),
        words.targets(row),
        words.goal(row.objective, row.goal),
        f"{write(row.objective, row.bad)} of {write(row.objective, total)}" if total > 0 else NO_DATA,
        words.percent(row.remaining),
        _burns(row, titles),
        lasts(row),
        words.verdict(row),
    )


def lasts(row: ReportRow) -> str:
    """Return for how long the budget lasts at the pace of now; a dash where it is not burning away or not known."""
    if row.verdict is Verdict.EXHAUSTED:
        return "gone"
    return NO_DATA if row.exhaustion is None else words.span(row.exhaustion)


def _burns(row: ReportRow, titles: Mapping[str, float | None]) -> tuple[str, ...]:
    if None not in titles.values():
        return tuple(words.pace(burn_over(row, window)) for window in titles.values() if window is not None)
    burns = [f"{words.pace(burn_over(row, window))} in {words.brief(window)}" for window in paces([row])]
    return (*burns, *[NO_DATA] * (len(titles) - len(burns)))


def burn_over(row: ReportRow, window: float) -> float | None:
    """Return the burn rate over a window of so many seconds; None where nothing was counted in it."""
    return next((one.burn for one in row.windows if abs(one.window - window) < 0.5), None)


def shows_targets(rows: Sequence[ReportRow]) -> bool:
    """Whether rows are of more than one target, so that a column must say of which."""
    return len({row.targets for row in rows}) > 1 or any(len(row.targets) > 1 for row in rows)


def tells_apart(rows: Sequence[ReportRow]) -> bool:
    """Whether some rows differ in nothing but their targets."""
    keys = [(row.objective.name, row.namespace, row.model, row.version) for row in rows]
    return len(set(keys)) < len(keys)
