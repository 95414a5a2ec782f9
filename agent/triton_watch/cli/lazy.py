"""A group of commands that are imported only when they are called."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class LazyGroup(click.Group):
    """A group whose commands are modules, so that `--help` imports none of them.

    `modules` is command name -> the module that defines `command`, and the line shown in `--help`.
    """

    def __init__(self, *args: Any, modules: Mapping[str, tuple[str, str]] | None = None, **kwargs: Any) -> None:  # noqa: ANN401 - click's own arguments
        super().__init__(*args, **kwargs)
        self._modules = MappingProxyType(modules or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they are given."""
        return [*self._modules, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self._modules:
            return super().get_command(ctx, cmd_name)
        path = self._modules[cmd_name][0]
        command = importlib.import_module(path).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{path}.command is not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._modules.items()])
