"""The command line and the environment of the embedded tritonserver, and its own copy of the backends."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from triton_watch.demo.ports import LOOPBACK, Ports
from triton_watch.demo.wheel import ServerFiles

INHERITED = ("HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "USER")
"""Variables that the server gets from us. Not PYTHONPATH, PYTHONHOME or LD_PRELOAD: they would reach the models."""
METRICS_INTERVAL_MS = 500
CACHE_BYTES = 1024 * 1024


def prepare_folder(files: ServerFiles, folder: Path, repository: Path) -> None:
    """Give `folder` a copy of the wheel's backends, the stub for the running Python, and a link to the models."""
    backends = folder / "backends"
    shutil.copytree(files.backends, backends, ignore=shutil.ignore_patterns("__pycache__"))
    stub = backends / "python" / files.stub.name
    shutil.copyfile(files.stub, stub)
    stub.chmod(0o755)
    (folder / "models").symlink_to(repository, target_is_directory=True)


def server_command(
    files: ServerFiles, folder: Path, ports: Ports, shm_prefix: str, strict_readiness: bool
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
        "--allow-cpu-metrics=true",
        f"--metrics-interval-ms={METRICS_INTERVAL_MS}",
        "--metrics-config=summary_latencies=true",
        f"--cache-config=local,size={CACHE_BYTES}",
    ]


def with_extra(command: Sequence[str], extra: Sequence[str]) -> list[str]:
    """The command with the caller's flags in place of ours of the same name; repeatable ones are added."""
    repeatable = ("--backend-config", "--metrics-config", "--model-repository", "--load-model")
    replaced = {_name(flag) for flag in extra} - set(repeatable)
    return [flag for flag in command if _name(flag) not in replaced] + list(extra)


def server_environment(files: ServerFiles) -> dict[str, str]:
    """The server's environment: the wheel's libraries, this interpreter's packages, no caches of byte code."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    path = os.environ.get("PATH", os.defpath)
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    environment["LD_LIBRARY_PATH"] = os.pathsep.join(str(folder) for folder in files.library_dirs)
    environment["PYTHONPATH"] = os.pathsep.join(str(folder) for folder in files.python_dirs)
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment.update({name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")})
    return environment


def _name(flag: str) -> str:
    """`--http-port` of `--http-port=8000`."""
    return flag.split("=", 1)[0]
