"""`triton-watch generate dashboards`: boards for Grafana."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.generate import options
from triton_watch.cli.generate.asked import settings_of
from triton_watch.cli.generate.deliver import deliver_all
from triton_watch.cli.generate.live import live_models

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Grafana dashboards, and how Grafana is told of them.")
@options.CONFIG
@options.TARGET
@options.FOLDER
@options.CHECK
@options.SEVERITY
@options.PERIOD
def dashboards(
    config_file: Path | None,
    target: str | None,
    out: str | None,
    *,
    check: bool,
    **flags: Any,  # noqa: ANN401 - flags of click
) -> None:
    """Generate dashboards for Grafana 10 and newer, and the files that provision them.

    \b
    Exit code: 0 written, or the same; 1 --check found a difference; 2 usage, or the configuration is
    not valid; 3 a file or the server cannot be read, or a file not written.

    \b
    Example:
      triton-watch generate dashboards --out dashboards
      triton-watch generate dashboards --target http://localhost:8000 --out dashboards --check
    """
    settings = settings_of(config_file, flags)
    models = live_models(settings, target)
    from triton_watch.generate.dashboards import Context
    from triton_watch.generate.files import board_texts, dashboard_files

    deliver_all(dashboard_files(board_texts(Context(settings, models or ()))), out, check=check)
