"""`triton-watch generate all`: every file, in the folders that this repository has them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from triton_watch.cli.generate import options
from triton_watch.cli.generate.asked import mind, object_options, rule_options, settings_of
from triton_watch.cli.generate.deliver import deliver_all
from triton_watch.cli.generate.live import live_models
from triton_watch.generate.rules.options import Source

if TYPE_CHECKING:
    from pathlib import Path


@click.command("all", short_help="All of it, into folders: alerts/ and dashboards/.")
@options.CONFIG
@options.TARGET
@options.FOLDER
@options.CHECK
@options.rule_flags
@options.object_flags
def everything(config_file: Path | None, target: str | None, out: str | None, *, check: bool, **flags: Any) -> None:  # noqa: ANN401 - flags of click
    """Generate everything: rules, routes, dashboards, provisioning, and objects for Kubernetes.

    \b
    Exit code: 0 written, or the same; 1 --check found a difference; 2 usage, or the configuration is
    not valid; 3 a file or the server cannot be read, or a file not written.

    \b
    Example:
      triton-watch generate all --out monitoring
      triton-watch generate all --config triton-watch.yaml --out monitoring --check
    """
    settings = settings_of(config_file, flags)
    models = live_models(settings, target)
    from triton_watch.generate.dashboards import Context
    from triton_watch.generate.files import all_files

    chosen = rule_options(flags, models)
    for source in Source:
        mind(source, settings, chosen, flags)
    files = all_files(Context(settings, models or ()), chosen, object_options(flags))
    deliver_all(files, out, check=check)
