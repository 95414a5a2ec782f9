"""The `discovery` section of `triton-watch.yaml`: where targets are found."""

# Annotations are read at run time by pydantic, so this module has no `from __future__ import annotations`.

from pydantic import ConfigDict, Field

from triton_watch.config import discovery_fields as d
from triton_watch.config import fields as f
from triton_watch.config.sections import Section, setting
from triton_watch.config.server_sections import ServerSection

_SETTINGS = (
    "Settings of each target that is found: all that a target may have but `name`, `url`, `host`, `grpc` and "
    "`metrics_url`. `defaults` hold where there is none."
)


class FoundSection(ServerSection):
    """Settings of targets that are found."""


class DnsSection(Section):
    """Targets behind a DNS name."""

    name: d.DnsName = Field(
        description="The name to look up. With a dot at its end it is whole; else the search domains of "
        "/etc/resolv.conf are tried, too.",
        examples=["triton-pods.triton.svc.cluster.local."],
    )
    type: d.RecordName | None = setting(
        "`A`: each address is a server; where the name has no IPv4 address, its IPv6 addresses are. `AAAA`: its "
        "IPv6 addresses. `SRV`: each record names a server and its HTTP port.",
        default="A",
        example="SRV",
    )
    port: d.Port | None = setting("Triton's HTTP port, where `type` is not SRV.", default=8000, example=8000)
    grpc_port: d.Port | None = setting("Triton's gRPC port. Without it: the port after that of HTTP.", example=8001)
    metrics_port: d.Port | None = setting("Triton's metrics port. Without it: two after that of HTTP.", example=8002)
    scheme: d.Scheme | None = setting(
        "`https`: HTTP, gRPC and metrics are in TLS. A certificate must then be for the address that was found.",
        default="http",
    )
    server: d.DnsServer | None = setting(
        "IP address of the DNS server to ask, and its port where that is not 53, in place of those of "
        "/etc/resolv.conf; the name is then taken for whole.",
        example="127.0.0.1:8600",
    )
    interval: f.Interval | None = setting("Time from one look-up to the next, from 1s to 1d.", default="30s")
    settings: FoundSection | None = setting(_SETTINGS)


class FilesSection(Section):
    """Targets in files."""

    paths: d.Patterns = Field(
        description="Files in the format of Prometheus's file_sd, ending in .yaml, .yml or .json. The last part of a "
        "path may have `*`, `?` and `[...]`. They are read again when they change.",
        examples=["/etc/triton-watch/targets/*.yaml"],
    )
    settings: FoundSection | None = setting(_SETTINGS)


class DiscoverySection(Section):
    """Where targets are found, beside `targets` or in place of it: see [fleets](fleet.md)."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})
    dns: list[DnsSection] | None = setting("Names that are looked up by DNS again and again.")
    files: list[FilesSection] | None = setting("Files that list targets.")
