"""systemd's programs that need no running systemd: the machine's own, or unpacked into .cache/systemd.

Run by `make` as `.venv/bin/python tests/support/systemd_tools.py`: fetches them where the machine has none.
"""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import suppress

from support.debian import CACHE as DEBIAN
from support.debian import DebianError, fetch

ROOT = DEBIAN.parent / "systemd"
PROGRAMS = ("systemd-analyze", "systemd-sysusers")


class SystemdToolsError(RuntimeError):
    """A program cannot be had. One sentence that says what to do."""


def command(program: str, root: str = str(ROOT)) -> list[str]:
    """How it is run: by its name, or from the unpacked packages, which lie at `root`, with their own libraries."""
    if shutil.which(program):
        return [program]
    found = next((folder for folder in ("usr/bin", "bin") if (ROOT / folder / program).exists()), None)
    if found is None:
        raise SystemdToolsError(f"{program} is not there: run `make debian`, or install systemd")
    folders = sorted({str(file.parent.relative_to(ROOT)) for file in ROOT.rglob("lib*.so*")})
    libraries = os.pathsep.join(f"{root}/{folder}" for folder in folders)
    units = os.pathsep.join(f"{root}/{folder}/systemd/system" for folder in ("usr/lib", "lib"))
    return ["env", f"LD_LIBRARY_PATH={libraries}", f"SYSTEMD_UNIT_PATH={units}:", f"{root}/{found}/{program}"]


def main() -> int:
    """Fetch what is missing; return the exit status."""
    try:
        for program in PROGRAMS:
            with suppress(SystemdToolsError):
                command(program)
                continue
            fetch(("systemd",), ROOT, libraries=True)
            with suppress(DebianError):  # before Debian 12 and Ubuntu 23.04 it is a part of the package above
                fetch(("libsystemd-shared",), ROOT)
            command(program)
    except (DebianError, SystemdToolsError) as error:
        sys.stderr.write(f"systemd_tools.py: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
