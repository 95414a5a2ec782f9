"""A machine of its own for a test: this one's /usr, and /etc, /opt, /var and the rest from a folder (bubblewrap).

`run` is a root's shell there. `service` starts what a systemd unit starts, under what the unit forbids, as far as this
can be had without systemd: see `systemd_unit`.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Final

from support import systemd_tools
from support.debian import tool
from support.systemd_unit import filters_of, settings

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY: Final = Path(__file__).resolve().parents[2]
IN_CHECKOUT: Final = "/src/triton-watch"
UNPACKED: Final = "/run/unpacked-systemd"
_PROC: Final = "/run/proc"
PATH: Final = "/opt/triton-watch/bin:/run/programs:/usr/sbin:/usr/bin:/sbin:/bin"
NOTIFY: Final = "run/notify/socket"
_OWN: Final = ("opt", "root", "home", "tmp", "var/lib", "var/tmp", "run/notify", "run/programs", "src")
_HIDDEN: Final = ("/home", "/root", "/tmp", "/var/tmp")  # noqa: S108 - mounted over, not written to
IS_ROOT: Final = os.geteuid() == 0
_GROUP: Final = "triton-watch"
_LINKS: Final = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_NOT_COPIED: Final = shutil.ignore_patterns(
    ".git", ".venv", ".cache", ".*_cache", ".hypothesis", "__pycache__", "build", "dist"
)
_PASSED_ON: Final = re.compile(r"PIP_|[A-Z_]*CERT_|https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY")
"""Variables by which this machine reaches a package index."""


class Machine:
    """Needs a folder of its own, and bubblewrap. `programs` are put on its PATH, by their names."""

    def __init__(self, folder: Path, programs: Mapping[str, Path] = MappingProxyType({})) -> None:
        self.root = folder
        self._programs = programs
        for own in _OWN:
            (folder / own).mkdir(parents=True)
        (folder / "tmp").chmod(0o1777)
        # Root's secrets cannot be read by others, and nobody needs them there.
        subprocess.run(["cp", "-a", "/etc", str(folder)], check=False, stderr=subprocess.DEVNULL)
        if not IS_ROOT:
            # Who is not root here has one group there, 0: the service's group has to be that one.
            with (folder / "etc/group").open("a") as groups:
                groups.write(f"{_GROUP}:x:0:\n")
            for secret in ("shadow", "gshadow"):
                (folder / "etc" / secret).touch()
        for name in _LINKS:
            if Path("/", name).is_symlink():
                (folder / name).symlink_to(Path("/", name).readlink())
            elif Path("/", name).exists():
                (folder / name).mkdir()
        shutil.copytree(REPOSITORY, folder / IN_CHECKOUT[1:], ignore=_NOT_COPIED, symlinks=True)
        for program in systemd_tools.PROGRAMS:
            self._program(program, systemd_tools.command(program, UNPACKED))

    def run(
        self, script: str, folder: str = ".", *, own_network: bool = False, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run it as root in the copy of the checkout, or in a folder of it."""
        # Processes of its own, for `userdel` looks whether the user has any.
        apart = ["--unshare-pid", *(["--unshare-net"] if own_network else [])]
        command = [*self._enter(environ), *apart, "--chdir", f"{IN_CHECKOUT}/{folder}", "sh", "-euc", script]
        return subprocess.run(command, text=True, capture_output=True, check=False, timeout=300)

    def service(self, unit: Path, log: IO[str], command: list[str] | None = None) -> subprocess.Popen[bytes]:
        """Start what the unit starts, or another command in its place, as `Service` wants it."""
        wanted = settings(unit)
        uid, gid = self.user(wanted["User"][0])
        state = self.root / "var/lib" / wanted["StateDirectory"][0]
        state.mkdir(exist_ok=True)
        if IS_ROOT:
            os.chown(state, uid, gid)
        journal = os.fstat(log.fileno())
        variables = {
            "JOURNAL_STREAM": f"{journal.st_dev}:{journal.st_ino}",
            "NOTIFY_SOCKET": f"/{NOTIFY}",
            "WATCHDOG_USEC": str(int(wanted["WatchdogSec"][0]) * 1_000_000),
            "STATE_DIRECTORY": f"/var/lib/{wanted['StateDirectory'][0]}",
            **dict(one.split("=", 1) for one in wanted["Environment"]),
            **self._environment_file(wanted["EnvironmentFile"][0]),
        }
        filters = filters_of(wanted)
        inner = shlex.join([*_confined(uid, gid, wanted, filters), *(command or shlex.split(wanted["ExecStart"][0]))])
        script = f"{_hidden_proc()}umask {wanted['UMask'][0]}; exec {inner}"
        outer = [*self._enter(variables, uid, gid), "sh", "-euc", script]
        with ExitStack() as opened:
            numbers = [opened.enter_context(each).fileno() for each in filters]
            return subprocess.Popen(outer, stdout=log, stderr=log, pass_fds=numbers)

    def _enter(self, environ: Mapping[str, str], uid: int = 0, gid: int = 0) -> list[str]:
        """As root; who is not root here enters as the user, for root of one namespace is nobody in the next."""
        bwrap = tool("bwrap")
        assert bwrap is not None, "bwrap is missing: `make debian` gets it"
        here = {name: value for name, value in os.environ.items() if _PASSED_ON.match(name)}
        given = {**here, **environ, "PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"}
        variables = [word for name, value in given.items() for word in ("--setenv", name, value)]
        unpacked = ["--ro-bind", str(systemd_tools.ROOT), UNPACKED] if systemd_tools.ROOT.exists() else []
        folders = [word for name in _LINKS if (self.root / name).is_dir() and not (self.root / name).is_symlink()
                   for word in ("--ro-bind", f"/{name}", f"/{name}")]  # fmt: skip
        programs = [word for name, path in self._programs.items()
                    for word in ("--ro-bind", str(path), f"/run/programs/{name}")]  # fmt: skip
        user = ["--cap-add", "ALL"] if IS_ROOT else ["--unshare-user", "--uid", str(uid), "--gid", str(gid)]
        return [
            str(bwrap), "--die-with-parent", "--clearenv", "--bind", str(self.root), "/", "--ro-bind", "/usr", "/usr",
            "--ro-bind", str(bwrap), "/run/programs/bwrap", *programs, *folders, *unpacked, "--dev", "/dev",
            "--proc", "/proc", *user, *variables,
        ]  # fmt: skip

    def _program(self, name: str, command: list[str]) -> None:
        if command != [name]:
            file = self.root / "run/programs" / name
            file.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n')
            file.chmod(0o755)

    def user(self, name: str) -> tuple[int, int]:
        lines = (self.root / "etc/passwd").read_text().splitlines()
        fields = next(line.split(":") for line in lines if line.startswith(f"{name}:"))
        return int(fields[2]), int(fields[3])

    def _environment_file(self, value: str) -> dict[str, str]:
        file = self.root / value.removeprefix("-").removeprefix("/")
        if not file.exists() and value.startswith("-"):
            return {}
        lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        return dict(line.split("=", 1) for line in lines)


