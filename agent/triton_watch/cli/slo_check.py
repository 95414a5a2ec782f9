"""`triton-watch slo check`: objectives in words, and whether a server has the data for them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from triton_watch.cli.targets import settings_from, target_options, with_discovered

if TYPE_CHECKING:
    from triton_watch.cli.slo_live import Checked
    from triton_watch.config import ConfigError
    from triton_watch.records import SloSettings, Target

INVALID, UNREADABLE = 1, 3
DEFAULTS = "defaults"
"""What is checked when no file is given."""


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@target_options
@click.option("--live", is_flag=True, help="Ask the targets of FILE itself.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: Path | None, *, live: bool, as_json: bool, **flags: object) -> None:
    """Check the objectives of FILE and say each in words.

    FILE is a configuration, or has an slo section alone; without it: the defaults. With --target or
    --live each server is polled twice: which models does an objective cover, is its indicator there?

    \b
    Exit codes: 0 good, 1 not valid or a live warning, 2 usage, 3 FILE unreadable or no server answered.

    \b
    Example:
      triton-watch slo check examples/slo.yaml
      triton-watch slo check examples/slo.yaml --target http://localhost:8000
    """
    from triton_watch.cli.slo_live import ask

    given = [name for name, value in flags.items() if value not in (None, False, ())]
    if live and given:
        raise click.UsageError("--live asks the targets of the file: leave out --target and what goes with it.")
    if live and file is None:
        raise click.UsageError("--live asks the targets of a file: which one?")
    if given and not flags["targets"]:
        raise click.UsageError("which server? Give --target http://HOST:8000, or --live for those of the file.")
    slo, targets = load(file, live=live)
    if flags["targets"]:
        targets = settings_from(None, **flags).targets
    checked = ask(slo, targets, quiet=as_json)
    _show(file, checked, as_json=as_json)
    if checked.heard == 0 and targets:
        sys.exit(UNREADABLE)
    sys.exit(INVALID if checked.warnings else 0)


def load(file: Path | None, *, live: bool = False) -> tuple[SloSettings, tuple[Target, ...]]:
    """Load objectives, and with `live` the targets too; print what is wrong and exit with 1, or 3 if unreadable."""
    from triton_watch.config import ConfigError, ConfigUnreadableError, from_flags, load_slo
    from triton_watch.config import load as load_all

    if file is None:
        return from_flags(["http://localhost:8000"]).slo, ()
    try:
        if live:
            settings = load_all(file)
            return settings.slo, with_discovered(settings).targets
        return load_slo(file), ()
    except ConfigUnreadableError as error:
        _fail(error, UNREADABLE)
    except ConfigError as error:
        _fail(error, INVALID)


def _fail(error: ConfigError, code: int) -> NoReturn:
    click.echo(str(error), err=True)
    sys.exit(code)


def _show(file: Path | None, checked: Checked, *, as_json: bool) -> None:
    if as_json:
        import json

        from triton_watch.cli.slo_render import as_data

        click.echo(json.dumps(as_data(checked), indent=2, ensure_ascii=False))
        return
    from triton_watch.cli.slo_render import as_text
    from triton_watch.cli.terminal import Terminal

    Terminal().print(*as_text(DEFAULTS if file is None else str(file), checked))
