"""The terminal that tables are printed on."""

from __future__ import annotations

import sys

from rich.console import Console

_PIPED_WIDTH = 160
"""Columns when the output is no terminal: wide enough that no table is cut."""


def console() -> Console:
    """Return a console on stdout: colours only on a terminal (NO_COLOR is honoured), wide when piped."""
    return Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
