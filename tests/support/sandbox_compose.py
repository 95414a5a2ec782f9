"""Reads a Compose file as far as ours go, and refuses what it does not know: nothing in the file is left out unseen.

It is no Compose: it is what a test needs to start the same programs with the same files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from support.sandbox_root import SHARED_MEMORY, Mount

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NO_PART_HERE: Final = {
    "restart": "nothing is started again",
    "cap_drop": "the sandbox gives no capability to anybody",
    "security_opt": "nor new privileges",
    "logging": "each program's output is one file",
    "build": "there is no image: sandbox_images.py says which program stands in",
    "ulimits": "the limits of this machine hold",
    "deploy": "limits of memory and GPUs need cgroups",
    "stop_grace_period": "the test waits no longer than its own bound",
}
"""Settings of a service that the sandbox leaves out, and why."""
TAKEN: Final = {
    "image", "command", "user", "environment", "volumes", "tmpfs", "read_only", "shm_size", "ports", "healthcheck",
    "network_mode", "depends_on",
}  # fmt: skip
"""And those that it follows."""
VARIABLE: Final = re.compile(r"\$(?:\$|\{(\w+)(?::([-?])([^}]*))?\})")
UNITS: Final = {"b": 0, "kb": 10, "mb": 20, "gb": 30, "k": 10, "m": 20, "g": 30}


class ComposeError(Exception):
    """The file asks for something that the sandbox does not know. One sentence."""


@dataclass(frozen=True)
class Service:
    """A service, its variables replaced."""

    name: str
    image: str
    command: tuple[str, ...] | None
    environment: Mapping[str, str]
    mounts: tuple[Mount, ...]
    tmpfs: tuple[str, ...]
    user: tuple[int, int] | None
    read_only: bool
    shared_memory: int
    ports: tuple[tuple[str, int, int], ...]
    """Address and port on the machine, and port in the container."""
    health: tuple[str, ...]
    """The command that says whether it is healthy."""
    network: str
    """Whose network it has: its own name, or another service's."""


def read(file: Path, variables: Mapping[str, str], volumes: Path) -> dict[str, Service]:
    """The services of a Compose file. Named volumes become folders in `volumes`."""
    document = replaced(yaml.safe_load(file.read_text(encoding="utf-8")), variables)
    unknown = set(document) - {"name", "services", "volumes"} - {key for key in document if key.startswith("x-")}
    if unknown:
        raise ComposeError(f"{file}: the sandbox does not know {', '.join(sorted(unknown))}")
    return {name: _service(name, found, document, file, volumes) for name, found in document["services"].items()}


def variables_of(file: Path) -> dict[str, str]:
    """The variables of a .env file."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def replaced(value: Any, variables: Mapping[str, str]) -> Any:
    """The value with its variables replaced, as Compose does: ${A}, ${A:-default}, ${A:?what is wrong}, $$."""
    if isinstance(value, dict):
        return {key: replaced(one, variables) for key, one in value.items()}
    if isinstance(value, list):
        return [replaced(one, variables) for one in value]
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: _variable(found, variables), value)
    return value


def _variable(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, kind, text = found.groups()
    if name is None:
        return "$"
    value = variables.get(name, "")
    if kind == "?" and not value:
        raise ComposeError(f"{name}: {text}")
    return value or (text if kind == "-" else "")


def _service(name: str, found: Mapping[str, Any], document: Mapping[str, Any], file: Path, volumes: Path) -> Service:
    unknown = set(found) - TAKEN - set(NO_PART_HERE)
    if unknown:
        raise ComposeError(f"{file}: service {name}: the sandbox does not know {', '.join(sorted(unknown))}")
    command = found.get("command")
    if isinstance(command, str):
        raise ComposeError(f"{file}: service {name}: the command is no list")
    mode = found.get("network_mode", "")
    user, _, group = str(found.get("user", "")).partition(":")
    named = document.get("volumes") or {}
    return Service(
        name=name,
        image=found["image"],
        command=None if command is None else tuple(str(word) for word in command),
        environment={key: str(value) for key, value in (found.get("environment") or {}).items()},
        mounts=tuple(_mount(name, one, named, file, volumes) for one in found.get("volumes", ())),
        tmpfs=tuple(str(one).partition(":")[0] for one in found.get("tmpfs", ())),
        user=(int(user), int(group or user)) if user else None,
        read_only=bool(found.get("read_only", False)),
        shared_memory=_bytes(str(found["shm_size"])) if "shm_size" in found else SHARED_MEMORY,
        ports=tuple(_port(str(one)) for one in found.get("ports", ())),
        health=tuple(str(word) for word in found.get("healthcheck", {}).get("test", ("CMD",))[1:]),
        network=mode.removeprefix("service:") if mode else name,
    )


def _mount(service: str, one: Any, named: Mapping[str, Any], file: Path, volumes: Path) -> Mount:
    """A folder of the machine, which must be there, or a named volume."""
    if isinstance(one, dict):
        source, target, read_only = one["source"], one["target"], bool(one.get("read_only", False))
    else:
        source, target, *options = one.split(":")
        read_only = options == ["ro"]
    if source in named:
        volume = volumes / source
        volume.mkdir(parents=True, exist_ok=True)
        return Mount(volume, target, read_only)
    path = (file.parent / source).resolve()
    if not path.exists():
        raise ComposeError(f"{file}: service {service}: there is no {path} to mount")
    return Mount(path, target, read_only)


def _port(text: str) -> tuple[str, int, int]:
    address, outside, inside = text.rsplit(":", 2)
    return address, int(outside), int(inside)


def _bytes(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([a-z]*)", text.lower()).groups()  # type: ignore[union-attr] # or the file is wrong
    return int(number) << UNITS[unit or "b"]
