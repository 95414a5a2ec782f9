"""Which program of this machine stands in for an image, and what the image sets for it.

The versions differ from those that the images are pinned to. What an older program here would not know is listed
in `OLDER`; the rest of a service's command and files is used as it stands.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.alertmanager_server import runnable
from support.debian import tool
from support.sandbox_root import CHECKOUT, Container, Mount, python_pieces
from triton_watch.demo.wheel import find_server_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.sandbox_compose import Service

LEFT_OUT: Final = {"grafana/grafana": "no package of Debian has it; tests/unit/generate checks its boards"}
"""Images that nothing stands in for, and why."""
OLDER: Final[Mapping[str, str]] = {}
"""Words of a command that Debian's older program does not know -> why they can be left out here. There are none."""
DOCKERFILE: Final = CHECKOUT / "deploy" / "Dockerfile"
SERVER: Final = "/opt/tritonserver"
"""Where NVIDIA's image has the server."""
USUAL_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Image:
    """The parts of an image, and what its authors set."""

    entry: tuple[str, ...]
    command: tuple[str, ...]
    workdir: str
    pieces: tuple[Mount, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: tuple[int, int] = (0, 0)


def container(service: Service, folder: Path) -> Container | None:
    """The service as a container, with files of its image in `folder`; None for an image that is left out."""
    name = service.image.rpartition(":")[0]
    if name in LEFT_OUT:
        return None
    image = IMAGES[name](folder)
    words = image.command if service.command is None else service.command
    return Container(
        command=(*image.entry, *(word for word in words if word not in OLDER)),
        environment={"PATH": USUAL_PATH, **image.environment, **service.environment},
        pieces=image.pieces,
        mounts=service.mounts,
        tmpfs=service.tmpfs,
        user=service.user or image.user,
        workdir=image.workdir,
        read_only=service.read_only,
        shared_memory=service.shared_memory,
    )


def tritonserver(folder: Path) -> Image:
    """The wheel's server where the image has it, with backends that suit our Python."""
    files = find_server_files()
    backends = folder / "backends"
    shutil.copytree(files.backends, backends, ignore=shutil.ignore_patterns("__pycache__"))
    stub = backends / "python" / files.stub.name
    shutil.copyfile(files.stub, stub)
    stub.chmod(0o755)
    parts = {"bin": files.executable.parent, "backends": backends, "caches": files.caches}
    libraries = [Mount(path, str(path)) for path in files.library_dirs if not path.is_relative_to("/usr")]
    return Image(
        entry=(),  # a script that greets and starts the command
        command=(),
        workdir=SERVER,
        pieces=(
            *(Mount(path, f"{SERVER}/{name}") for name, path in parts.items()),
            *python_pieces(),
            *libraries,
        ),
        environment={
            "PATH": f"{Path(sys.prefix, 'bin')}:{SERVER}/bin:{USUAL_PATH}",
            "LD_LIBRARY_PATH": ":".join(str(path) for path in files.library_dirs),
            "OMP_NUM_THREADS": "1",
        },
    )


def prometheus(_: Path) -> Image:
    return Image(
        entry=("/image/prometheus",),
        command=("--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"),
        workdir="/prometheus",
        pieces=(Mount(_program("prometheus"), "/image/prometheus"),),
        user=(65534, 65534),
    )


def alertmanager(_: Path) -> Image:
    """Debian's reads its templates from a folder of its own, which the image's has inside the program."""
    program, templates = runnable(_program("prometheus-alertmanager"))
    return Image(
        entry=("/image/alertmanager",),
        command=("--config.file=/etc/alertmanager/alertmanager.yml", "--storage.path=/alertmanager"),
        workdir="/image/templates",
        pieces=(Mount(program, "/image/alertmanager"), Mount(templates, "/image/templates")),
        user=(65534, 65534),
    )


def triton_watch(_: Path) -> Image:
    """Our own program, started as deploy/Dockerfile says."""
    said = read_dockerfile(DOCKERFILE)
    entry, *more = said.entry
    return Image(
        entry=(str(Path(sys.prefix, "bin", Path(entry).name)), *more),
        command=said.command,
        workdir=said.workdir,
        pieces=python_pieces(),
        environment={name: value for name, value in said.environment.items() if name != "PATH"},
        user=said.user,
    )


IMAGES: Final[Mapping[str, Callable[[Path], Image]]] = {
    "nvcr.io/nvidia/tritonserver": tritonserver,
    "prom/prometheus": prometheus,
    "prom/alertmanager": alertmanager,
    "triton-watch": triton_watch,
}


def read_dockerfile(file: Path) -> Image:
    """What the last stage of a Dockerfile sets: ENV, WORKDIR, USER, ENTRYPOINT and CMD, the latter two as lists."""
    text = re.sub(r"^#.*\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    last = re.split(r"^FROM ", text, flags=re.MULTILINE)[-1]
    said = {key: value.strip() for key, value in re.findall(r"^([A-Z]+) (.*)$", last, re.MULTILINE) if key != "ENV"}
    environment = {
        name: value.strip('"')
        for line in re.findall(r"^ENV (.*)$", last, re.MULTILINE)
        for name, value in re.findall(r'(\w+)=("[^"]*"|\S+)', line)
    }
    user, _, group = said["USER"].partition(":")
    return Image(
        entry=tuple(json.loads(said["ENTRYPOINT"])),
        command=tuple(json.loads(said["CMD"])),
        workdir=said["WORKDIR"],
        pieces=(),
        environment=environment,
        user=(int(user), int(group or user)),
    )


def _program(name: str) -> Path:
    found = tool(name)
    assert found is not None, f"{name} is missing: `make debian` gets it"
    return found.resolve()
