"""How a call of `triton-watch generate` ends that did not go well."""

from __future__ import annotations

import sys
from typing import Final, NoReturn

import click

STALE: Final = 1
INVALID: Final = 2
UNREADABLE: Final = 3


def fail(sentence: str) -> NoReturn:
    """Print why nothing came of it and exit with 3."""
    end = "" if sentence.endswith((".", "?", "!")) else "."
    click.echo(f"triton-watch: {sentence}{end}", err=True)
    sys.exit(UNREADABLE)


def warn(sentence: str) -> None:
    """Print what to mind; what was asked for is made all the same."""
    click.echo(f"triton-watch: {sentence}", err=True)
