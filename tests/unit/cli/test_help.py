"""Every command's help fits a screen, says what its exit codes or flags mean, and shows an example to copy."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from triton_watch.cli import cli
from triton_watch.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCREEN = 40
"""Lines."""


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(commands()), ids=lambda path: " ".join(path) or "triton-watch")
def test_help_fits_a_screen_and_has_an_example_on_a_line_of_its_own(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(cli, [*path, "--help"], prog_name="triton-watch", terminal_width=80)
    lines = done.output.splitlines()
    assert done.exit_code == 0
    assert len(lines) <= SCREEN
    assert "  Example:" in lines
    assert any(line.startswith("    triton-watch ") for line in lines)
    assert "\\b" not in done.output
    assert not any(line.rstrip().endswith("...") for line in lines[1:]), "a cut sentence"


def test_version_is_printed_without_importing_the_command_line() -> None:
    code = (
        "import sys; sys.argv = ['triton-watch', '--version']; from triton_watch.__main__ import main; main(); "
        "sys.exit('click' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"triton-watch {__version__}\n")


@pytest.mark.parametrize("heavy", ["pydantic", "yaml", "rich", "grpc", "tritonclient", "grafanalib", "jinja2"])
def test_the_daemon_imports_nothing_that_only_other_commands_need(heavy: str) -> None:
    code = f"import sys, triton_watch.daemon.service, triton_watch.config.apart; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_command_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "triton_watch", "watch"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "No such command" in done.stderr
