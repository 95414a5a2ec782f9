"""The parts of the real tritonserver in the wheel nvidia-pytriton, and the libpython that it needs.

The wheel is used without its own API: its server program, the Python backend with a stub process for
each Python version, and the local response cache.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from triton_watch.demo.errors import EmbeddedTritonError
from triton_watch.demo.repository import CHECKOUT

WHEEL = "nvidia-pytriton==0.7.0"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
DEBIAN_LIBRARIES = CHECKOUT / ".cache" / "debian" / "usr" / "lib"
"""Where tests/support/debian.py unpacks Debian's libpython for `make`."""


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """What starting the server takes, all from the wheel but the last folder of `library_dirs`."""

    executable: Path
    backends: Path
    caches: Path
    stub: Path
    library_dirs: tuple[Path, ...]
    """For LD_LIBRARY_PATH."""
    python_dirs: tuple[Path, ...]
    """For PYTHONPATH: where the models find numpy."""


def find_server_files() -> ServerFiles:
    """Find the server for the running interpreter. Raises `EmbeddedTritonError` for a missing part."""
    site = _site_packages()
    server = site / "pytriton" / "tritonserver"
    stub = server / "python_backend_stubs" / VERSION / "triton_python_backend_stub"
    if not stub.is_file():
        versions = sorted(path.name for path in (server / "python_backend_stubs").glob("3.*"))
        raise EmbeddedTritonError(
            f"{WHEEL} has no Python backend for Python {VERSION}: use one of {', '.join(versions) or 'none'}"
        )
    numpy = _numpy_folder()
    libraries = site / "nvidia_pytriton.libs"
    libpython = _libpython_folder(libraries)
    return ServerFiles(
        executable=server / "bin" / "tritonserver",
        backends=server / "backends",
        caches=server / "caches",
        stub=stub,
        library_dirs=(libraries,) if libpython is None else (libraries, libpython),
        python_dirs=(numpy,) if numpy == site else (numpy, site),
    )


def _site_packages() -> Path:
    """The folder that the wheel is installed in."""
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        options = "--no-deps " if sys.version_info >= (3, 13) else ""
        raise EmbeddedTritonError(
            "the real tritonserver is not installed for this Python: "
            f"{sys.executable} -m pip install {options}{WHEEL} 'numpy<2.5'"
        )
    return Path(spec.origin).parent.parent


def _numpy_folder() -> Path:
    """The folder that numpy is installed in; numpy 2.5 breaks every answer of this server's Python backend."""
    spec = importlib.util.find_spec("numpy")
    if spec is None or spec.origin is None:
        raise EmbeddedTritonError(f"the example models need numpy: {sys.executable} -m pip install 'numpy<2.5'")
    version = metadata.version("numpy")
    if tuple(int(part) for part in version.split(".")[:2]) >= (2, 5):
        raise EmbeddedTritonError(
            f"numpy {version} breaks the Python backend of {WHEEL}: {sys.executable} -m pip install 'numpy<2.5'"
        )
    return Path(spec.origin).parent.parent


def _libpython_folder(wheel_libraries: Path) -> Path | None:
    """The folder of the shared libpython for the stub, or None where the wheel brings it or the linker knows it."""
    if any(wheel_libraries.glob(f"libpython3-*.{sys.version_info.minor}.so.*")):
        return None
    name = f"libpython{VERSION}.so.1.0"
    for folder in _library_folders():
        if (folder / name).is_file():
            return folder
    if name in _linker_cache():
        return None
    raise EmbeddedTritonError(
        f"the server's Python backend needs {name}, which is not here: apt-get install libpython{VERSION}, "
        "or in a checkout run `make demo`, which unpacks it without root"
    )


def _library_folders() -> Iterator[Path]:
    """Where the running interpreter's shared library may be, the likeliest first."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or "x86_64-linux-gnu"
    configured = sysconfig.get_config_var("LIBDIR")
    if configured:
        yield Path(configured)
        yield Path(configured) / multiarch
    yield Path(sys.executable).resolve().parent.parent / "lib"
    yield Path(sys.base_prefix) / "lib"
    yield DEBIAN_LIBRARIES / multiarch


def _linker_cache() -> str:
    """The dynamic linker's list of libraries, or nothing where it cannot be had."""
    ldconfig = shutil.which("ldconfig", path="/sbin:/usr/sbin:/bin:/usr/bin")
    if ldconfig is None:
        return ""
    return subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False).stdout  # noqa: S603
