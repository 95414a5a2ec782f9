"""Programs that tests cannot do without: a missing one is a failure, never a skip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.debian import PROGRAMS, tool

if TYPE_CHECKING:
    from pathlib import Path


def needed(program: str) -> Path:
    """Return where a program of Debian's packages is, or fail with what gets it."""
    found = tool(program)
    if found is None:
        package = next(name for name, programs in PROGRAMS.items() if program in programs)
        pytest.fail(f"{program} is missing: python tests/support/debian.py {package} (or `make test`) gets it")
    return found
