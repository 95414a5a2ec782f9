"""Ledgers for tests of the store: a slow, obvious ledger, and a year's worth of traffic in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.records import BucketRow, FloatArray, LedgerState, ModelKey, SeriesKey

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
SPANS = ((5.0, 5 * MINUTE), (MINUTE, HOUR), (6 * MINUTE, 6 * HOUR), (72 * MINUTE, 3 * DAY), (12 * HOUR, 30 * DAY))
"""The levels of a ledger of 30 days: about 300 rows."""
START = 1_700_000_000.0


@dataclass
class Ledger:
    """A ledger without any cleverness: rows are a dictionary, and each remembers its vectors whole."""

    target: str = "local"
    period: float = 30 * DAY
    spans: tuple[tuple[float, float], ...] = SPANS
    time: float = 0.0
    keys: list[SeriesKey] = field(default_factory=list)
    totals: FloatArray = field(default_factory=lambda: np.zeros((4, 0)))
    """good, bad, since, reported."""
    rows: dict[tuple[float, int], BucketRow] = field(default_factory=dict)
    changed: set[tuple[float, int]] = field(default_factory=set)

    def add(self, *keys: SeriesKey) -> None:
        new = np.repeat([[0.0], [0.0], [self.time], [self.time]], len(keys), axis=1)
        self.totals = np.hstack([self.totals, new])
        self.keys += keys

    def evict(self, column: int) -> None:
        del self.keys[column]
        self.totals = np.delete(self.totals, column, axis=1)
        for place, row in self.rows.items():
            if column < row.good.size:
                self.rows[place] = replace(row, good=np.delete(row.good, column), bad=np.delete(row.bad, column))

    def pass_by(self, seconds: float, good: FloatArray | float, bad: FloatArray | float) -> None:
        """Let time pass, then count these events."""
        self.time += seconds
        self.totals = self.totals.copy()
        self.totals[0] += good
        self.totals[1] += bad
        self.totals[3] = self.time
        for resolution, span in self.spans:
            slot = int(self.time // resolution)
            row = BucketRow(resolution, slot, self.time, self.totals[0].copy(), self.totals[1].copy())
            self.rows[resolution, slot] = row
            self.changed.add((resolution, slot))
            for place in [p for p, r in self.rows.items() if p[0] == resolution and r.time < self.time - span]:
                del self.rows[place]

    def whole(self) -> LedgerState:
        return self._state(sorted(self.rows))

    def change(self) -> LedgerState:
        """What is new since the last call."""
        state = self._state(sorted(self.changed & self.rows.keys()))
        self.changed.clear()
        return state

    def _state(self, places: list[tuple[float, int]]) -> LedgerState:
        good, bad, since, reported = self.totals.copy()
        return LedgerState(
            target=self.target,
            period=self.period,
            time=self.time,
            wall=START + self.time,
            keys=tuple(self.keys),
            good=good,
            bad=bad,
            since=since,
            reported=reported,
            rows=tuple(self.rows[place] for place in places),
            spans=self.spans,
        )


def key(model: str, slo: str = "availability", target: str = "local", version: str = "1") -> SeriesKey:
    return SeriesKey(slo, target, ModelKey(model, version))


def thousand_models(models: int = 1000) -> Ledger:
    """The ledger of one target with three objectives of each model."""
    ledger = Ledger()
    slos = ("availability", "queue_time", "batch_efficiency")
    ledger.add(*(key(f"text_classifier_{number:04}", slo) for number in range(models) for slo in slos))
    return ledger


def month(ledger: Ledger, rng: np.random.Generator, days: int = 30) -> Iterator[LedgerState]:
    """The changes of a month, with up to 100 requests a second a model, in ever shorter steps, so that all
    levels are full in the end."""
    models = len(ledger.keys) // 3
    pace = rng.uniform(0.0, 100.0, models)
    ages = [0.0]
    for resolution, span in SPANS:
        ages += np.arange(ages[-1] + resolution, min(span, days * DAY) + resolution, resolution).tolist()
    for seconds in reversed(np.diff(ages)):
        requests = rng.poisson(pace * seconds).astype(float)
        failed = rng.binomial(requests.astype(int), 0.001).astype(float)
        late = np.where(rng.random(models) < 0.02, requests, 0.0)
        busy = np.floor(rng.random(models) * seconds * 1024) / 1024
        good = np.column_stack([requests - failed, requests - late, busy]).ravel()
        bad = np.column_stack([failed, late, seconds - busy]).ravel()
        ledger.pass_by(float(seconds), good, bad)
        yield ledger.change()


def told(state: LedgerState) -> tuple[object, ...]:
    """A state so that it can be compared: vectors as bytes, short rows as the zeros that they stand for."""
    size = len(state.keys)
    rows = sorted((r.resolution, r.slot, r.time, _full(r.good, size), _full(r.bad, size)) for r in state.rows)
    vectors = tuple(_full(v, size) for v in (state.good, state.bad, state.since, state.reported))
    return state.target, state.period, state.time, state.wall, state.keys, vectors, rows, state.spans


def _full(vector: FloatArray, size: int) -> bytes:
    return bytes(np.concatenate([vector, np.zeros(size - vector.size)]).data)
