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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from triton_watch.demo.errors import EmbeddedTritonError
from triton_watch.demo.repository import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

WHEEL = "nvidia-pytriton==0.7.0"
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
LAST_WITH_NUMPY_1 = (3, 12)
"""numpy below 2 has no build for a newer Python."""
DEMO = "'triton-watch[demo]'"
DEBIAN_LIBRARIES = CHECKOUT / ".cache" / "debian" / "usr" / "lib"
"""Where tests/support/debian.py unpacks Debian's libpython for `make`."""


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """What it takes to start the server."""

    executable: Path
    backends: Path
    caches: Path
    stub: Path
    library_dirs: tuple[Path, ...]
    """For LD_LIBRARY_PATH."""


def find_server_files() -> ServerFiles:
    """Find the server for the running interpreter. Raises `EmbeddedTritonError` for a missing part."""
    _require_python()
    site = _site_packages()
    _require_numpy_1()
    server = site / "pytriton" / "tritonserver"
    libraries = site / "nvidia_pytriton.libs"
    libpython = libpython_folder()
    return ServerFiles(
        executable=server / "bin" / "tritonserver",
        backends=server / "backends",
        caches=server / "caches",
        stub=_stub(server / "python_backend_stubs"),
        library_dirs=(libraries, libpython) if libpython else (libraries,),
    )


def _require_python() -> None:
    """The stub of 3.13 starts too, but then no answer is right: see `_require_numpy_1`."""
    if sys.version_info[:2] > LAST_WITH_NUMPY_1:
        raise EmbeddedTritonError(
            f"the embedded Triton needs Python 3.10, 3.11 or 3.12 and this is {VERSION}: its Python backend "
            "works with numpy below 2 only, and there is none for a newer Python"
        )


def _require_numpy_1() -> None:
    """Refuse numpy 2: with it this server's Python backend breaks every answer and counts it as success.

    Seen on the real server with numpy 2.0 to 2.5 under Python 3.12 and 3.13: HTTP 500 "output tensor shape
    does not match size of output". Its stub reads numpy's dtype in the memory layout of numpy 1. Like the
    stub, `-I` looks neither at PYTHONPATH nor into the user's own site-packages.
    """
    look_up = [sys.executable, "-I", "-c", "from importlib import metadata; print(metadata.version('numpy'))"]
    found = subprocess.run(look_up, capture_output=True, text=True, check=False)  # noqa: S603
    version = found.stdout.strip()
    if not version.startswith("1."):
        what = f"numpy {version} breaks" if version else "there is no numpy for"
        how = install("'numpy<2'", "in a virtual environment: ")
        raise EmbeddedTritonError(f"{what} the Python backend of {WHEEL}; {how}")


def install(what: str, where: str = "") -> str:
    """Say how it is installed for the running interpreter, which in an image has no pip."""
    if importlib.util.find_spec("pip") is None:
        return "there is no pip here to install it with: run `make demo` in a checkout of triton-watch"
    return f"{where}{sys.executable} -m pip install {what}"


def _site_packages() -> Path:
    """The folder that the wheel is installed in; it is not imported."""
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        raise EmbeddedTritonError(f"the real tritonserver is not installed for this Python: {install(DEMO)}")
    return Path(spec.origin).resolve().parent.parent


def _stub(stubs: Path) -> Path:
    """The program that runs models in the running interpreter's version."""
    stub = stubs / VERSION / "triton_python_backend_stub"
    if not stub.is_file():
        versions = ", ".join(sorted(path.name for path in stubs.glob("3.*"))) or "none"
        raise EmbeddedTritonError(
            f"{WHEEL} has no Python backend for Python {VERSION}: the versions that it has are {versions}"
        )
    return stub


def libpython_folder() -> Path | None:
    """The folder of the shared libpython that the stub needs, or None where the linker finds it anyway."""
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
