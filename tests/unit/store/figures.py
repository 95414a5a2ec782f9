"""What a flush costs and how large a store gets: `python -m unit.store.figures`, in the folder `tests`."""

from __future__ import annotations

import statistics
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from triton_watch.store.reader import read
from triton_watch.store.sqlite import SqliteStore
from unit.store.ledgers import Ledger, month, thousand_models

if TYPE_CHECKING:
    from collections.abc import Callable

FLUSHES = 40


@dataclass(frozen=True)
class Figures:
    """Of one target with three objectives a model, at the end of a month. Times are seconds, sizes bytes."""

    series: int
    largest: int
    """File and log at their largest."""
    flush: float
    """Median wall time of a flush of half a minute's changes."""
    slowest_flush: float
    """With a checkpoint."""
    flush_cpu: float
    full_flush: float
    load: float

    @property
    def bytes_a_series(self) -> float:
        return self.largest / self.series


def measured(folder: Path, models: int = 1000) -> Figures:
    """Write a month, then flushes of half a minute."""
    path, rng, ledger = folder / "slo.sqlite", np.random.default_rng(1), thousand_models(models)
    with closing(SqliteStore(path)) as store:
        largest = 0
        for change in month(ledger, rng):
            store.save((change,), at=0.0, objectives=None, full=False)
            largest = max(largest, store.size())
        times = [_flush(store, ledger, rng) for _ in range(FLUSHES)]
        full = _timed(lambda: store.save((ledger.whole(),), at=0.0, objectives=None, full=True))[0]
        largest = max(largest, store.size())
    walls, cpus = [wall for wall, _ in times], [cpu for _, cpu in times]
    load = _timed(lambda: read(folder))[0]
    return Figures(len(ledger.keys), largest, statistics.median(walls), max(walls), statistics.median(cpus), full, load)


def _flush(store: SqliteStore, ledger: Ledger, rng: np.random.Generator) -> tuple[float, float]:
    size = len(ledger.keys)
    for _ in range(2):
        ledger.pass_by(15.0, rng.poisson(750.0, size).astype(float), rng.poisson(0.5, size).astype(float))
    change = ledger.change()
    return _timed(lambda: store.save((change,), at=0.0, objectives=None, full=False))


def _timed(action: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        print(measured(Path(place)))  # noqa: T201 - it is run by hand
