"""Grafana dashboards, written with grafanalib and made modern.

boards       one folder for each board: what people see; a new panel is a few lines there
gpus         PromQL over GPUs, by Triton and by the DCGM exporter
panels       the kinds of panels, their colours and tables
variables    what people choose at the top, and the scopes (`Scope`) that follow their choice
verdicts     what the agents say of a model, in names and colours
links        from board to board
annotations  what is drawn across all panels
board        rows put in their places, and the whole as JSON
modernise    grafanalib's JSON in the shape of schema 39
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from triton_watch.generate.dashboards.board import Board, Context, board_json
from triton_watch.generate.dashboards.boards.agent import agent
from triton_watch.generate.dashboards.boards.batching import batching
from triton_watch.generate.dashboards.boards.canary import canary
from triton_watch.generate.dashboards.boards.config import config
from triton_watch.generate.dashboards.boards.ensemble import ensemble
from triton_watch.generate.dashboards.boards.fleet import fleet
from triton_watch.generate.dashboards.boards.gpu import gpu
from triton_watch.generate.dashboards.boards.model import model
from triton_watch.generate.dashboards.boards.slo import slo

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BOARDS", "Board", "Context", "board_json", "dashboards"]

BOARDS: Final[tuple[Callable[[Context], Board], ...]] = (
    fleet,
    model,
    slo,
    canary,
    batching,
    ensemble,
    gpu,
    config,
    agent,
)
"""All boards, in the order of `conventions.dashboards.DASHBOARDS`."""


def dashboards(context: Context) -> dict[str, dict[str, Any]]:
    """Return each board's JSON by its name."""
    boards = (make(context) for make in BOARDS)
    return {board.name.name: board_json(board) for board in boards}
