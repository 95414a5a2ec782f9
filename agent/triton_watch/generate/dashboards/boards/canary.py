"""To be built."""

from __future__ import annotations

from triton_watch.conventions.dashboards import CANARY
from triton_watch.generate.dashboards.board import Board, Context
from triton_watch.generate.dashboards.variables import AGENT_BOARD


def canary(context: Context) -> Board:
    """Return the board."""
    del context
    return Board(CANARY, AGENT_BOARD, ())
