"""What a registry would give: a Debian like the one that the Dockerfile starts from, made with debootstrap.

Debian's own slim image is made in the same way: the smallest variant, without manuals, translations and documents.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from support.debian import DebianError, debootstrap

SUITE: Final = "bookworm"
_TIMEOUT: Final = 240
_LEFT_OUT: Final = ("man", "locale", "info", "groff", "lintian", "linda")


class ImageError(RuntimeError):
    """The image cannot be made or run here. One sentence that says what to do."""


@dataclass(frozen=True)
class Settings:
    """What an image says of itself."""

    user: str
    entry_point: list[str]
    command: list[str]
    health_check: list[str]
    labels: dict[str, str]


class Engine(Protocol):
    """What builds the image, and runs it: read-only, without capabilities, its state in a volume."""

    @property
    def kind(self) -> str:
        """What it is, for the report."""

    def import_base(self, tree: Path, name: str) -> None:
        """Take a tree for the image that the Dockerfile starts from. Raises `ImageError`."""

    def build(self, checkout: Path, name: str) -> None:
        """Build the image. Raises `ImageError`."""

    def size(self) -> int:
        """The image's bytes, uncompressed."""

    def settings(self) -> Settings:
        """What the image says of itself."""

    def run(self, name: str, *command: str, alone: bool = False, **environ: str) -> None:
        """Start it in the background; `alone`: with no network but a loopback of its own."""

    def run_here(self, *command: str, mount: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, alone; `mount` is at /mnt."""

    def inside(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside the one that runs, as its user."""

    def stop(self, name: str) -> int:
        """Send SIGTERM, and wait: the exit code."""

    def log(self, name: str) -> str:
        """What it wrote."""

    def remove(self) -> None:
        """End and remove all."""


def make_base(folder: Path) -> None:
    """Write the root file system of the base into a folder that does not exist. Raises `ImageError`."""
    if os.geteuid() != 0:
        raise ImageError("the image's base is made with debootstrap, and that needs root: run this test as root")
    try:
        program, environ = debootstrap()
    except DebianError as error:
        raise ImageError(str(error)) from error
    done = subprocess.run(
        [*program, "--variant=minbase", SUITE, str(folder)],
        capture_output=True, text=True, timeout=_TIMEOUT, check=False, env=environ,
    )  # fmt: skip
    if done.returncode != 0:
        last = " ".join((done.stdout + done.stderr).split())[-300:]
        raise ImageError(f"debootstrap could not make the image's base (are Debian's packages reachable?): {last}")
    _slim(folder)


def _slim(root: Path) -> None:
    """Take out what Debian's slim images leave out, and have dpkg leave it out from now on."""
    lines = [f"path-exclude /usr/share/{name}/*" for name in ("doc", *_LEFT_OUT)]
    (root / "etc/dpkg/dpkg.cfg.d/docker").write_text(
        "\n".join([*lines, "path-include /usr/share/doc/*/copyright"]) + "\n"
    )
    for name in _LEFT_OUT:
        shutil.rmtree(root / "usr/share" / name, ignore_errors=True)
    for file in (root / "usr/share/doc").rglob("*"):
        if file.is_symlink() or (file.is_file() and file.name != "copyright"):
            file.unlink()
    for name in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
        for file in (root / name).rglob("*"):
            if file.is_file():
                file.unlink()


@functools.cache
def pip_settings() -> str:
    """The content of a pip.conf by which a build reaches this machine's package index; paths are left out."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = {}
    for line in shown.splitlines():
        name, _, value = line.partition("=")
        words = [word for word in _unquoted(value).split() if not word.startswith(("/", "file:"))]
        key = name.rpartition(".")[2]
        if key in ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "default-timeout") and words:
            found[key.removeprefix("default-")] = " ".join(words)
    return "[global]\n" + "".join(f"{key} = {value}\n" for key, value in found.items())


def authorities() -> Path | None:
    """The certificate authorities that this machine trusts for its package index, None where nobody named any."""
    named = (os.environ.get(name, "") for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"))
    return next((Path(path) for path in named if path and Path(path).is_file()), None)


def _unquoted(value: str) -> str:
    """The text in Python's quotes that pip writes."""
    return str(json.loads(f'"{value[1:-1]}"')) if value[:1] in "'\"" and value else value


def tree_size(root: Path) -> int:
    """Bytes of all files below a folder, as an engine adds a layer up."""
    return sum(entry.lstat().st_size for entry in root.rglob("*") if entry.is_file() and not entry.is_symlink())
