"""Where targets are looked for, and how that fares."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from triton_watch.records.target import Target

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = Target(name="", http_url="", metrics_url="", grpc_address="")


class RecordType(str, Enum):
    """Which records of the DNS name servers. `A`: where there are none, the AAAA records of the name."""

    A = "A"
    AAAA = "AAAA"
    SRV = "SRV"


@dataclass(frozen=True, slots=True)
class DnsSource:
    """Targets by DNS. `template` is a target without a name and addresses; `port` is that of HTTP, of A and AAAA.

    Without `grpc_port` and `metrics_port` they are the two after it. `server` (IP address and port) is asked in
    place of the machine's own servers. `interval` is in seconds.
    """

    name: str
    record: RecordType = RecordType.A
    port: int = 8000
    grpc_port: int | None = None
    metrics_port: int | None = None
    tls: bool = False
    server: tuple[str, int] | None = None
    interval: float = 30.0
    template: Target = NOWHERE

    @property
    def label(self) -> str:
        """What the source is called in metrics and the log."""
        port = "" if self.record is RecordType.SRV else f":{self.port}"
        return f"dns:{self.record.value}:{self.name}{port}"


@dataclass(frozen=True, slots=True)
class FileSource:
    """Targets by the files whose names match the last part of `pattern`; `template` as for `DnsSource`."""

    pattern: Path
    template: Target = NOWHERE

    @property
    def label(self) -> str:
        """What the source is called in metrics and the log."""
        return f"file:{self.pattern}"


@dataclass(frozen=True, slots=True)
class DiscoverySettings:
    """The sources of targets beside those that are configured one by one; those first count first."""

    dns: tuple[DnsSource, ...] = ()
    files: tuple[FileSource, ...] = ()

    def __len__(self) -> int:
        """How many there are."""
        return len(self.dns) + len(self.files)


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source fares. `last_success` is Unix seconds, None = never; `problem` is a sentence, "" = none.

    `targets` are its own, those that another source has, too, among them.
    """

    label: str
    targets: int = 0
    last_success: float | None = None
    failures: int = 0
    problem: str = field(default="")
