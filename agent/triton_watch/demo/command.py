"""The command line, the environment and the folder of the embedded tritonserver."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from triton_watch.demo.ports import LOOPBACK, Ports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triton_watch.demo.wheel import ServerFiles

INHERITED = ("HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER")
"""Variables that the server gets from us. Not LD_PRELOAD and the like: they would reach the models."""
REPEATABLE = frozenset({"--backend-config", "--load-model", "--metrics-config", "--model-repository"})
METRICS_INTERVAL_MS = 500
CACHE_BYTES = 1024 * 1024
EXIT_SECONDS = 5
"""For which it waits at its end for requests that are under way: those to a dead model never end."""


def prepare_folder(files: ServerFiles, folder: Path, repository: Path) -> None:
    """Give `folder` a copy of the wheel's backends that suits the running Python, and a link to the models.

    The link is there because a repository with a space in its path hangs the server's start.
    """
    python = folder / "backends" / "python"
    shutil.copytree(files.backends, python.parent, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(files.stub, python / files.stub.name)
    (python / files.stub.name).chmod(0o755)
    (folder / "models").symlink_to(repository, target_is_directory=True)


def server_command(
    files: ServerFiles, folder: Path, ports: Ports, shm_prefix: str, *, strict_readiness: bool
) -> list[str]:
    """The command line, without the caller's own flags; a broken model does not end this server."""
    return [
        str(files.executable),
        f"--model-repository={folder / 'models'}",
        f"--backend-directory={folder / 'backends'}",
        f"--cache-directory={files.caches}",
        f"--http-address={LOOPBACK}",
        f"--grpc-address={LOOPBACK}",
        f"--metrics-address={LOOPBACK}",
        f"--http-port={ports.http}",
        f"--grpc-port={ports.grpc}",
        f"--metrics-port={ports.metrics}",
        f"--backend-config=python,shm-region-prefix-name={shm_prefix}",
        f"--strict-readiness={'true' if strict_readiness else 'false'}",
        "--exit-on-error=false",
        f"--exit-timeout-secs={EXIT_SECONDS}",
        "--allow-cpu-metrics=true",
        f"--metrics-interval-ms={METRICS_INTERVAL_MS}",
        "--metrics-config=summary_latencies=true",
        f"--cache-config=local,size={CACHE_BYTES}",
    ]


def with_extra(command: Sequence[str], extra: Sequence[str]) -> list[str]:
    """The command with the caller's flags in place of ours of the same name; repeatable ones are added."""
    replaced = {_name(flag) for flag in extra} - REPEATABLE
    return [flag for flag in command if _name(flag) not in replaced] + list(extra)


def server_environment(files: ServerFiles) -> dict[str, str]:
    """The server's environment.

    The models' Python reads no environment variable of its own, so PYTHONPATH has no effect on it (seen on
    2.51.0): it finds its home, and numpy there, by the first python3 on PATH, which is ours.
    """
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    path = os.environ.get("PATH", os.defpath)
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    environment["LD_LIBRARY_PATH"] = os.pathsep.join(str(folder) for folder in files.library_dirs)
    environment.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    return environment


def _name(flag: str) -> str:
    """`--http-port` of `--http-port=8000`."""
    return flag.split("=", 1)[0]
