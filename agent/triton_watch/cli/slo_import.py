"""`triton-watch slo import`: objectives out of OpenSLO documents."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from triton_watch.cli.slo_check import INVALID, UNREADABLE

STANDARD_INPUT = Path("/dev/stdin")


@click.command("import")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
def command(files: tuple[Path, ...]) -> None:
    """Read OpenSLO v1 documents and print an slo section with their objectives; - is standard input.

    Understood are documents of `slo export`, and others whose queries are on Triton's own metrics:
    request success and failure, queue and request times, the first-response histogram.

    \b
    Exit codes: 0 printed, 1 a document is not understood, 2 usage, 3 a file cannot be read.

    \b
    Example:
      triton-watch slo import openslo/*.yaml > slo.yaml
    """
    from triton_watch.config import ConfigError, ConfigUnreadableError
    from triton_watch.config.openslo.read import objectives_of, read_documents
    from triton_watch.config.show_objective import objectives_yaml

    try:
        imported = objectives_of(read_documents([STANDARD_INPUT if str(file) == "-" else file for file in files]))
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(UNREADABLE if isinstance(error, ConfigUnreadableError) else INVALID)
    for sentence in imported.ignored:
        click.echo(sentence, err=True)
    if not imported.objectives:
        click.echo("triton-watch: there is no document of kind SLO: nothing to import.", err=True)
        sys.exit(INVALID)
    click.echo(objectives_yaml(imported.objectives), nl=False)
