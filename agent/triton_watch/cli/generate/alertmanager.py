"""`triton-watch generate alertmanager`: routes and inhibition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from triton_watch.cli.generate import options
from triton_watch.cli.generate.asked import settings_of
from triton_watch.cli.generate.deliver import deliver

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="A configuration of Alertmanager: routes and inhibition.")
@options.CONFIG
@options.FILE
@options.CHECK
@options.SEVERITY
def alertmanager(config_file: Path | None, out: str, severities: tuple[str, ...], *, check: bool) -> None:
    """Generate a configuration of Alertmanager: who is told of which alert, and which keep others back.

    The receivers are to be filled in. Severities and external labels are those of the configuration.

    \b
    Exit code: 0 written, or the same; 1 --check found a difference; 2 usage, or the configuration is
    not valid; 3 a file cannot be read or written.

    \b
    Example:
      triton-watch generate alertmanager
      triton-watch generate alertmanager --out alertmanager.yaml --check
    """
    settings = settings_of(config_file, {"severities": severities})
    from triton_watch.generate.alerts import alertmanager_yaml

    deliver(alertmanager_yaml(settings), out, check=check)
