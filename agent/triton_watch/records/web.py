"""What a web configuration file says: who may read the agent's pages, and how they are served."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ClientAuth(Enum):
    """Whether clients show a certificate; the values are Prometheus's words."""

    NONE = "NoClientCert"
    IF_GIVEN = "VerifyClientCertIfGiven"
    REQUIRED = "RequireAndVerifyClientCert"


@dataclass(frozen=True, slots=True)
class Pem:
    """Certificates or a key: in a file, which is read anew whenever it changes, or as text."""

    file: Path | None = None
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ServerTls:
    """How TLS is spoken. `ciphers` are OpenSSL's names for TLS 1.2, "" = its own choice; `curve` likewise.

    Versions are `TLS12` or `TLS13`, `max_version` "" = the newest. `allowed_sans`: a client's certificate has
    at least one of these names; empty = any that the CA signed.
    """

    certificate: Pem
    key: Pem
    client_auth: ClientAuth = ClientAuth.NONE
    client_ca: Pem | None = None
    allowed_sans: tuple[str, ...] = ()
    ciphers: str = ""
    server_preference: bool = True
    min_version: str = "TLS12"
    max_version: str = ""
    curve: str = ""


@dataclass(frozen=True, slots=True)
class WebAccess:
    """One web configuration file. `users` are names and bcrypt hashes; `warnings` are sentences for the log."""

    source: Path
    tls: ServerTls | None = None
    headers: tuple[tuple[str, str], ...] = ()
    users: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = ()
