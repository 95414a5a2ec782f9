"""Loading in a process of its own, for the daemon.

Checking a configuration takes pydantic and yaml, which hold some 10 MB for as long as the process lives. The
daemon needs them for milliseconds, so it lets a child do it and gets back the finished records, or the error.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from triton_watch.config.errors import ConfigError, ConfigUnreadableError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records import Settings, WebAccess

_SECONDS = 60.0
_CHILD = "import sys; sys.path[:] = {path!r}; from triton_watch.config.apart import answer; answer()"


def load_apart(path: Path) -> Settings:
    """Do what `config.load` does, in a child process.

    Raises:
        ConfigUnreadableError: the file cannot be read.
        ConfigError: it is not valid.

    """
    settings: Settings = _ask(str(path), "load", {"path": path})
    return settings


def from_flags_apart(**flags: Any) -> Settings:  # noqa: ANN401 - the flags of `config.from_flags`
    """Do what `config.from_flags` does, in a child process. Raises `ConfigError`."""
    settings: Settings = _ask("command line", "from_flags", flags)
    return settings


def load_web_apart(path: Path) -> WebAccess:
    """Do what `config.load_web` does, in a child process. Raises `ConfigUnreadableError` and `ConfigError`."""
    access: WebAccess = _ask(str(path), "load_web", {"path": path})
    return access


def answer() -> None:
    """Be the child: read a request from standard input, write what became of it to standard output."""
    from triton_watch import config  # noqa: PLC0415 - the weight that the parent is spared

    try:
        # Both ends of the pipe are this program, so unpickling is safe.
        function, arguments = pickle.load(sys.stdin.buffer)  # noqa: S301
    except EOFError:  # the parent ended before it asked
        return
    reply: tuple[object, ...]
    try:
        reply = ("answer", getattr(config, function)(**arguments))
    except ConfigError as error:
        reply = ("error", type(error), error.source, error.problems)
    sys.stdout.buffer.write(pickle.dumps(reply))


def _ask(source: str, function: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - what the function returns
    command = [sys.executable, "-c", _CHILD.format(path=sys.path)]
    try:
        done = subprocess.run(  # noqa: S603 - this very interpreter, and our own code
            command,
            input=pickle.dumps((function, arguments)),
            stdout=subprocess.PIPE,
            timeout=_SECONDS,
            check=True,
            start_new_session=True,  # a terminal's Ctrl-C is for the parent, which ends the child without a traceback
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise _not_loaded(source, error) from error
    reply = pickle.loads(done.stdout)  # noqa: S301 - see answer()
    if reply[0] == "error":
        raise reply[1](reply[2], reply[3])
    return reply[1]


def _not_loaded(source: str, error: Exception) -> ConfigError:
    return ConfigUnreadableError(
        source, [Problem(f"could not be loaded: the child process that checks it failed ({error}).")]
    )
