"""What was generated, printed, written, or compared with what is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triton_watch.cli.generate.asked import fail

if TYPE_CHECKING:
    from collections.abc import Mapping

_STALE = 1
_STDOUT = "-"


def deliver(text: str, out: str, *, check: bool) -> None:
    """Print the text, write it, or say how the file differs. Exits with 1 when it does, 3 when it cannot be used."""
    if out == _STDOUT:
        if check:
            raise click.UsageError("--check compares a file: which one? Give --out FILE.")
        click.echo(text, nl=False)
    elif check:
        _end([out] if _differs(Path(out), text) else [])
    else:
        _write(Path(out), text)


def deliver_all(files: Mapping[str, str], out: str | None, *, check: bool) -> None:
    """Write the files below a folder, or say how they differ from those there."""
    if out is None or out == _STDOUT:
        raise click.UsageError("there are several files: where to? Give --out DIR.")
    folder = Path(out)
    if check:
        _end([str(folder / path) for path, text in files.items() if _differs(folder / path, text)])
        return
    for path, text in files.items():
        _write(folder / path, text)


def _write(path: Path, text: str) -> None:
    from triton_watch.generate.write import write

    try:
        is_new = write(path, text)
    except OSError as error:
        fail(f"{path} cannot be used ({error.strerror}): choose another --out.")
    click.echo(f"wrote {path}" if is_new else f"{path} is as it should be")


def _differs(path: Path, text: str) -> bool:
    from triton_watch.generate.write import difference

    try:
        differs = difference(path, text)
    except OSError as error:
        fail(f"{path} cannot be used ({error.strerror}): choose another --out.")
    except UnicodeDecodeError:
        fail(f"{path} is no text: choose another --out.")
    click.echo(differs, nl=False)
    return bool(differs)


def _end(stale: list[str]) -> None:
    for path in stale:
        click.echo(f"triton-watch: {path} is out of date: run the command again without --check.", err=True)
    if stale:
        sys.exit(_STALE)
