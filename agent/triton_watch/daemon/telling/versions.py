"""The order of a model's versions."""

from __future__ import annotations

from typing import Final

_DIGITS: Final = 20
"""Of the longest version that Triton takes for a number."""


def version_order(version: str) -> tuple[int, int, str]:
    """Sorts versions: numbers by size, and before anything else."""
    is_number = version.isdecimal() and len(version) <= _DIGITS
    return (0, int(version), "") if is_number else (1, 0, version)
