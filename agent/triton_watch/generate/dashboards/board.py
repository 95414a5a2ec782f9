"""A board: its rows of panels, put in their places and made into Grafana's JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import attr
from grafanalib import core
from grafanalib._gen import DashboardEncoder

from triton_watch.conventions.dashboards import DASHBOARDS
from triton_watch.generate.dashboards.annotations import ANNOTATIONS
from triton_watch.generate.dashboards.links import of_board
from triton_watch.generate.dashboards.modernise import modernise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from triton_watch.conventions.dashboards import DashboardName
    from triton_watch.generate.dashboards.panels import Panel
    from triton_watch.generate.dashboards.variables import Variable
    from triton_watch.records import ModelConfig, Settings

COLUMNS: Final = 24
_TAGS: Final = ("triton", "triton-watch")


@dataclass(frozen=True, slots=True)
class Context:
    """What boards depend on. `models` are the live server's, by name and in order; () = none was asked."""

    settings: Settings
    models: tuple[ModelConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Panels below a heading, from left to right; those that do not fit begin a new line."""

    title: str
    panels: tuple[Panel, ...]
    is_collapsed: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """A board. `since` is how far back it looks when it is opened."""

    name: DashboardName
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    since: str = "now-3h"


def board_json(board: Board) -> dict[str, Any]:
    """Return the board as Grafana's JSON."""
    dashboard = core.Dashboard(
        title=board.name.title,
        description=board.name.description,
        uid=board.name.uid,
        tags=list(_TAGS),
        time=core.Time(board.since, "now"),
        refresh="30s",
        links=[of_board(other) for other in DASHBOARDS if other != board.name],
        templating=core.Templating(list(board.variables)),
        annotations=core.Annotations(list(ANNOTATIONS)),
        panels=list(_placed(board.rows)),
    )
    made: dict[str, Any] = json.loads(json.dumps(dashboard, cls=DashboardEncoder))
    return modernise(made)


def _placed(rows: Sequence[Row]) -> Iterator[core.Panel]:
    """Number the panels, and give each its place: none overlaps another, lines are as high as their highest panel."""
    numbers, y = count(1), 0
    for row in rows:
        heading = core.RowPanel(
            title=row.title, id=next(numbers), gridPos=core.GridPos(1, COLUMNS, 0, y), collapsed=row.is_collapsed
        )
        inside, y = _flow(row.panels, y + 1, numbers)
        if row.is_collapsed:
            yield attr.evolve(heading, panels=inside)
        else:
            yield heading
            yield from inside


def _flow(panels: Sequence[Panel], y: int, numbers: Iterator[int]) -> tuple[list[core.Panel], int]:
    """Return the panels of a row in their places, and where the next row begins."""
    placed, x, tallest = [], 0, 0
    for one in panels:
        if x + one.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        grid = core.GridPos(one.height, one.width, x, y)
        placed.append(attr.evolve(one.view, id=next(numbers), gridPos=grid))
        x, tallest = x + one.width, max(tallest, one.height)
    return placed, y + tallest
