"""Real components from Debian's or Ubuntu's packages, unpacked into .cache/debian: no root, no service.

Run by `make` as `.venv/bin/python tests/support/debian.py prometheus libpython chromium`: fetches what of these
is neither on this machine nor unpacked already. Tests find the programs with `tool` and the browser with `browser`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from triton_watch.demo.errors import EmbeddedTritonError
from triton_watch.demo.wheel import VERSION, libpython_folder

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "debian"
PROGRAMS = {
    "prometheus": ("prometheus", "promtool"),
    "prometheus-alertmanager": ("prometheus-alertmanager", "amtool"),
    "bubblewrap": ("bwrap",),
    "dnsmasq-base": ("dnsmasq",),
}
"""Package -> the programs that tests want of it."""
WITH_LIBRARIES = ("dnsmasq-base",)
"""Those that few machines have all libraries of: see `library_path`."""
BY_HAND = {"chromium": "install Google Chrome, or say `snap install chromium` (Ubuntu)"}
BROWSERS = ("chromium", "google-chrome")
"""Their programs on PATH: the first that there is, is taken."""
KEYRING = Path("usr/share/keyrings/debian-archive-keyring.gpg")
"""The keys of Debian's archive, below / or `CACHE`."""
CHROMIUM = CACHE / "chromium"
"""A root of its own: the many libraries beside it are for no other program."""
LAUNCHER = CHROMIUM / "launch"
"""Written last: where it is, all is there."""
LIBRARIES = re.compile(r"(?!libc6|libperl|libpam|libsystemd-shared|libllvm|libgl1-mesa-dri)(lib|zlib|font|chromium)")
"""Of all that Debian's chromium depends on, what a browser without a screen may need: not a desktop, nor
drivers of graphics cards. The machine's own libc stays, for it must fit the machine's loader."""
APT_TIMEOUT = 300.0


class DebianError(RuntimeError):
    """A package cannot be had. One sentence that says what to do."""


def tool(name: str) -> Path | None:
    """A program: the one on PATH, or the unpacked one; None when there is neither."""
    others = ["/usr/sbin", str(CACHE / "usr/bin"), str(CACHE / "usr/sbin")]
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *others]))
    return Path(found) if found else None


def library_path() -> str:
    """Where the libraries of unpacked programs are, for LD_LIBRARY_PATH."""
    return os.pathsep.join(sorted({str(file.parent) for file in (CACHE / "usr/lib").rglob("lib*.so*")}))


def browser() -> Path | None:
    """Chromium: the one on PATH, or the unpacked one; None when there is neither."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return Path(found) if found else LAUNCHER if LAUNCHER.exists() else None


def ensure(wanted: str) -> str:
    """Make a package of `PROGRAMS`, libpython, chromium or debootstrap available; a line that says where it is."""
    if wanted == "libpython":
        return _ensure_libpython()
    if wanted == "chromium":
        return _ensure_chromium()
    if wanted == "debootstrap":
        return _ensure_debootstrap()
    programs = PROGRAMS[wanted]
    if not all(tool(name) for name in programs):
        fetch((wanted,), libraries=wanted in WITH_LIBRARIES)
    missing = [name for name in programs if not tool(name)]
    if missing:
        raise DebianError(f"Debian's package {wanted} has no {', '.join(missing)}: put it on PATH")
    return ", ".join(str(tool(name)) for name in programs)


def fetch(names: tuple[str, ...], root: Path = CACHE, *, libraries: bool = False) -> None:
    """Download the first of these packages that there is, and unpack it into `root`.

    With `libraries` also what of the libraries that it depends on is not installed.
    """
    for program in ("apt-get", "dpkg"):
        if shutil.which(program) is None:
            raise DebianError(f"there is no {program} to get {names[0]} with: install {names[0]} so that it is on PATH")
    options = _private_apt()
    archives = CACHE / "archives"
    archives.mkdir(parents=True, exist_ok=True)
    _apt([*options, "-qq", "update"], archives, names[0])
    available = [name for name in names if _apt_knows(options, name)]
    if not available:
        raise DebianError(
            f"the package sources of this machine have no {' or '.join(names)}: "
            f"{BY_HAND.get(names[0], 'install it by hand')}"
        )
    wanted = _with_libraries(options, archives, available[0]) if libraries else [available[0]]
    _apt([*options, "-qq", "download", *wanted], archives, available[0])
    root.mkdir(parents=True, exist_ok=True)
    for archive in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(archive), str(root)], check=True)
    shutil.rmtree(archives)


def debootstrap() -> tuple[list[str], dict[str, str]]:
    """The command that makes a Debian, and its environment: the one on PATH, or the unpacked one.

    Raises `DebianError` where there is neither.
    """
    program, wget = tool("debootstrap"), tool("wget")
    if program is None or wget is None or _keyring() is None:
        raise DebianError("debootstrap is missing: say `.venv/bin/python tests/support/debian.py debootstrap`")
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", str(wget.parent)])
    environ = {**os.environ, "PATH": path}
    if program.is_relative_to(CACHE):
        environ["DEBOOTSTRAP_DIR"] = str(CACHE / "usr/share/debootstrap")
    if wget.is_relative_to(CACHE):
        environ["LD_LIBRARY_PATH"] = library_path()
    return [str(program), f"--keyring={_keyring()}"], environ


def _keyring() -> Path | None:
    return next((root / KEYRING for root in (Path("/"), CACHE) if (root / KEYRING).exists()), None)


def _ensure_debootstrap() -> str:
    """A shell script, what it downloads with, and the keys by which it knows Debian's packages."""
    if os.geteuid() != 0:
        return "left out, for it needs root"
    for package, there in (
        ("debootstrap", tool("debootstrap")),
        ("wget", tool("wget")),
        ("debian-archive-keyring", _keyring()),
    ):
        if there is None:
            fetch((package,), libraries=package == "wget")
    return debootstrap()[0][0]


