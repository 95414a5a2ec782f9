"""To be built."""

from __future__ import annotations

from triton_watch.conventions.dashboards import CONFIG
from triton_watch.generate.dashboards.board import Board, Context
from triton_watch.generate.dashboards.variables import AGENT_BOARD


def config(context: Context) -> Board:
    """Return the board."""
    del context
    return Board(CONFIG, AGENT_BOARD, ())
