"""The `discovery` section of `config show`, and the settings that found targets share with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from triton_watch.config import units
from triton_watch.config.addresses import bracketed
from triton_watch.config.show_access import credentials_settings, tls_settings
from triton_watch.records import RecordType

if TYPE_CHECKING:
    from triton_watch.records import DiscoverySettings, DnsSource, FileSource, Target


def discovery_section(discovery: DiscoverySettings) -> dict[str, Any]:
    """Give the section under its name; nothing where nothing is looked for."""
    section = {"dns": [_dns(one) for one in discovery.dns], "files": [_file(one) for one in discovery.files]}
    return {"discovery": {name: sources for name, sources in section.items() if sources}} if discovery else {}


def server_settings(target: Target) -> dict[str, Any]:
    """Give what a target has beside its name and addresses."""
    optional = {
        **credentials_settings(target.credentials),
        "tls": tls_settings(target.tls),
        "model_repository": [str(path) for path in target.model_repositories],
        "expected_models": list(target.expected_models),
        "gpus": list(target.gpus),
    }
    return {
        "interval": units.format_duration(target.interval),
        "timeouts": {
            "connect": units.format_duration(target.timeouts.connect),
            "read": units.format_duration(target.timeouts.read),
            "total": units.format_duration(target.timeouts.total),
        },
        "body_limit": units.format_size(target.body_limit),
        **{key: value for key, value in optional.items() if value},
    }


def _dns(source: DnsSource) -> dict[str, Any]:
    server = None if source.server is None else f"{bracketed(source.server[0])}:{source.server[1]}"
    optional = {
        "port": None if source.record is RecordType.SRV else source.port,
        "grpc_port": source.grpc_port,
        "metrics_port": source.metrics_port,
        "scheme": "https" if source.tls else "http",
        "server": server,
    }
    return {
        "name": source.name,
        "type": source.record.value,
        **{key: value for key, value in optional.items() if value is not None},
        "interval": units.format_duration(source.interval),
        "settings": server_settings(source.template),
    }


def _file(source: FileSource) -> dict[str, Any]:
    return {"paths": [str(source.pattern)], "settings": server_settings(source.template)}
