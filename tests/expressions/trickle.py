"""One request in ten seconds, each of which waits exactly 5 ms: what ours and published expressions say."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from expressions.asking import Prometheus
from support.prometheus_server import RealPrometheus, Series, write_blocks
from triton_watch.generate.queries import Scope, mean_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PERIOD, WAIT = 10.0, 0.005
"""Seconds from one request to the next, and in the queue."""
_SCRAPE, _LENGTH = 15.0, 3600.0
_SPAN: Final = "1m"
_LABELS: Final = {"job": "triton", "instance": "triton:8002", "model": "trickle", "version": "1"}
_QUEUE, _SUCCESS = (f"rate(nv_inference_{one}[{_SPAN}])" for one in ("queue_duration_us", "request_success"))

VARIANTS: Final[Mapping[str, str]] = {
    "ours": mean_time(Scope('job="triton"', _SPAN, ("model",)), "queue"),
    "1 added to the rate": f"{_QUEUE} / (1 + {_SUCCESS}) / 1e6",
    "the rate clamped to 1": f"{_QUEUE} / clamp_min({_SUCCESS}, 1) / 1e6",
}
"""Ours is what the boards have; the others are seen in published dashboards and rules."""


@dataclass(frozen=True, slots=True)
class Seconds:
    """What a variant says the queue time is."""

    name: str
    expr: str
    value: float


def measured(prometheus: Path, promtool: Path, folder: Path) -> list[Seconds]:
    """Ask a real Prometheus with an hour of such a history."""
    end = time.time() // _SCRAPE * _SCRAPE
    data = write_blocks(promtool, list(_history(end)), folder / "trickle")
    with RealPrometheus(prometheus, data, folder / "trickle-prometheus") as server:
        peer = Prometheus(server.url)
        return [Seconds(name, expr, peer.at(expr, end)[0].value) for name, expr in VARIANTS.items()]


def _history(end: float) -> tuple[Series, ...]:
    times = [end - _LENGTH + _SCRAPE * number for number in range(int(_LENGTH / _SCRAPE) + 1)]
    requests = [(at, (at - times[0]) // PERIOD) for at in times]
    waited = [(at, count * WAIT * 1e6) for at, count in requests]
    return (
        Series("nv_inference_request_success", _LABELS, requests),
        Series("nv_inference_queue_duration_us", _LABELS, waited),
    )
