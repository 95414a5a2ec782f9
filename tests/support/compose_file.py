"""deploy/compose as Docker Compose reads it: variables filled in, tags and merges resolved.

services(environment={"BIND_ADDRESS": "0.0.0.0"})["triton"]["ports"]
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "deploy" / "compose"
FILE: Final = FOLDER / "compose.yaml"
CPU_FILE: Final = FOLDER / "compose.cpu.yaml"
EXAMPLE: Final = FOLDER / ".env.example"
AGENT_FILE: Final = FOLDER / "triton-watch" / "triton-watch.yaml"
PROMETHEUS_FILE: Final = ROOT / "deploy" / "prometheus" / "prometheus.yaml"
ALERTMANAGER_FILE: Final = ROOT / "deploy" / "alertmanager" / "alertmanager.yaml"
PASSWORD: Final = {"GRAFANA_ADMIN_PASSWORD": "of-a-test"}
"""The one variable that has no default."""
COMPOSES_OWN: Final = frozenset({"COMPOSE_FILE"})
"""Variables that Docker Compose itself reads."""
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?:(?P<how>:-|:\?)(?P<more>[^}]*))?\}")
_EXAMPLE = re.compile(r"^(?:# )?([A-Z_]+)=(.*)$", re.MULTILINE)


class Mount(NamedTuple):
    """What a service sees at `target`: a path of this machine, or a volume (`source` is its name alone)."""

    source: str
    target: str
    read_only: bool

    @property
    def path(self) -> Path | None:
        """The file or folder; None of a volume."""
        return (FOLDER / self.source).resolve() if self.source.startswith((".", "/")) else None


class Port(NamedTuple):
    """A port that is open on the host: its address there, and the container's port."""

    address: str
    published: int
    target: int


class _Loader(yaml.SafeLoader):
    """YAML with the tag of Docker Compose that takes a setting away."""


_Loader.add_constructor("!reset", lambda _loader, _node: {})


def load(file: Path = FILE, environment: Mapping[str, str] = PASSWORD) -> dict[str, Any]:
    """A Compose file with its variables filled in; a mapping that is reset is empty."""
    document: dict[str, Any] = _filled(_parsed(file), environment)
    return document


def services(environment: Mapping[str, str] = PASSWORD) -> dict[str, dict[str, Any]]:
    """The services of compose.yaml."""
    found: dict[str, dict[str, Any]] = load(environment={**PASSWORD, **environment})["services"]
    return found


def variables(file: Path = FILE) -> dict[str, str]:
    """Each variable that the file asks for, with its default ("" where it has none)."""
    found = (match for text in _texts(_parsed(file)) for match in _VARIABLE.finditer(text))
    return {one["name"]: one["more"] if one["how"] == ":-" else "" for one in found}


def example() -> dict[str, str]:
    """The variables of .env.example with their values, those that are commented out, too."""
    return dict(_EXAMPLE.findall(EXAMPLE.read_text()))


def mounts(service: Mapping[str, Any]) -> list[Mount]:
    """Files, folders and volumes of a service."""
    return [_mount(one) for one in service.get("volumes", [])]


def ports(service: Mapping[str, Any]) -> list[Port]:
    """Ports of a service on the host."""
    split = [str(one).rsplit(":", 2) for one in service.get("ports", [])]
    return [Port(address, int(published), int(target)) for address, published, target in split]


def in_container(service: Mapping[str, Any], path: str) -> Path:
    """The file of this machine that a service sees at `path`. Raises `LookupError` where nothing is mounted."""
    fitting = [one for one in mounts(service) if one.path and f"{path}/".startswith(f"{one.target}/")]
    if not fitting:
        raise LookupError(f"nothing of this machine is mounted at {path}")
    nearest = max(fitting, key=lambda one: len(one.target))
    assert nearest.path is not None
    return nearest.path / path.removeprefix(nearest.target).lstrip("/") if path != nearest.target else nearest.path


def flag(service: Mapping[str, Any], name: str) -> str:
    """The value of a flag of a service's command."""
    words: list[str] = service["command"]
    return next(word.partition("=")[2] for word in words if word.startswith(f"{name}="))


def _parsed(file: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.load(file.read_text(), Loader=_Loader)  # noqa: S506 - a SafeLoader with one more tag
    return parsed


def _mount(one: str | Mapping[str, Any]) -> Mount:
    if isinstance(one, str):
        source, target, *options = one.split(":")
        return Mount(source, target, options == ["ro"])
    return Mount(one["source"], one["target"], one.get("read_only", False))


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, environment) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, environment) for one in value]
    return _VARIABLE.sub(lambda match: _value(match, environment), value) if isinstance(value, str) else value


def _value(match: re.Match[str], environment: Mapping[str, str]) -> str:
    value = environment.get(match["name"], "")
    if not value and match["how"] == ":?":
        raise LookupError(f"{match['name']}: {match['more']}")
    return value or match["more"] or ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value
