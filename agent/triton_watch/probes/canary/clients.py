"""What a canary needs of the world: a client that asks the server, and clocks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from triton_watch.triton.infer.messages import Exchange, InferRequest


class UnaryClient(Protocol):
    """What asks the server, from any number of threads. Requests raise `InferError`."""

    def infer(self, request: InferRequest, timeout: float) -> Exchange:
        """One request, one response, within `timeout` seconds."""

    def close(self) -> None:
        """Close all connections; a later request opens new ones."""


class InferClient(UnaryClient, Protocol):
    """A client that can read streams, too."""

    def stream(self, request: InferRequest, timeout: float, limit: int) -> Exchange:
        """One request and at most `limit` responses, within `timeout` seconds."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """`clock` gives monotonic seconds, `now` Unix seconds, `cpu` the seconds that this thread has used."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    cpu: Callable[[], float] = time.thread_time
