"""Callers of the model `moody` (tests/fixtures/moody_repository): a load whose phases a test chooses."""

from __future__ import annotations

import random
import time
from functools import partial
from pathlib import Path

import requests

from support.workers import Workers

REPOSITORY = Path(__file__).resolve().parents[1] / "fixtures" / "moody_repository"
GOOD, SLOW, FAIL = 0, 1, 2


class Callers(Workers):
    """Some callers on this machine, each of which waits for its answer. They ask nothing until `want` is called."""

    def __init__(self, url: str, *, workers: int = 6, period: float = 0.1, model: str = "moody") -> None:
        self._url = f"{url}/v2/models/{model}/infer"
        self._period = period
        self._shares: dict[int, float] = {}
        super().__init__(partial(self._work, seed) for seed in range(workers))

    def want(self, shares: dict[int, float]) -> None:
        """From now on ask for these moods, by share; the share that is missing from 1 is silence."""
        self._shares = shares

    def _work(self, seed: int) -> None:
        rng = random.Random(seed)
        with requests.Session() as session:
            while not self.stop.is_set():
                begin = time.monotonic()
                moods, shares = list(self._shares), list(self._shares.values())
                if rng.random() < sum(shares):
                    self._ask(session, rng.choices(moods, shares)[0])
                self.stop.wait(max(0.0, self._period - (time.monotonic() - begin)))

    def _ask(self, session: requests.Session, mood: int) -> None:
        tensor = {"name": "MOOD", "shape": [1], "datatype": "INT32", "data": [mood]}
        try:
            session.post(self._url, json={"inputs": [tensor]}, timeout=10)
        except requests.RequestException:
            time.sleep(0.2)  # the server is away; its clients come back
