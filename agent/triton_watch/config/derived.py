"""The addresses of a server that were not given, derived from the one that was.

Triton serves HTTP on 8000, gRPC on 8001 and metrics on 8002, and people who move them keep the distance:
a server whose HTTP port is P is looked for at P+1 (gRPC) and P+2 (metrics) unless told otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from triton_watch.config.addresses import GRPC_TLS, TRITON_HTTP_PORT, bracketed
from triton_watch.config.errors import ParseError


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a server is. The URLs are absolute, without a slash at the end; `grpc` is `host:port`."""

    http_url: str
    metrics_url: str
    grpc: str
    grpc_tls: bool
    host_port: str
    """Of `http_url`; the target's name when it has none."""


def derive(url: str, metrics: str | None, grpc: str | None) -> Addresses:
    """Fill in the metrics URL and the gRPC address from a URL that `http_url` has checked.

    `grpc` is as `grpc_address` gives it. Where it is not given, TLS is as that of the URL: credentials that
    are sent encrypted to one port must not go in the clear to the next.

    Raises:
        ParseError: the port is too high for P+1 or P+2 to exist and they were not given.

    """
    parts = urlsplit(url)
    port = parts.port or TRITON_HTTP_PORT
    if port + 2 > 65535 and (metrics is None or grpc is None):
        raise ParseError(f"the ports after {port} cannot be those of gRPC and metrics: set grpc and metrics_url.")
    name = bracketed(parts.hostname or "")
    return Addresses(
        http_url=url,
        metrics_url=metrics or f"{parts.scheme}://{name}:{port + 2}/metrics",
        grpc=f"{name}:{port + 1}" if grpc is None else grpc.removeprefix(GRPC_TLS),
        grpc_tls=parts.scheme == "https" if grpc is None else grpc.startswith(GRPC_TLS),
        host_port=f"{name}:{parts.port or 443}",
    )
