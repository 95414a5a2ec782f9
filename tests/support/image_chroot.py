"""The image without an engine: the steps of the Dockerfile itself, done in folders, and the result run in a chroot.

It needs root and namespaces for mounts and networks. What differs from a container: the processes of the machine are
visible in /proc, no seccomp filter is in force, and there is no layer that a step could hide a file in.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from string import Template
from typing import TYPE_CHECKING, Final

from support.dockerfile import Instruction, Stage, read
from support.image_base import ImageError, Settings, authorities, pip_settings, tree_size

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TIMEOUT: Final = 300
_LOOPBACK_UP: Final = (
    "import fcntl, socket, struct; "
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sH14s', b'lo', 0x41, b''))"  # SIOCSIFFLAGS: up and running
)
_ENTER: Final = """
set -e
mount --bind "$ROOT" "$ROOT"
mount --bind "$STATE" "$ROOT$VOLUME"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
if [ -n "$MNT" ]; then mount --bind "$MNT" "$ROOT/mnt"; fi
mount -o remount,bind,ro "$ROOT"
if [ -n "$ALONE" ]; then "$PYTHON" -c "$LOOPBACK_UP"; fi
exec "$@"
"""
"""A read-only root with what an engine mounts over it. The last step becomes the program: signals reach it."""


@dataclass
class Chroot:
    """`folder` holds the stages, and the states of what runs."""

    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    environs: dict[str, dict[str, str]] = field(default_factory=dict)

    kind = "a chroot"

    def import_base(self, tree: Path, name: str) -> None:
        self.base, self.base_name = tree, name

    def build(self, checkout: Path, name: str) -> None:
        """Do the steps of all stages; `name` is an engine's."""
        del name
        dockerfile = read(checkout / "deploy" / "Dockerfile")
        context = self.folder / "context"
        copy_context(checkout, context)
        for number, stage in enumerate(dockerfile.stages):
            if stage.base != self.base_name:
                raise ImageError(f"the Dockerfile starts from {stage.base}, and only {self.base_name} is there")
            root = self.folder / (stage.name or f"stage-{number}")
            subprocess.run(["cp", "--archive", "--reflink=auto", str(self.base), str(root)], check=True)
            shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
            Steps(stage, root, context, self.folder).do()
        (root / "etc/hosts").write_text("127.0.0.1 localhost\n")  # an engine writes it
        self.root, self.stage = root, dockerfile.final

    def size(self) -> int:
        return tree_size(self.root)

    def settings(self) -> Settings:
        labels = {name: value for one in self.stage.all("LABEL") for name, value in one.pairs().items()}
        arguments = {name: value for one in self.stage.all("ARG") for name, value in one.pairs().items()}
        return Settings(
            user=self.stage.last("USER").rest,
            entry_point=self.stage.last("ENTRYPOINT").listed(),
            command=self.stage.last("CMD").listed(),
            health_check=json.loads(self.stage.last("HEALTHCHECK").rest.partition("CMD ")[2]),
            labels={name: Template(value).substitute(arguments) for name, value in labels.items()},
        )

    def run(self, name: str, *command: str, alone: bool = False, **environ: str) -> None:
        settings = self.settings()
        self.environs[name] = self._environ(name, alone=alone) | environ
        words = self._words(name, [*settings.entry_point, *(command or settings.command)])
        with (self.folder / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(words, env=self.environs[name], stdout=log, stderr=log)

    def run_here(self, *command: str, mount: Path | None = None) -> subprocess.CompletedProcess[str]:
        self.environs["one"] = self._environ("one", alone=True) | {"MNT": str(mount or "")}
        return _called(self._words("one", command), self.environs["one"])

    def inside(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        enter = ["nsenter", "--target", str(self.processes[name].pid), "--mount", "--net"]
        return _called([*enter, *self._as_user(name, command)], self.environs[name])

    def stop(self, name: str) -> int:
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(_TIMEOUT)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def remove(self) -> None:
        for name in list(self.processes):
            self.stop(name)

    def _environ(self, name: str, *, alone: bool) -> dict[str, str]:
        """What the image sets, and what `_ENTER` reads of the machine."""
        state = self.folder / f"{name}.state"
        volume = self.stage.last("VOLUME").rest
        if not state.exists():  # an engine makes a volume like the folder of the image
            subprocess.run(["cp", "--archive", f"{self.root}{volume}", str(state)], check=True)
        return {
            **self.stage.environment(),
            "ROOT": str(self.root),
            "STATE": str(state),
            "VOLUME": volume,
            "MNT": "",
            "ALONE": "--net" if alone else "",
            "PYTHON": sys.executable,
            "LOOPBACK_UP": _LOOPBACK_UP,
        }

    def _words(self, name: str, command: Sequence[str]) -> list[str]:
        alone = ["--net"] if self.environs[name]["ALONE"] else []
        enter = ["unshare", "--mount", *alone, "sh", "-c", _ENTER, "sh"]
        return [_program(enter[0]), *enter[1:], *self._as_user(name, command)]

    def _as_user(self, name: str, command: Sequence[str]) -> list[str]:
        """The command under the image's user, environment and folder, without any capability."""
        user = self.stage.last("USER").rest
        group = user.partition(":")[2]
        kept = [f"{key}={value}" for key, value in self.environs[name].items() if key not in _OF_THE_MACHINE]
        there = ["env", "--ignore-environment", f"--chdir={self.stage.last('WORKDIR').rest}", *kept]
        bare = ["setpriv", "--no-new-privs", "--inh-caps=-all"]
        return [_program("chroot"), f"--userspec={user}", f"--groups={group}", str(self.root), *there, *bare, *command]


_OF_THE_MACHINE: Final = frozenset({"ROOT", "STATE", "VOLUME", "MNT", "ALONE", "PYTHON", "LOOPBACK_UP"})


@dataclass
class Steps:
    """The steps of one stage, done in its root; other stages are folders beside it, by their names."""

    stage: Stage
    root: Path
    context: Path
    others: Path

    def do(self) -> None:
        """Do what changes files. Raises `ImageError`."""
        self.environ = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        self.workdir = "/"
        for one in self.stage.instructions:
            if one.word == "RUN":
                self._run(one)
            elif one.word == "COPY":
                self._copy(one)
            elif one.word in ("ENV", "ARG"):
                self.environ |= one.pairs()
            elif one.word == "WORKDIR":
                self.workdir = one.rest
                (self.root / one.rest[1:]).mkdir(parents=True, exist_ok=True)

    def _run(self, one: Instruction) -> None:
        secrets = {}
        for _, flag in one.flags:
            given = dict(part.partition("=")[::2] for part in flag.split(","))
            secrets[given["id"]] = self.root / given["target"][1:]
        if "pip" in secrets:
            secrets["pip"].write_text(pip_settings())
        if "ca" in secrets and (bundle := authorities()) is not None:
            shutil.copy(bundle, secrets["ca"])
        proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
        line = f"cd {self.workdir} && {one.rest}"
        done = _called([_program("chroot"), str(self.root), "/bin/sh", "-c", line], proxies | self.environ)
        if done.returncode != 0:
            raise ImageError(f"a step of the Dockerfile failed: {(done.stdout + done.stderr)[-3000:]}")

    def _copy(self, one: Instruction) -> None:
        stage = one.flag("from")
        start = self.context if stage is None else self.others / stage
        *sources, target = one.rest.split()
        there = self.root / f"{self.workdir}/{target}".lstrip("/") if target[0] == "." else self.root / target[1:]
        for source in sources:
            found = start / source.lstrip("/")
            into = f"{there}/" if target.endswith("/") else str(there)
            there.parent.mkdir(parents=True, exist_ok=True)
            words = [f"{found}/.", into] if found.is_dir() else [str(found), into]
            if found.is_dir():
                there.mkdir(exist_ok=True)
            subprocess.run(["cp", "--archive", *words], check=True)


def copy_context(checkout: Path, context: Path) -> None:
    """Copy what .dockerignore lets through: lines `*`, `!path` and `**/name`, which is all that ours has."""
    allowed, names = [], []
    for line in (checkout / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            allowed.append(line[1:])
        elif line.startswith("**/"):
            names.append(line[3:])
        elif line not in ("", "*") and not line.startswith("#"):
            raise ImageError(f".dockerignore has {line!r}, which the stand-in does not know")
    for path in allowed:
        source, target = checkout / path, context / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns(*names))
        else:
            shutil.copy(source, target)


def _program(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin") or name


def _called(words: Sequence[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, env=environ, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
