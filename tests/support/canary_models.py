"""The models of tests/fixtures/canary_repository, copied for a test, and the one whose mood a test chooses."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from triton_watch.demo import EmbeddedTriton

REPOSITORY = Path(__file__).resolve().parents[1] / "fixtures" / "canary_repository"
STUB = "triton_python_backend_stub"


def copied(folder: Path, *models: str) -> Path:
    """A repository in `folder` with these models."""
    for model in models:
        shutil.copytree(REPOSITORY / model, folder / model)
    return folder


class Switch:
    """The model `switch` of a copied repository, under another name maybe."""

    def __init__(self, repository: Path, name: str = "switch") -> None:
        self._file = repository / name / "mood"

    def to(self, mood: str) -> None:
        """Let it answer in this mood from now on; an empty one is good. Written whole, for it is read at any time."""
        partial = self._file.with_suffix(".new")
        partial.write_text(mood)
        partial.replace(self._file)


def stubs(server: EmbeddedTriton, model: str) -> list[int]:
    """Process ids of the stubs that run a model of this server."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue  # it ended meanwhile
            if STUB in command[0] and f"/{model}/" in command[1] and _is_below(int(folder.name), server.pid):
                found.append(int(folder.name))
    return found


def _is_below(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        stat = Path(f"/proc/{pid}/stat").read_text()
        pid = int(stat.rsplit(")", 1)[1].split()[1])
    return False


def kill(server: EmbeddedTriton, model: str) -> None:
    """End the stubs of a model with SIGKILL, as the kernel does when memory is out."""
    found = stubs(server, model)
    assert found, model
    for pid in found:
        os.kill(pid, 9)
