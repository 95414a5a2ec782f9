"""What the embedded Triton asks of the machine: Linux on x86-64, and shared memory."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from pathlib import Path

from triton_watch.demo.errors import EmbeddedTritonError

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - this is where Triton's Python backend puts its regions
MIB = 1024 * 1024
MIB_PER_MODEL = 2
"""The Python backend takes 1 MiB for each model instance and grows it by need."""


def require_machine() -> None:
    """Raise `EmbeddedTritonError` on a machine that the server's wheel was not built for."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in ("x86_64", "AMD64"):
        raise EmbeddedTritonError(
            f"the embedded Triton runs on Linux x86_64 only, and this is {sys.platform} {machine}: "
            "point triton-watch at a server elsewhere"
        )


def require_shared_memory(models: int, folder: Path = SHARED_MEMORY) -> None:
    """Raise `EmbeddedTritonError` unless `folder` can hold the regions of so many Python models."""
    if not folder.is_dir():
        raise EmbeddedTritonError(
            f"there is no {folder}, and Triton's Python backend needs it: mount a tmpfs there "
            "(docker run has it unless --ipc=none)"
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise EmbeddedTritonError(
            f"this user may not write to {folder}, and Triton's Python backend needs to: chmod 1777 {folder}"
        )
    need = max(16, MIB_PER_MODEL * models)
    stat = os.statvfs(folder)
    free = stat.f_bavail * stat.f_frsize // MIB
    if free < need:
        raise EmbeddedTritonError(
            f"{folder} has {free} MiB free and Triton's Python backend needs {need}: free some, "
            "or give a container more with --shm-size"
        )


def new_folder(workdir: Path | None) -> Path:
    """A new folder for one server's files, in `workdir` or in the system's folder for temporary files."""
    parent = Path(workdir or tempfile.gettempdir()).resolve()
    if " " in str(parent):
        raise EmbeddedTritonError(
            f"the folder for temporary files, {parent}, has a space in its path, with which tritonserver "
            "starts no Python model: set TMPDIR to another one"
        )
    return Path(tempfile.mkdtemp(prefix="triton-watch-", dir=parent))
