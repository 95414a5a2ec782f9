"""The table of models: its columns, which of them a width has room for, and the cells of a row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from triton_watch.cli.render import percent
from triton_watch.cli.top import cells
from triton_watch.cli.top.model_cells import (
    Cell,
    bar_cell,
    batch,
    budget_cell,
    canary_cell,
    canary_word,
    failures_cell,
    headline_cell,
    model_cell,
    model_name,
    p99_cell,
    rate,
    sli_cell,
    standing_cell,
    target_cell,
    trend_cell,
)
from triton_watch.cli.top.styles import QUIET, SELECTED, TITLE, line
from triton_watch.records import Sli
from triton_watch.wording.measures import duration
from triton_watch.wording.text import printable
from triton_watch.wording.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from rich.text import Text

    from triton_watch.daemon.facts.model import ModelBrief

_ROOMY: Final = 100
"""Columns from which cells are two apart, and names of models are worth more than the columns that go first."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column, `least` characters wide, and where there is room as wide as `need` says of its rows, at `most`.

    `roomy` is what it has at least where the terminal is wide.
    """

    title: str
    least: int
    write: Callable[[ModelBrief, int], Cell]
    need: Callable[[ModelBrief], int] | None = None
    most: int = 0
    roomy: int = 0
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns and their widths, `gap` apart, that fit a width."""

    columns: tuple[tuple[Column, int], ...]
    gap: int

    def header(self) -> Text:
        """Return the line of titles."""
        return line((self._joined([_placed(column, column.title, width) for column, width in self.columns]), TITLE))

    def row(self, model: ModelBrief, *, is_selected: bool) -> Text:
        """Return the line of a model."""
        written = [(column, width, *column.write(model, width)) for column, width in self.columns]
        if is_selected:
            return line((self._joined([_placed(one, text, width) for one, width, text, _ in written]), SELECTED))
        parts: list[Cell] = []
        for one, width, text, style in written:
            parts += [(" " * self.gap, ""), (_placed(one, text, width), QUIET if text == NO_DATA else style)]
        return line(*parts[1:])

    def _joined(self, placed: Sequence[str]) -> str:
        return (" " * self.gap).join(placed)


def layout(models: Sequence[ModelBrief], width: int) -> Layout:
    """Return the columns for these models in `width` columns; those in which no model has a value are not there."""
    gap = 2 if width >= _ROOMY else 1
    columns = [one for one in COLUMNS if _says_something(one, models)]
    needs = {one.title: _needed(one, models) for one in columns}
    widths = {one.title: min(max(one.least, one.roomy if gap > 1 else 0), needs[one.title]) for one in columns}
    for title in LEFT_OUT_FIRST:
        if _total(widths, gap) <= width:
            break
        widths.pop(title, None)
    room = max(0, width - _total(widths, gap))
    for title in _GROW_FIRST:
        if title in widths:
            more = min(room, needs[title] - widths[title])
            widths[title] += more
            room -= more
    return Layout(tuple((one, widths[one.title]) for one in columns if one.title in widths), gap)


def _says_something(column: Column, models: Sequence[ModelBrief]) -> bool:
    if column.title in ("STANDING", "MODEL"):
        return True
    if column.title == "TARGET":
        return len({one.target for one in models}) > 1
    return any(column.write(one, column.least)[0].strip(f" {NO_DATA}") for one in models)


def _needed(column: Column, models: Sequence[ModelBrief]) -> int:
    if column.need is None:
        return column.least
    return min(column.most, max([cell_len(column.title), *map(column.need, models)]))


def _total(widths: Mapping[str, int], gap: int) -> int:
    return sum(widths.values()) + gap * (len(widths) - 1)


def _placed(column: Column, text: str, width: int) -> str:
    return cells.fill(text, width, right=not column.is_left)


COLUMNS: Final = (
    Column("STANDING", 8, standing_cell, is_left=True),
    Column(
        "MODEL",
        14,
        model_cell,
        lambda one: cell_len(cells.model(model_name(one), one.version, 1000)),
        60,
        24,
        is_left=True,
    ),
    Column("TARGET", 8, target_cell, lambda one: cell_len(cells.name(one.target)), 24, is_left=True),
    Column("REQ/S", 6, partial(sli_cell, Sli.REQUEST_RATE, rate)),
    Column("LAST HOUR", 9, trend_cell, lambda one: len(one.recent.request_rate) if one.recent else 0, 40, is_left=True),
    Column("FAIL/S", 6, failures_cell),
    Column("QUEUE", 7, partial(sli_cell, Sli.QUEUE_TIME, duration)),
    Column("LATENCY", 7, partial(sli_cell, Sli.REQUEST_TIME, duration)),
    Column("P99", 7, p99_cell),
    Column("COMPUTE", 7, partial(sli_cell, Sli.COMPUTE_INFER_TIME, duration)),
    Column("BATCH", 5, partial(sli_cell, Sli.AVERAGE_BATCH, batch)),
    Column("GPU", 4, partial(sli_cell, Sli.GPU_UTILIZATION, percent)),
    Column("BUDGET", 6, budget_cell),
    Column("", 8, bar_cell, is_left=True),
    Column("CANARY", 12, canary_cell, lambda one: cell_len(canary_word(one)), 24, is_left=True),
    Column("HEADLINE", 40, headline_cell, lambda one: cell_len(printable(one.headline)), 120, is_left=True),
)
"""Of the table, from the left."""
LEFT_OUT_FIRST: Final = (
    "HEADLINE", "COMPUTE",
    "", "P99", "GPU", "BATCH", "QUEUE", "LAST HOUR", "FAIL/S", "TARGET", "LATENCY", "CANARY", "BUDGET", "REQ/S",
)  # fmt: skip
"""What goes first where the terminal is narrow."""
_GROW_FIRST: Final = ("MODEL", "CANARY", "TARGET", "LAST HOUR", "HEADLINE")
"""What gets the room that is left."""
