"""TCP ports of this machine: picking free ones, and saying which one is taken."""

from __future__ import annotations

import random
import socket
from pathlib import Path
from typing import NamedTuple

from triton_watch.demo.errors import EmbeddedTritonError

LOOPBACK = "127.0.0.1"
FIRST_PORT = 10_000
ATTEMPTS = 200
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


class Ports(NamedTuple):
    """Where a tritonserver listens."""

    http: int
    grpc: int
    metrics: int


def choose_ports(http: int, grpc: int, metrics: int) -> Ports:
    """The given ports, each 0 replaced by a free one."""
    chosen: list[int] = []
    for port in (http, grpc, metrics):
        chosen.append(port or pick_free({http, grpc, metrics, *chosen}))
    return Ports(*chosen)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return False
    return True


def pick_free(taken: set[int]) -> int:
    """A free port that is not in `taken` and that no outgoing connection of this machine will be given.

    tritonserver opens its ports seconds after they were picked, when all models are loaded: a port of
    the range for outgoing connections could be gone by then.
    """
    rng = random.SystemRandom()
    last = max(_first_outgoing_port() - 1, FIRST_PORT + 1000)
    for _ in range(ATTEMPTS):
        port = rng.randint(FIRST_PORT, last)
        if port not in taken and is_free(port):
            return port
    raise EmbeddedTritonError(f"no free TCP port between {FIRST_PORT} and {last}: end what listens there")


def require_free(port: int, purpose: str) -> None:
    """Raise `EmbeddedTritonError` that names the port and what it was wanted for, unless it is free."""
    if not is_free(port):
        raise EmbeddedTritonError(
            f"port {port}, wanted for {purpose}, is taken or not allowed: choose another one, or 0 for a free one"
        )


def _first_outgoing_port() -> int:
    """Where the range of ports for outgoing connections begins; Linux's default where it cannot be read."""
    try:
        return int(_RANGE_FILE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768