def _hidden_proc() -> str:
    """ProtectProc=invisible and ProcSubset=pid; who is not root here cannot mount that."""
    if not IS_ROOT:
        return ""
    return f"mkdir -p {_PROC}; mount -t proc -o subset=pid,hidepid=invisible proc {_PROC}; "


def _confined(uid: int, gid: int, wanted: Mapping[str, list[str]], filters: list[IO[bytes]]) -> list[str]:
    """The user, its limits and its view of the file system; the filters come last."""
    user = ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
            "--no-new-privs"] if IS_ROOT else []  # fmt: skip
    state = f"/var/lib/{wanted['StateDirectory'][0]}"
    return [
        "prlimit", f"--nofile={wanted['LimitNOFILE'][0]}", f"--core={wanted['LimitCORE'][0]}", *user,
        "bwrap", "--die-with-parent", "--ro-bind", "/", "/", "--bind", state, state, "--dev-bind", "/dev", "/dev",
        "--bind", _PROC if IS_ROOT else "/proc", "/proc",
        *[word for folder in _HIDDEN for word in ("--tmpfs", folder)], "--remount-ro", "/home", "--remount-ro", "/root",
        "--unshare-user", "--uid", str(uid), "--gid", str(gid),
        "--chdir", "/", *[word for each in filters for word in ("--add-seccomp-fd", str(each.fileno()))], "--",
    ]  # fmt: skip
