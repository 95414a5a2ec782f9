"""Steady clients of the stage's models: so even that any minute of them is like any other."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from expressions import repository as models
from support.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable


def _same(number: int) -> float:
    del number
    return 1.0


def _third_is_new(number: int) -> float:
    """Of three requests in a row one asks what nobody asked before."""
    return float(number) if number % 3 == 0 else 1.0


def _fifth_fails(number: int) -> float:
    return models.FAIL if number % 5 == 0 else 1.0


@dataclass(frozen=True, slots=True)
class Flow:
    """`workers` clients, each of which waits for its answer; `period` seconds between two requests, 0 = at once.

    `value` is what the n-th request of a client holds.
    """

    model: str
    workers: int
    period: float
    is_batched: bool = False
    value: Callable[[int], float] = _same


FLOWS: tuple[Flow, ...] = (
    Flow(models.STEADY, 3, 0.0, is_batched=True),
    Flow(models.BATCHED, 3, 0.0, is_batched=True),
    Flow(models.PIPELINE, 1, 0.1),
    Flow(models.CACHED, 1, 0.1, is_batched=True, value=_third_is_new),
    Flow(models.FAILING, 1, 0.1, value=_fifth_fails),
    Flow(models.WRONG, 1, 0.2),
    Flow(models.TRICKLE, 1, 1 / 0.15, is_batched=True),
)


class Clients(Workers):
    """The clients of all flows, from `with` to its end. What they are answered does not matter to them."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        super().__init__(partial(self._work, flow) for flow in FLOWS for _ in range(flow.workers))

    def _work(self, flow: Flow) -> None:
        connection = http.client.HTTPConnection(self._address, timeout=10)
        begin, number = time.monotonic(), 0
        while not self.stop.wait(max(0.0, begin + number * flow.period - time.monotonic()) if flow.period else 0.0):
            number += 1
            try:
                connection.request("POST", f"/v2/models/{flow.model}/infer", _body(flow, number))
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self.stop.wait(0.2)  # the server is away; its clients come back
        connection.close()


def _body(flow: Flow, number: int) -> bytes:
    shape = [1, 4] if flow.is_batched else [4]
    tensor = {"name": "X", "shape": shape, "datatype": "FP32", "data": [flow.value(number)] * 4}
    return json.dumps({"inputs": [tensor]}).encode()
