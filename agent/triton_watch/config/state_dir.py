"""Where the store lives when nobody said so: the directory that the system keeps for a program's state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

IN_MEMORY: Final = "none"
"""What stands in place of a directory when events are kept in memory only."""
_NAME: Final = "triton-watch"
_OF_A_SYSTEM: Final = Path("/var/lib") / _NAME
"""For a user without a home, as in a container that runs under a number."""


def default_state_dir(environ: Mapping[str, str]) -> Path:
    """Return systemd's state directory, else that of the XDG base directories, else `~/.local/state/triton-watch`.

    systemd gives a colon-separated list in STATE_DIRECTORY, whose first entry is taken.
    """
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    state = Path(environ.get("XDG_STATE_HOME", ""))
    if state.is_absolute():  # the XDG specification wants any other value ignored
        return state / _NAME
    home = _home(environ)
    return _OF_A_SYSTEM if home is None else home / ".local" / "state" / _NAME


def state_dir(text: str, base: Path) -> Path | None:
    """Read what a person wrote: a directory, relative ones from `base`, or `none` for memory only."""
    return None if text == IN_MEMORY else base / text


def state_dir_text(directory: Path | None) -> str:
    """Write a directory so that `state_dir` reads it back."""
    if directory is None:
        return IN_MEMORY
    return f"./{directory}" if str(directory) == IN_MEMORY else str(directory)


def _home(environ: Mapping[str, str]) -> Path | None:
    if environ.get("HOME"):
        return Path(environ["HOME"])
    try:
        return Path.home()
    except RuntimeError:
        return None
