"""The whole configuration, validated: what the daemon is built from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from triton_watch.records.alert import AlertSettings
from triton_watch.records.canary import CanarySettings
from triton_watch.records.discovery import DiscoverySettings
from triton_watch.records.objective import SloSettings

if TYPE_CHECKING:
    from pathlib import Path

    from triton_watch.records.target import Target


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the agent listens. `config_file` is the web configuration file, `tls` whether it asks for TLS."""

    host: str = "127.0.0.1"
    port: int = 8003
    config_file: Path | None = None
    tls: bool = False


@dataclass(frozen=True, slots=True)
class LogSettings:
    """`level` is debug, info, warning or error; `format` is text or json."""

    level: str = "info"
    format: str = "text"


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """The `check` section: what is not said is None. Sizes in bytes, times in seconds, a release as `24.10`."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str | None = None
    profile: str | None = None
    triton_version: str | None = None
    gpus: int | None = None
    gpu_memory: int | None = None
    latency_objective: float | None = None
    response_cache: bool | None = None
    rate_limit: bool | None = None
    baseline: Path | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """One validated configuration. `poll_threads` bounds the threads that poll targets.

    `targets` are those that are configured one by one, `discovery` says where others are found; one may be empty.
    """

    targets: tuple[Target, ...]
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()
    check: CheckSettings | None = None
    slo: SloSettings = field(default_factory=SloSettings)
    canary: CanarySettings = field(default_factory=CanarySettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    discovery: DiscoverySettings = field(default_factory=DiscoverySettings)
    poll_threads: int = 64
