"""`triton-watch config`: check a configuration file, show what it comes to, print its JSON Schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from triton_watch.cli.default_file import DEFAULT_FILE

if TYPE_CHECKING:
    from triton_watch.config import ConfigError
    from triton_watch.records import Settings

_INVALID, _UNREADABLE = 1, 3


@click.group()
def command() -> None:
    """Check, show and describe the configuration file.

    \b
    Example:
      triton-watch config check triton-watch.yaml
    """


@command.command(short_help="Check a configuration file.")
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check FILE: prints one line when it is good, or each problem with its line and what to do.

    The environment and the files that FILE names are checked too, the web configuration file, its
    certificates and keys among them; no server is contacted.

    \b
    Exit codes: 0 good, 1 not valid, 2 usage, 3 FILE cannot be read.

    \b
    Example:
      triton-watch config check triton-watch.yaml
    """
    settings = _load(file)
    count = len(settings.targets)
    if settings.web.config_file is not None:
        from triton_watch.config import load_web

        for warning in load_web(settings.web.config_file).warnings:
            click.echo(f"{settings.web.config_file}: warning: {warning}", err=True)
    sources = len(settings.discovery)
    more = f", {sources} source{'' if sources == 1 else 's'} of targets" if sources else ""
    click.echo(f"{file}: ok, {count} target{'' if count == 1 else 's'}{more}")


@command.command(short_help="Print the configuration in effect, secrets masked.")
@click.argument("file", type=click.Path(path_type=Path), default=DEFAULT_FILE)
def show(file: Path) -> None:
    """Print the configuration in effect, as YAML: defaults filled in, secrets masked.

    FILE is triton-watch.yaml in the working directory unless given.

    \b
    Exit codes: 0 good, 1 not valid, 2 usage, 3 FILE cannot be read.

    \b
    Example:
      triton-watch config show triton-watch.yaml
    """
    settings = _load(file)
    from triton_watch.config import masked_yaml

    click.echo(masked_yaml(settings), nl=False)


@command.command(short_help="Print the JSON Schema of the file, for editors.")
def schema() -> None:
    """Print the JSON Schema of the configuration file, which editors use to check and complete it.

    \b
    Example:
      triton-watch config schema > triton-watch.schema.json
      # then, in the first line of triton-watch.yaml:
      # yaml-language-server: $schema=triton-watch.schema.json
    """
    import json

    from triton_watch.config import schema as build

    click.echo(json.dumps(build(), indent=2))


def _load(file: Path) -> Settings:
    from triton_watch.config import ConfigError, ConfigUnreadableError, load

    try:
        return load(file)
    except ConfigUnreadableError as error:
        _fail(error, _UNREADABLE)
    except ConfigError as error:
        _fail(error, _INVALID)


def _fail(error: ConfigError, code: int) -> NoReturn:
    click.echo(str(error), err=True)
    sys.exit(code)
