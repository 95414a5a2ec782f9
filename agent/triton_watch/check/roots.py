"""Which of the checked roots (repositories, manifests) a file belongs to, whichever way both are written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Roots:
    """The roots of a run, as the user wrote them."""

    def __init__(self, roots: Iterable[str]) -> None:
        self._given = {os.path.normpath(root): root for root in roots if root}

    def split(self, file: str) -> tuple[str | None, str]:
        """Return the root that a file lies in (None for none) and the file's path from there, `.` for the root."""
        if not file or "://" in file:
            return None, file
        path = os.path.normpath(file)
        above = path
        while above not in self._given:
            parent = (above.rpartition("/")[0] or "/") if "/" in above else "."
            if above in {parent, ".."}:
                return None, path
            above = parent
        if above == path:
            return self._given[above], "."
        return self._given[above], path if above == "." else path[len(above.rstrip("/")) + 1 :]
