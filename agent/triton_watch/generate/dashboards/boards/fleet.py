"""To be built."""

from __future__ import annotations

from triton_watch.conventions.dashboards import FLEET
from triton_watch.generate.dashboards.board import Board, Context
from triton_watch.generate.dashboards.variables import AGENT_BOARD


def fleet(context: Context) -> Board:
    """Return the board."""
    del context
    return Board(FLEET, AGENT_BOARD, ())
