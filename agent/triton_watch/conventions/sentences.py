"""How sentences of several sources stand on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def joined(sentences: Iterable[str]) -> str:
    """Put sentences on one line: `one; two; is it three? four.` Only the last keeps its full stop."""
    line = ""
    for sentence in sentences:
        between = " " if line.endswith(("?", "!")) else "; "
        line = f"{line.rstrip(' .')}{between}{sentence.strip()}" if line else sentence.strip()
    return line
