"""`triton-watch alerts`: what fires, what each alert means, and whether an Alertmanager hears of it."""

from __future__ import annotations

from typing import Final

import click

from triton_watch.cli.lazy import LazyGroup

_USUAL: Final = "list"
_HELP: Final = ("-h", "--help")
_COMMANDS: Final = {
    _USUAL: ("triton_watch.cli.alerts_list", "What fires now, since when and why: the command without a name."),
    "explain": ("triton_watch.cli.alerts_explain", "What an alert means and what to do; without a name: all alerts."),
    "test": ("triton_watch.cli.alerts_test", "Send one alert to Alertmanagers and see it arrive."),
}


class _ListGroup(LazyGroup):
    """A group that is its command `list` where no command is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what begins without a command for flags of `list`."""
        if not args or (args[0].startswith("-") and args[0] not in _HELP):
            args = [_USUAL, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListGroup, modules=_COMMANDS, context_settings={"help_option_names": list(_HELP)})
def command() -> None:
    """Ask a running agent what fires, since when and why; read runbooks; test an Alertmanager.

    Without a command it is `list`, and takes the flags of that.

    \b
    Example:
      triton-watch alerts
      triton-watch alerts --agent http://gpu-7:8003 --all
      triton-watch alerts explain TritonCanaryFailing
    """
