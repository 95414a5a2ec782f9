"""What rules see of a deployment manifest: containers that run Triton, with a place for each fact."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from triton_watch.check.rule import Hit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from triton_watch.check.manifest.command import CommandLine
    from triton_watch.check.manifest.image import Image
    from triton_watch.check.options import Release
    from triton_watch.check.pbtxt import Span
    from triton_watch.check.summary import ModelSummary

HTTP_PORT, GRPC_PORT, METRICS_PORT = 8000, 8001, 8002
"""Where tritonserver listens when nothing else is said."""


class Platform(str, Enum):
    """Who runs the container."""

    KUBERNETES = "Kubernetes"
    COMPOSE = "Compose"


class ProbeWay(str, Enum):
    """How a probe asks."""

    HTTP = "httpGet"
    TCP = "tcpSocket"
    GRPC = "grpc"
    EXEC = "exec"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Value:
    """A text or number of the manifest, and where it stands. `number` is None for what is none."""

    text: str
    span: Span
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe of Kubernetes, or the health check of Compose (`way` EXEC).

    `port` is a number or the name of a port, `command` what is executed. Seconds are as written, None where
    the default counts. `off` is a health check that is switched off.
    """

    name: str
    span: Span
    way: ProbeWay
    path: Value | None = None
    port: Value | None = None
    command: Value | None = None
    initial_delay: Value | None = None
    period: Value | None = None
    timeout: Value | None = None
    failures: Value | None = None
    headers: tuple[str, ...] = ()
    off: bool = False

    @property
    def patience(self) -> float:
        """Seconds until this probe gives up on a container that never answers."""
        initial = 0.0 if self.initial_delay is None else self.initial_delay.number or 0.0
        return initial + _number(self.period, 10) * _number(self.failures, 3)

    @property
    def asked(self) -> str:
        """The path that is asked for, also by a command such as `curl -f http://localhost:8000/v2/health/live`."""
        where = self.path if self.way is ProbeWay.HTTP else self.command
        return "" if where is None else where.text


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the container; `published` is what it is called outside of it."""

    number: int | None
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Mount:
    """A directory that is mounted. `memory` says that it is one in memory, `size` its limit in bytes."""

    path: str
    span: Span
    source: str = ""
    memory: bool = False
    size: Value | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """One container that runs Triton. `managed`: KServe writes its command and probes."""

    name: str
    kind: str
    platform: Platform
    span: Span
    image: Image | None = None
    server: CommandLine | None = None
    """None when it is not known how tritonserver is started: by the image, or by a script in it."""
    command: Span | None = None
    own_entry: bool = False
    """Whether the first word of its command is what is executed, whatever the image's entry point."""
    starts_with: str = ""
    """The first word of its command; empty when the image says what runs."""
    ports: tuple[Port, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    liveness: Probe | None = None
    readiness: Probe | None = None
    startup: Probe | None = None
    """Compose's one health check is the readiness probe."""
    mounts: tuple[Mount, ...] = ()
    gpus: Value | None = None
    memory_limit: Value | None = None
    shm_size: Value | None = None
    ipc_host: bool = False
    grace: Value | None = None
    """Seconds (Kubernetes) between SIGTERM and SIGKILL."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    managed: bool = False
    not_texts: tuple[tuple[str, Value], ...] = ()
    """Numbers and truth values where Kubernetes takes texts alone, each with the name of its field."""

    @property
    def release(self) -> Release | None:
        """The release of Triton in its image, where the tag says it."""
        return None if self.image is None else self.image.release

    @property
    def probes(self) -> tuple[Probe, ...]:
        """The probes that there are."""
        return tuple(probe for probe in (self.liveness, self.readiness, self.startup) if probe is not None)

    @property
    def serves(self) -> bool:
        """Whether it is meant to go on serving: a job ends."""
        return self.kind not in {"Job", "CronJob"}

    def port(self, flag: str, default: int) -> int | None:
        """Return the port that tritonserver listens on, None when nobody can know."""
        return default if self.server is None else self.server.port(flag, default)

    def number_of(self, port: Value | None) -> int | None:
        """Return a probe's port as a number, following the names of the container's ports."""
        if port is None:
            return None
        if port.number is not None:
            return int(port.number)
        return next((one.number for one in self.ports if one.name == port.text), None)


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a file could not be read to its end. `refused`: nobody else can read it either."""

    message: str
    fix: str
    span: Span
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """One file. `models` are those of the repositories that are checked in the same run; it may be empty.

    `service_ports` are ports of the Service objects in the file, numbers and names of what they lead to.
    `scraped` says that something in the file tells Prometheus to scrape: a monitor, an annotation, a server.
    """

    path: Path
    text: str
    containers: tuple[Container, ...] = ()
    broken: Broken | None = None
    service_ports: frozenset[str] = frozenset()
    scraped: bool = False
    lost_ports: tuple[Value, ...] = ()
    """Names of ports that a ServiceMonitor scrapes, and that no Service it selects in the file has."""
    models: Mapping[str, ModelSummary] = field(default_factory=dict)

    def hit(self, container: Container, message: str, span: Span | None = None, **more: Any) -> Hit:  # noqa: ANN401
        """Make a hit about a container, at one of its facts or at its name."""
        where = container.span if span is None else span
        return Hit(f"container '{container.name}' {message}", file=self.path, span=where, text=self.text, **more)


def _number(value: Value | None, default: float) -> float:
    return default if value is None or value.number is None else value.number
