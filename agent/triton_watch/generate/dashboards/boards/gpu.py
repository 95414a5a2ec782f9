"""To be built."""

from __future__ import annotations

from triton_watch.conventions.dashboards import GPU
from triton_watch.generate.dashboards.board import Board, Context
from triton_watch.generate.dashboards.variables import TRITON_BOARD


def gpu(context: Context) -> Board:
    """Return the board."""
    del context
    return Board(GPU, TRITON_BOARD, ())
