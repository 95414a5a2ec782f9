"""The flags that name targets, shared by commands, and settings made from them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import Settings

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--target", "-t", "targets", multiple=True, metavar="URL", help="HTTP URL of a Triton."),
    click.option("--grpc", metavar="HOST:PORT", help="gRPC address.  [default: the URL's port + 1]"),
    click.option("--metrics-url", metavar="URL", help="Metrics page.  [default: the URL's port + 2]"),
    click.option("--header", "headers", multiple=True, metavar="'Name: value'", help="Sent with each request."),
    click.option("--bearer-token-file", metavar="FILE", help="A file that holds a bearer token."),
    click.option("--ca-file", metavar="FILE", help="CA certificates (PEM) for https."),
    click.option("--insecure-skip-verify", is_flag=True, help="Accept any certificate."),
    click.option("--timeout", help="Time for one whole request.  [default: 3s]"),
)


def target_options(function: Function) -> Function:
    """Add the flags that name targets to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def settings_from(config_file: Path | None, **flags: Any) -> Settings:  # noqa: ANN401 - flags of click, checked by config
    """Return the settings of a file or of flags; print what is wrong and exit with 2, or 3 if unreadable."""
    from triton_watch.config import ConfigError, ConfigUnreadableError, from_flags_apart, load_apart

    given = [name for name, value in flags.items() if value not in (None, False, ())]
    try:
        if config_file is None:
            return from_flags_apart(**flags)
        if given:
            names = ", ".join("--" + name.replace("_", "-").removesuffix("s") for name in given)
            raise click.UsageError(f"--config says it all: leave out {names}, and write it into the file.")
        return load_apart(config_file)
    except ConfigError as error:
        for line in str(error).splitlines():
            click.echo(f"triton-watch: {line}", err=True)
        sys.exit(3 if isinstance(error, ConfigUnreadableError) else 2)


def with_discovered(settings: Settings, *, may_be_none: bool = False) -> Settings:
    """Return the settings with the targets that are found now added.

    What went wrong is told on stderr; where there is no target then, the process ends with 3, unless `may_be_none`.
    """
    if not settings.discovery:
        return settings
    from triton_watch.discovery.once import discover_once

    targets, problems = discover_once(settings)
    for problem in problems:
        click.echo(f"triton-watch: discovery: {problem}", err=True)
    if not targets and not may_be_none:
        if not problems:
            click.echo("triton-watch: discovery found no targets: check the names and files under it.", err=True)
        sys.exit(3)
    return replace(settings, targets=targets)
