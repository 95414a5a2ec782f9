"""What canaries owe the counters of one model, and how it comes off them: see `apart`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from triton_watch.records import Counter

if TYPE_CHECKING:
    from triton_watch.records import FloatArray

SETTLED: Final = 0.5
"""Seconds after an answer by which the server has counted it."""
_GIVEN_UP: Final = 5.0
"""Seconds after which a request that no page has shown is taken for one that is never counted."""
_DURATIONS: Final = [
    Counter.REQUEST_US,
    Counter.QUEUE_US,
    Counter.COMPUTE_INPUT_US,
    Counter.COMPUTE_INFER_US,
    Counter.COMPUTE_OUTPUT_US,
]
_FAILURES: Final = (Counter.FAIL_BACKEND, Counter.FAIL_OTHER, Counter.FAIL_UNLABELLED)
"""Where a canary that was answered with an error may stand, the likeliest first. Who is rejected hears another one."""


@dataclass(slots=True)
class Batch:
    """Canaries that the same page was the first to follow, less those that have come off since.

    An error that an answer holds is counted as a success, others as a failure, and both a moment after the answer:
    only when `age`, the seconds since that page, says that a failure would have shown is an error one of the
    successes that were `seen` meanwhile, as clients' so far. `before` are those of the page before: a request that was
    answered while the canary went on may stand there.
    """

    served: float = 0.0
    broken: float = 0.0
    before: float = 0.0
    seen: float = 0.0
    age: float = 0.0


@dataclass(slots=True)
class Owed:
    """What has to come off one model's counters.

    `due` are requests that earlier pages showed as clients' successes, and `rows` inferences of requests that are off
    already: both come off whatever is next. `each` is the rows of one request.
    """

    new: Batch = field(default_factory=Batch)
    batches: list[Batch] = field(default_factory=list)
    due: float = 0.0
    rows: float = 0.0
    each: float = 1.0

    def pass_time(self, seconds: float, before: float) -> None:
        """Go over to the next page; `before` are the successes that were left on the last one."""
        for batch in self.batches:
            batch.age += seconds
        if self.new.served or self.new.broken:
            self.new.before = self.new.seen = before
            self.batches.append(self.new)
            self.new = Batch()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is owed."""
        return not (self.batches or self.due or self.rows)


def take(column: FloatArray, owed: Owed, *, has_cache: bool, most: float) -> None:
    """Take the debt off one model's counters, as far as they show it."""
    before = float(column[Counter.SUCCESS])
    left, failed = before, 0.0
    for batch in owed.batches:
        served = min(batch.served, left)
        batch.served, left = batch.served - served, left - served
    for batch in owed.batches:
        batch.seen += left
        failed += _take_failures(column, batch)
        if batch.age >= SETTLED:
            as_success = min(batch.broken, batch.seen)
            owed.due += as_success
            batch.broken, batch.seen = batch.broken - as_success, batch.seen - as_success
        if batch.age >= _GIVEN_UP:
            owed.due += min(batch.served, batch.before)
            batch.served = batch.broken = 0.0
    paid = min(owed.due, left)
    owed.due, left = owed.due - paid, left - paid
    owed.batches = [one for one in owed.batches if one.served or one.broken]
    taken = before - left
    if taken > 0:
        column[Counter.SUCCESS] = left
        column[_DURATIONS] *= left / before
    computed = taken - (_take_hits(column, taken) if has_cache else 0.0)
    _take_batches(column, owed, computed, failed, most)


def _take_failures(column: FloatArray, batch: Batch) -> float:
    """Take errors off the failures; return how many that were."""
    failed = 0.0
    for counter in _FAILURES:
        if column[counter] > 0:  # False where the page lacks it
            taken = min(batch.broken, float(column[counter]))
            column[counter] -= taken
            batch.broken -= taken
            failed += taken
    return failed


def _take_hits(column: FloatArray, taken: float) -> float:
    """Take canaries off hits and misses of the cache; return those that were hits, which the model never saw."""
    hits = min(taken, float(np.nan_to_num(column[Counter.CACHE_HITS])))
    column[Counter.CACHE_HITS] -= hits
    if column[Counter.CACHE_MISSES] >= 0:
        column[Counter.CACHE_MISSES] = max(0.0, float(column[Counter.CACHE_MISSES]) - (taken - hits))
    return hits


def _take_batches(column: FloatArray, owed: Owed, computed: float, failed: float, most: float) -> None:
    """Executions that fail are counted, their inferences are not. No fewer are left than the inferences need."""
    inferences, executions = float(column[Counter.INFERENCES]), float(column[Counter.EXECUTIONS])
    if not inferences >= 0:
        owed.rows = 0.0  # the page lacks them
        return
    owed.rows += computed * owed.each
    rows = min(owed.rows, inferences)
    owed.rows -= rows
    column[Counter.INFERENCES] = inferences - rows
    if executions > 0 and computed + failed + rows > 0:
        fewest = min(executions, np.ceil((inferences - rows) / (most if most > 1 else 1.0)))
        column[Counter.EXECUTIONS] = max(fewest, executions - computed - failed, 0.0)
