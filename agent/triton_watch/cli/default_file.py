"""The configuration file that commands read when nobody names one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

DEFAULT_FILE: Final = "triton-watch.yaml"


def default_file() -> Path | None:
    """Return triton-watch.yaml of the working directory, None where it has none.

    One that may not be looked at counts as there: whoever reads it then says what is wrong.
    """
    try:
        os.stat(DEFAULT_FILE)  # noqa: PTH116 - Path.exists says no or raises, by the version of Python
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass
    return Path(DEFAULT_FILE)


def working_directory() -> str:
    """Return the name of the working directory, for sentences."""
    try:
        return str(Path.cwd())
    except OSError:
        return "the working directory, which is gone"