def _ensure_libpython() -> str:
    try:
        libpython_folder()
    except EmbeddedTritonError:
        fetch((f"libpython{VERSION}", f"libpython{VERSION}t64"))
        libpython_folder()
    return f"libpython{VERSION} found"


def _ensure_chromium() -> str:
    if not browser():
        fetch(("chromium",), CHROMIUM, libraries=True)
        _write_launcher()
    return str(browser())


def _write_launcher() -> None:
    """Start the unpacked Chromium with its own libraries first, and the fonts of both roots."""
    fonts = CHROMIUM / "fonts.conf"
    folders = "".join(f"<dir>{root}/usr/share/fonts</dir>" for root in ("", CHROMIUM))
    fonts.write_text(f"<fontconfig>{folders}<cachedir>{CHROMIUM}/var/cache/fontconfig</cachedir></fontconfig>\n")
    libraries = os.pathsep.join(sorted({str(file.parent) for file in CHROMIUM.rglob("lib*.so*")}))
    LAUNCHER.write_text(
        f"#!/bin/sh\nexport LD_LIBRARY_PATH='{libraries}' FONTCONFIG_FILE='{fonts}'\n"
        f"exec '{CHROMIUM}/usr/lib/chromium/chromium' \"$@\"\n"
    )
    LAUNCHER.chmod(0o755)


def _with_libraries(options: list[str], folder: Path, package: str) -> list[str]:
    """The package, and those of `LIBRARIES` that apt would install with it."""
    plan = _apt([*options, "install", "--simulate", "--no-install-recommends", package], folder, package)
    found = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    return [package, *(name for name in found if LIBRARIES.match(name) and name != package)]


def _private_apt() -> list[str]:
    """Options that keep apt's state in `CACHE`, so that neither root nor a list of packages is needed."""
    lists, cache = CACHE / "lists", CACHE / "apt"
    for folder in (lists / "partial", cache / "archives" / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::State::Lists": str(lists),
        "Dir::Cache": str(cache),
        "Debug::NoLocking": "1",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "APT::Sandbox::User": "root",
    }
    return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _apt(arguments: list[str], folder: Path, package: str) -> str:
    """Run apt-get in a folder; what it says. Raises `DebianError` with its last words."""
    done = subprocess.run(
        ["apt-get", *arguments], cwd=folder, capture_output=True, text=True, timeout=APT_TIMEOUT, check=False
    )
    if done.returncode != 0:
        words = " ".join((done.stderr or done.stdout).split())[-300:]
        raise DebianError(f"apt-get could not get {package}: {words}")
    return done.stdout


def _apt_knows(options: list[str], name: str) -> bool:
    """Whether there is a package of exactly this name to download."""
    shown = subprocess.run(
        ["apt-cache", *options, "show", "--no-all-versions", name],
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.returncode == 0 and f"Package: {name}\n" in shown.stdout


def main(wanted: list[str]) -> int:
    """Ensure all that is wanted; 1 and one sentence when something cannot be had."""
    try:
        for name in wanted:
            sys.stdout.write(f"  {name}: {ensure(name)}\n")
    except (DebianError, EmbeddedTritonError) as error:
        sys.stderr.write(f"debian.py: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
