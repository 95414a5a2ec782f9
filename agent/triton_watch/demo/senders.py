"""The clients of the load over HTTP, one thread each."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import urllib3

from triton_watch.demo.answers import DETAIL_LENGTH, judge
from triton_watch.demo.tally import Seen, Tally

if TYPE_CHECKING:
    import threading

    from triton_watch.demo.traffic import Flow

TIMEOUT = 10.0
"""Seconds that a client waits for an answer."""
PAUSE_AFTER_FAILURE = 0.5
"""Seconds, after a request that did not reach the server."""


def send_http(url: str, flow: Flow, tally: Tally, stop: threading.Event, seed: int) -> None:
    """Be one client of a flow until `stop` is set."""
    rng = random.Random(seed)  # noqa: S311 - test data, not a secret
    pool = urllib3.PoolManager(num_pools=1, maxsize=1, retries=False)
    endpoint = f"{url}/v2/models/{flow.model}/infer"
    next_start = _first_start(flow, rng)
    while not stop.wait(max(0.0, next_start - time.monotonic())):
        next_start = max(next_start + flow.period, time.monotonic())
        try:
            answer = pool.request("POST", endpoint, body=flow.body(rng), timeout=TIMEOUT)
        except urllib3.exceptions.HTTPError as error:
            if not stop.is_set():
                tally.add(flow.model, Seen.UNREACHABLE, " ".join(str(error).split())[:DETAIL_LENGTH])
                stop.wait(PAUSE_AFTER_FAILURE)
        else:
            tally.add(flow.model, *judge(answer.status, answer.data, flow.output))
    pool.clear()


def _first_start(flow: Flow, rng: random.Random) -> float:
    """When a client sends first: several of one flow at the same time, a single one whenever."""
    now = time.monotonic()
    if flow.workers > 1 and flow.period:
        return now - now % flow.period + flow.period
    return now + rng.uniform(0.0, flow.period)
