"""Objectives over 30 simulated days in one process: prints JSON with CPU, memory, file and flush. Used by `slo.py`.

The SLI tables are the real ones, made of real pages; only time is made to pass. Every row that the windows keep
is written, as after a month: a poll each 15 s where windows are fine, and further apart where they are not.
"""

from __future__ import annotations

import json
import logging
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import measure
import numpy as np
import pages

from support.objectives import DAY, HOUR, availability, batch_efficiency, queue_time
from triton_watch.daemon import exposition
from triton_watch.daemon.budgets import Budgets
from triton_watch.daemon.families import Family
from triton_watch.daemon.slo_families import SLO_BUILDERS, slo_view
from triton_watch.daemon.state import BudgetsView
from triton_watch.records import Counter, FloatArray, ModelConfig, Sli, SliTable, SloSettings
from triton_watch.slo.facts import config_vectors
from triton_watch.slo.sli import ROW, compute
from triton_watch.store.keeper import StoreKeeper
from triton_watch.triton.scrape import MetricsReader

OBJECTIVES = (availability(), queue_time(), batch_efficiency())
TABLES = 12
"""Different intervals that are played over and over: the counters of a month need no month of pages."""
START = 1.7e9


def tables(models: int) -> list[SliTable]:
    """SLI tables of successive polls of one server, with a configuration for every model."""
    reader = MetricsReader()
    frames = [reader.read(pages.render(models, summaries=False, tick=15 * i), 15.0 * i) for i in range(TABLES + 1)]
    configs = {key.name: ModelConfig(key.name, max_batch_size=8) for key in frames[0].models.keys}
    vectors = config_vectors(frames[0].models, configs)
    rng = np.random.default_rng(7)
    rates = rng.uniform(0, 100, models)
    return [shaken(compute(before, now, vectors), rates, rng) for before, now in pairwise(frames)]


def shaken(table: SliTable, rates: FloatArray, rng: np.random.Generator) -> SliTable:
    """The table with traffic that no two models and no two polls have in common: nothing to compress by luck."""
    deltas, values = table.deltas.copy(), table.values.copy()
    deltas[Counter.SUCCESS] = rng.poisson(rates * 15)
    deltas[Counter.FAIL_BACKEND] = rng.binomial(deltas[Counter.SUCCESS].astype(np.int64), 0.01)
    values[ROW[Sli.QUEUE_TIME]] = rng.lognormal(-3.2, 0.5, len(rates))
    values[ROW[Sli.BATCH_EFFICIENCY]] = rng.uniform(0.3, 1.0, len(rates))
    return replace(table, deltas=deltas, values=values)


def moments() -> list[float]:
    """Seconds before the end at which there is a poll: all rows of all levels are filled by them."""
    found: set[float] = set()
    for reach, step in ((30 * DAY, HOUR), (3 * DAY, 20 * 60.0), (6 * HOUR, 60.0), (HOUR, 15.0), (600.0, 5.0)):
        found |= {i * step for i in range(int(reach / step))}
    return sorted(found, reverse=True)


def main() -> int:
    models = int(sys.argv[1])
    played = tables(models)
    for table in played:
        table.frame.counters[:]  # in memory before we measure
    logging.disable()
    now = [START]
    before = measure.resident_mb(_pid())
    budgets = Budgets(SloSettings(OBJECTIVES), clock=lambda: now[0], now=lambda: now[0])
    budgets.watch("t")
    with tempfile.TemporaryDirectory() as folder:
        keeper = StoreKeeper(Path(folder), now=lambda: now[0], log=logging.getLogger("bench"))
        keeper.open()
        keeper.save_objectives(OBJECTIVES)
        costs, flushes = [], []
        for i, ago in enumerate(moments()):
            now[0] = START + 30 * DAY - ago
            begin = time.process_time()
            budgets.observe("t", replace(played[i % TABLES], interval=15.0 + 0.01 * (i % 37)))
            costs.append(time.process_time() - begin)
            if i % 2 == 0:
                begin = time.perf_counter()
                keeper.flush(budgets.changes(full=keeper.needs_full))
                flushes.append(time.perf_counter() - begin)
        size = keeper.status().bytes
        keeper.close()
    memory = measure.resident_mb(_pid()) - before
    series = len(budgets.targets()["t"].tables[0].sums.keys)
    print_json(statistics.median(costs), memory, size, series, statistics.median(flushes), page_cpu(budgets))
    return 0


def page_cpu(budgets: Budgets) -> float:
    """CPU seconds of the objectives' part of one metrics page, compressed as Prometheus gets it."""
    begin = time.process_time()
    view = slo_view(BudgetsView(OBJECTIVES, budgets.targets()))
    families = (Family(metric, build(view)) for metric, build in SLO_BUILDERS.items())
    for _ in exposition.compressed(exposition.render(families, openmetrics=False)):
        pass
    return time.process_time() - begin


def print_json(cycle: float, memory: float, size: int, series: int, flush: float, page: float) -> None:
    found = {"cycle": cycle, "memory": memory, "file": size / 1e6, "series": series, "flush": flush, "page": page}
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    sys.stdout.write(json.dumps(found))


def _pid() -> int:
    return int(Path("/proc/self").resolve().name)


if __name__ == "__main__":
    sys.exit(main())
