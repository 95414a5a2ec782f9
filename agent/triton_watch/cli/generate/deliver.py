"""What was generated, printed, written, or compared with what is there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from triton_watch.cli.generate.ending import STALE, fail, warn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STDOUT = "-"


def deliver(text: str, out: str, *, check: bool) -> None:
    """Print the text, write it, or say how the file differs. Exits with 1 when it does, 3 when it cannot be used."""
    if out == _STDOUT:
        if check:
            raise click.UsageError("--check compares a file: which one? Give --out FILE.")
        click.echo(text, nl=False)
    elif check:
        _end([Path(out)] if _differs(Path(out), text) else [])
    else:
        _write(Path(out), text)


def deliver_all(files: Mapping[str, str], out: str | None, *, check: bool) -> None:
    """Write the files below a folder, or say how they differ from those there."""
    if out is None or out == _STDOUT:
        what = "--check compares several files: where are they?" if check else "there are several files: where to?"
        raise click.UsageError(f"{what} Give --out DIR.")
    from triton_watch.generate.write import left_over

    folder = Path(out)
    stale = [folder / path for path, text in files.items() if _has_to_change(folder / path, text, check=check)]
    others = left_over(folder, files)
    for other in others:
        warn(f"{other} was generated and is no more: delete it.")
    _end(stale, is_stale=check and bool(others))


def _has_to_change(path: Path, text: str, *, check: bool) -> bool:
    """Write the file, or say how it differs; return whether it is left as it should not be."""
    if check:
        return _differs(path, text)
    _write(path, text)
    return False


def _write(path: Path, text: str) -> None:
    from triton_watch.generate.write import write

    try:
        is_new = write(path, text)
    except OSError as error:
        fail(_unusable(path, error))
    click.echo(f"wrote {path}" if is_new else f"{path} is as it should be")


def _differs(path: Path, text: str) -> bool:
    from triton_watch.generate.write import difference

    try:
        differs = difference(path, text)
    except OSError as error:
        fail(_unusable(path, error))
    except UnicodeDecodeError:
        fail(f"{path} is no UTF-8 text: delete it, or choose another --out.")
    click.echo(differs, nl=False)
    return bool(differs)


def _unusable(path: Path, error: OSError) -> str:
    if path.is_dir():
        return f"{path} is a folder: name a file in it."
    return f"{path} cannot be used ({error.strerror}): choose another --out."


def _end(stale: Sequence[Path], *, is_stale: bool = False) -> None:
    for path in stale:
        what = "is out of date" if path.exists() else "is missing"
        warn(f"{path} {what}: run the command again without --check.")
    if stale or is_stale:
        sys.exit(STALE)
