"""Error budgets: which events were counted, and what they say of each objective."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from triton_watch.records.metrics import FloatArray
    from triton_watch.records.model import ModelKey
    from triton_watch.records.objective import BurnWindow


class SeriesKey(NamedTuple):
    """Whose events: an objective, by name, of one model version on one target."""

    slo: str
    target: str
    model: ModelKey


class Verdict(str, Enum):
    """What is to be said of an objective now, the worst that applies."""

    OK = "ok"
    BURNING = "burning"
    """A burn-rate window fires."""
    EXHAUSTED = "exhausted"
    """Nothing is left of the budget."""
    NO_DATA = "no_data"
    """Nothing was counted in the period, or the indicator stopped reporting. Never counted as good."""


VERDICTS = tuple(Verdict)
"""The order of the codes in `BudgetTable.verdict`."""


@dataclass(frozen=True, slots=True, eq=False)
class WindowSums:
    """Events of n series in w windows that all end at `at` (Unix seconds).

    `windows` are seconds, ascending; the last is the period. `good` and `bad` are (w, n). A window that
    reaches back before the first event holds what there is.
    """

    at: float
    keys: tuple[SeriesKey, ...]
    windows: tuple[float, ...]
    good: FloatArray
    bad: FloatArray
    covered: FloatArray
    """(n,) seconds of the period for which the series has been watched."""
    silence: FloatArray
    """(n,) seconds since the indicator last had a say, traffic or not; NaN = not known."""


@dataclass(frozen=True, slots=True, eq=False)
class BudgetTable:
    """Verdicts of n series over w windows, formed of `sums`. NaN = no data.

    `burn` is (w, n): bad share divided by the share that the objective allows. `remaining` is
    1 - bad / (total * (1 - objective)) over the period; it can be negative. `exhaustion` is seconds until nothing is
    left at the pace of the first (shortest paging) long window; NaN = not at this pace.
    """

    sums: WindowSums
    objective: FloatArray
    low: FloatArray
    high: FloatArray
    burn: FloatArray
    remaining: FloatArray
    exhaustion: FloatArray
    tiers: tuple[BurnWindow, ...]
    """The burn windows of the period, the most urgent first."""
    evaluated: NDArray[np.bool_]
    """(len(tiers), n) whether the series' objective has the tier."""
    firing: NDArray[np.bool_]
    """(len(tiers), n) whether both windows burn faster than the tier allows, with enough events in the long one."""
    fires: NDArray[np.int8]
    """(n,) index of the first of `tiers` that fires; -1 = none."""
    min_events: FloatArray
    """(n,) events that a long window must hold before it fires."""
    verdict: NDArray[np.int8]
    """(n,) index into `VERDICTS`."""
    counted_good: FloatArray
    """(n,) events since this process began: what the exported counters say."""
    counted_bad: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class BucketRow:
    """Cumulative events of a ledger's series at one moment, kept for windows of one resolution.

    `resolution` is seconds, `slot` is floor(time / resolution); a later row of the same slot replaces it.
    `time` is seconds on the ledger's own time line.
    """

    resolution: float
    slot: int
    time: float
    good: FloatArray
    bad: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LedgerState:
    """A ledger, or what changed of it since the last time: what the store writes and reads.

    One ledger holds the series of one target whose objectives have one period. `time` is seconds on the
    ledger's time line and `wall` the Unix time that belongs to it: after a restart the gap is told by the
    wall clock. All vectors are (n,) over `keys`. `rows` are oldest first in each resolution; their vectors
    may be shorter than n: series that were added later are at the end and were 0 then.
    """

    target: str
    period: float
    time: float
    wall: float
    keys: tuple[SeriesKey, ...]
    good: FloatArray
    bad: FloatArray
    since: FloatArray
    """Ledger time at which the series was first watched."""
    reported: FloatArray
    """Ledger time at which the indicator last had a say."""
    rows: tuple[BucketRow, ...]
    spans: tuple[tuple[float, float], ...]
    """(resolution, seconds for which its rows are needed): what the store may forget."""
