"""gRPC's connection in a network that drops packets without a word."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np

from triton_watch.triton.infer.grpc import GrpcInfer
from triton_watch.triton.infer.messages import InferRequest, tensor_of
from unit.triton.infer.grpc_server import GrpcServer, Servicer

REQUEST = InferRequest("m", "1", "one", {"X": tensor_of(np.array([1], dtype=np.float32), "FP32")})


def connection_to(port: int) -> socket.socket:
    """A copy of this process's own connection to a port."""
    for entry in Path("/proc/self/fd").iterdir():
        if not _is_socket(entry):
            continue
        found = socket.socket(fileno=os.dup(int(entry.name)))
        if found.family in (socket.AF_INET, socket.AF_INET6) and _peer(found) == port:
            return found
        found.close()
    raise AssertionError(f"no connection to port {port}")


def _is_socket(entry: Path) -> bool:
    try:
        return str(entry.readlink()).startswith("socket:")
    except OSError:
        return False  # closed meanwhile


def _peer(found: socket.socket) -> int:
    try:
        return int(found.getpeername()[1])
    except OSError:
        return 0  # it listens


def test_the_kernel_ends_a_connection_on_which_nothing_arrives_within_seconds_and_no_minutes() -> None:
    with GrpcServer(Servicer()) as server:
        target = server.target()
        client = GrpcInfer(target)
        try:
            client.infer(REQUEST, 5.0)
            with connection_to(int(target.grpc_address.rpartition(":")[2])) as connection:
                milliseconds = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        finally:
            client.close()
    assert 1000 <= milliseconds <= 10_000
