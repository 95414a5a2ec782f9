"""The bar on standard error of what takes over two seconds; none where it is no terminal, or nobody wants it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


def progress_bar(*, quiet: bool) -> Progress:
    """Make a bar that vanishes at its end."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True, quiet=quiet or not sys.stderr.isatty())
    return Progress(console=console, transient=True)
