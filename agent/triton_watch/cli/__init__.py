"""The command line: one module a command, imported only when its command is called."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from triton_watch.cli.lazy import LazyGroup
from triton_watch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "check": ("triton_watch.cli.check", "Find what is wrong with model repositories, manifests, live servers."),
        "rules": ("triton_watch.cli.rules", "List and explain the rules of `check`."),
        "run": ("triton_watch.cli.run", "Watch Triton servers: poll, compute SLIs, serve /metrics."),
        "health": ("triton_watch.cli.health", "Ask a running agent whether it is well, in one line and exit code."),
        "status": ("triton_watch.cli.status", "Poll one server twice and print what it is doing."),
        "top": ("triton_watch.cli.top.command", "All models, the worst first, on a screen that renews itself."),
        "canary": ("triton_watch.cli.canary", "Send real inferences and check their answers."),
        "slo": ("triton_watch.cli.slo", "Check objectives, report their error budgets, speak OpenSLO."),
        "alerts": ("triton_watch.cli.alerts", "What fires now, why, and what to do about it."),
        "generate": ("triton_watch.cli.generate", "Generate rules, dashboards, routes, Kubernetes objects."),
        "config": ("triton_watch.cli.config", "Check, show and describe the configuration file."),
        "demo": ("triton_watch.cli.demo", "Start a real Triton with good and bad models, and watch it."),
    }
)
"""Command name -> module that defines `command`, and the line shown in `--help`."""


@click.group(
    cls=LazyGroup,
    modules=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", prog_name="triton-watch", message="%(prog)s %(version)s")
def cli() -> None:
    """Watch NVIDIA Triton Inference Servers: state, traffic, SLIs, and what `ready` does not tell.

    \b
    Example:
      triton-watch status --target http://localhost:8000
    """


def call(interrupted: int) -> int:
    """Run the command that `sys.argv` names and return its exit code, `interrupted` where Ctrl-C ended it.

    Commands that know their exit code raise SystemExit. click has ended the line of the terminal's ^C.
    """
    try:
        code = cli.main(standalone_mode=False)
    except click.Abort:
        return interrupted
    except click.ClickException as error:
        error.show()
        return error.exit_code
    return code if isinstance(code, int) else 0
