"""The command line: one module a command, imported only when its command is called."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from triton_watch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "check": ("triton_watch.cli.check", "Find what is wrong with model repositories, manifests, live servers."),
        "rules": ("triton_watch.cli.rules", "List and explain the rules of `check`."),
        "run": ("triton_watch.cli.run", "Watch Triton servers: poll, compute SLIs, serve /metrics."),
        "status": ("triton_watch.cli.status", "Poll one server twice and print what it is doing."),
        "config": ("triton_watch.cli.config", "Check, show and describe the configuration file."),
        "demo": ("triton_watch.cli.demo", "Start a real Triton with good and bad models, and watch it."),
    }
)
"""Command name -> module that defines `command`, and the line shown in `--help`."""


class _LazyGroup(click.Group):
    """A group whose commands are modules of `COMMANDS`, so that `--help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name][0]}.command is not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="triton-watch", message="%(prog)s %(version)s")
def cli() -> None:
    """Watch NVIDIA Triton Inference Servers: state, traffic, SLIs, and what `ready` does not tell.

    \b
    Example:
      triton-watch status --target http://localhost:8000
    """
