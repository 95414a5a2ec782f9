"""Targets made of what was found: an address, and the settings that its source gives them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from triton_watch.config.addresses import bracketed, grpc_text, http_url
from triton_watch.config.derived import derive
from triton_watch.config.errors import ParseError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from triton_watch.records import DnsSource, Target


def target_at(
    template: Target, url: str, *, name: str = "", grpc: str | None = None, metrics: str | None = None
) -> Target:
    """Make the target at a URL that `http_url` has checked; without a name it is called by host, port and path.

    Raises `ParseError` where the ports after that of the URL do not exist.
    """
    found = derive(url, metrics, grpc)
    return replace(
        template,
        name=name or found.host_port + urlsplit(url).path,
        http_url=found.http_url,
        metrics_url=found.metrics_url,
        grpc_address=found.grpc,
        grpc_tls=found.grpc_tls,
    )


def targets_of(source: DnsSource, hosts: Iterable[tuple[str, int]]) -> tuple[list[Target], list[str]]:
    """Make the targets behind a DNS name; and say of each address that cannot be one, why."""
    targets, refused = [], []
    for host, port in hosts:
        try:
            targets.append(_target(source, host, port))
        except ParseError as error:  # noqa: PERF203 - the others can be
            refused.append(f"{bracketed(host)}:{port} cannot be watched: {error}")
    return targets, refused


def _target(source: DnsSource, host: str, port: int) -> Target:
    scheme, name = "https" if source.tls else "http", bracketed(host)
    grpc, metrics = source.grpc_port, source.metrics_port
    return target_at(
        source.template,
        http_url(f"{scheme}://{name}:{port}"),
        grpc=None if grpc is None else grpc_text(f"{name}:{grpc}", tls=source.tls),
        metrics=None if metrics is None else f"{scheme}://{name}:{metrics}/metrics",
    )
