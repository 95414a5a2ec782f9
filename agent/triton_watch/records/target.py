"""What to watch and how to reach it: one `Target` per Triton server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines of one HTTP request, in seconds. `total` bounds everything, headers and body included."""

    connect: float = 1.0
    read: float = 2.0
    total: float = 3.0


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How to speak TLS to a target: PEM files; `insecure_skip_verify` accepts any certificate."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """Secrets sent with each request to a target. Never printed: `repr` leaves the values out."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    bearer_token: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    restricted_header: tuple[str, str] | None = field(default=None, repr=False)
    """The header that opens Triton's restricted HTTP APIs (`--http-restricted-api=…:KEY=VALUE`)."""


@dataclass(frozen=True, slots=True)
class Target:
    """One Triton server.

    `http_url` and `metrics_url` are absolute; `http_url` has no slash at its end; `grpc_address` is
    `host:port`, spoken to in TLS where `grpc_tls` says so. `interval` is in seconds, `body_limit` in bytes.
    `gpus` gives the UUID of each GPU in the order of the server's GPU indices, where somebody told it: the
    server itself does not.
    """

    name: str
    http_url: str
    metrics_url: str
    grpc_address: str
    interval: float = 15.0
    timeouts: Timeouts = Timeouts()
    body_limit: int = 50_000_000
    credentials: Credentials = Credentials()
    tls: TlsSettings = TlsSettings()
    model_repositories: tuple[Path, ...] = ()
    expected_models: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    grpc_tls: bool = False
