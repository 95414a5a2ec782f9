"""The root file system of a container without an image: read-only pieces of this machine, and what it mounts."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHECKOUT = Path(__file__).resolve().parents[2]
PYTHON = (Path(sys.prefix), Path(sys.base_prefix), CHECKOUT / "agent")
"""What it takes to run our own interpreter with what is installed in it: each at the path that it has here."""
SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64")
"""Links into /usr, or folders on an old system."""
DATA = ("/usr/share/zoneinfo", "/usr/share/prometheus", "/usr/share/ca-certificates")
"""Of /usr/share, what programs read."""
ETC = ("ld.so.cache", "ssl", "localtime", "alternatives")
PEOPLE = "root:x:0:0::/root:/bin/false\nnobody:x:65534:65534::/nonexistent:/bin/false\n"
SHM = "/dev/shm"  # noqa: S108 - of the container
SHARED_MEMORY = 64 << 20
"""Bytes in /dev/shm that a container has by default."""


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine at a path of the container."""

    source: Path
    target: str
    read_only: bool = True


@dataclass(frozen=True)
class Container:
    """What a container engine is told of a container; `pieces` are the parts of its image, read-only."""

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[Mount, ...] = ()
    mounts: tuple[Mount, ...] = ()
    tmpfs: tuple[str, ...] = ()
    user: tuple[int, int] = (0, 0)
    workdir: str = "/"
    read_only: bool = True
    shared_memory: int = SHARED_MEMORY


def bubblewrap(program: Path, container: Container, hosts: Path) -> list[str]:
    """The command line. The container's first process is 1 in it, and nobody else is there; it has no capability."""
    user, group = container.user
    words = ["--unshare-user", "--uid", str(user), "--gid", str(group)]
    words += ["--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--cap-drop", "ALL"]
    words += _system(hosts)
    words += ["--size", str(container.shared_memory), "--perms", "1777", "--tmpfs", SHM]
    for path in container.tmpfs:
        words += ["--perms", "1777", "--tmpfs", path]
    for mount in sorted((*container.pieces, *container.mounts), key=lambda one: one.target.count("/")):
        words += ["--ro-bind" if mount.read_only else "--bind", str(mount.source), mount.target]
    words += ["--remount-ro", "/"] if container.read_only else []
    words += ["--chdir", container.workdir, "--clearenv"]
    for name, value in container.environment.items():
        words += ["--setenv", name, value]
    return [str(program), *words, *container.command]


def python_pieces() -> tuple[Mount, ...]:
    """Our interpreter and our package. What is below /usr is there already."""
    folders = {path.resolve() for path in PYTHON if not path.is_relative_to("/usr")}
    return tuple(Mount(path, str(path)) for path in sorted(folders))


def _system(hosts: Path) -> Iterator[str]:
    """/usr without its data, /etc with what a network needs, /proc and /dev."""
    for folder in sorted(Path("/usr").iterdir()):
        if folder.name != "share" and folder.is_dir() and not folder.is_symlink():
            yield from ("--ro-bind", str(folder), str(folder))
    for name in DATA:
        yield from ("--ro-bind-try", name, name)
    for name in SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", str(path.readlink()), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    for name in ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    for name, text in (("passwd", PEOPLE), ("nsswitch.conf", "hosts: files\n")):
        file = hosts.with_name(name)
        file.write_text(text)
        yield from ("--ro-bind", str(file), f"/etc/{name}")
    yield from ("--ro-bind", str(hosts), "/etc/hosts", "--proc", "/proc", "--dev", "/dev")
