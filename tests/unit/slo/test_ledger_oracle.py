"""A ledger counts exactly what a slow, obvious oracle counts, whatever a server and a clock can do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.frames import facts, frame, key
from support.objectives import availability, batch_efficiency, queue_time
from triton_watch.records import BucketRow, Counter, MetricsFrame, ModelConfig, ModelKey, SeriesKey, Sli
from triton_watch.slo.ledger import Ledger
from triton_watch.slo.levels import CAPACITY, levels_for, windows_of
from triton_watch.slo.sli import ROW, compute
from triton_watch.slo.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

OBJECTIVES = (availability(), queue_time(), batch_efficiency())
MODELS = (key("steady"), key("flaky"))
CONFIGS = tuple(ModelConfig(one.name, max_batch_size=8) for one in MODELS)
TRACKED = (Counter.SUCCESS, Counter.FAIL_BACKEND, Counter.QUEUE_US, Counter.REQUEST_US)


@dataclass(frozen=True)
class Step:
    """What happens until the next poll: `elapsed` real seconds, a jump of the wall clock, and each model's fate."""

    elapsed: float
    asleep: bool
    jump: float
    page: str
    fates: tuple[tuple[str, int, int, int], ...]
    """By model: what it does, and its successes, failures and queue time (ms a request) since the last poll."""


fates = st.tuples(
    st.sampled_from(("runs", "runs", "runs", "restarts", "gone")),
    st.sampled_from((0, 0, 1, 7, 1000)),
    st.sampled_from((0, 0, 1, 50)),
    st.sampled_from((0, 49, 50, 51, 900)),
)
steps = st.builds(
    Step,
    elapsed=st.sampled_from((0.0, 0.3, 5.0, 14.9, 15.0, 15.1, 61.0, 700.0, 5400.0, 40_000.0, 86_400.0, 2e6)),
    asleep=st.booleans(),
    jump=st.sampled_from((0.0, 0.0, 0.0, 0.0, -3600.0, 3600.0, -0.5, 1e7)),
    page=st.sampled_from(("new", "new", "new", "new", "none", "again")),
    fates=st.tuples(fates, fates),
)


@dataclass
class World:
    """A server and two clocks, played step by step; every event is also written down."""

    wall: float = 1.7e9
    monotonic: float = 50.0
    raw: dict[ModelKey, dict[Counter, int]] = field(default_factory=dict)
    seen: dict[ModelKey, dict[Counter, int]] = field(default_factory=dict)
    last: MetricsFrame | None = None

    def play(self, step: Step) -> MetricsFrame | None:
        self.wall += step.elapsed + step.jump
        self.monotonic += 0.0 if step.asleep and step.elapsed > 100 else step.elapsed
        for model, (what, good, bad, queue_ms) in zip(MODELS, step.fates, strict=True):
            if what == "gone":
                self.raw.pop(model, None)
                continue
            old = {} if what == "restarts" else self.raw.get(model, {})
            more = (good, bad, good * queue_ms * 1000, good * (queue_ms + 10) * 1000)
            self.raw[model] = {c: old.get(c, 0) + add for c, add in zip(TRACKED, more, strict=True)}
        if step.page == "none":
            return None
        if step.page == "again" and self.last is not None:
            return self.last
        pages = {
            m: {**dict.fromkeys(Counter, 0.0), **{c: float(v) for c, v in raw.items()}} for m, raw in self.raw.items()
        }
        return frame(self.monotonic, pages)


@dataclass
class Oracle:
    """Every event with the number of the look that found it, and the moments at which the ledger looked.

    Looks are told apart by their numbers: two of them have one time where the clock went back a little.
    """

    start: float
    events: list[tuple[int, str, ModelKey, float, float]] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)

    def count(self, before: dict[ModelKey, dict[Counter, int]], now: World) -> None:
        for model, raw in now.raw.items():
            old = before.get(model, dict.fromkeys(TRACKED, 0))
            if any(raw[c] < old[c] for c in TRACKED):
                old = dict.fromkeys(TRACKED, 0)
            good, bad, queue = (raw[c] - old[c] for c in TRACKED[:3])
            self.events.append((len(self.looks), "availability", model, good, bad))
            slow = good > 0 and queue * 1e-6 / good > 0.05
            self.events.append((len(self.looks), "queue-time", model, 0 if slow else good, good if slow else 0))

    def window(self, now: float, slo: str, model: ModelKey, window: float) -> tuple[float, float]:
        _, begin = self.begin(now, window)
        chosen = [e for e in self.events if e[0] > begin and e[1:3] == (slo, model)]
        return sum(e[3] for e in chosen), sum(e[4] for e in chosen)

    def begin(self, now: float, window: float) -> tuple[float, int]:
        """The remembered look that is the window's start: the last of its slot, the newest that is old enough."""
        resolution = LEVELS[window].resolution
        slots = {int(self.start // resolution) - 1: (self.start, 0)}
        for number, time in enumerate(self.looks, 1):
            slots[int(time // resolution)] = time, number
        kept = [slots[slot] for slot in sorted(slots)[-CAPACITY:]]
        return max([look for look in kept if look[0] <= now - window + resolution / 2], default=kept[0])


LEVELS = levels_for(windows_of(OBJECTIVES))


def played(script: list[Step]) -> Iterator[tuple[Ledger, Oracle, float]]:
    """Play a script; yield the ledger and the oracle after each step, with the time."""
    world = World()
    line = Timeline(0.0, world.wall, world.monotonic)
    ledger, oracle = Ledger("t", OBJECTIVES, time=0.0), Oracle(0.0)
    before: dict[ModelKey, dict[Counter, int]] = {}
    for step in script:
        page = world.play(step)
        now = line.advance(world.wall, world.monotonic)
        table = None
        if page is not None:
            table = compute(world.last, page, facts(page, *CONFIGS))
            oracle.looks.append(now)
            if world.last is not None and page.at > world.last.at:
                oracle.count(before, world)
            if world.last is None or page.at > world.last.at:
                world.last = page
                before = {model: dict(raw) for model, raw in world.raw.items()}
        ledger.observe(table, now)
        yield ledger, oracle, now


NOTHING = ("runs", 0, 0, 0)
SAME_TIME = [Step(0.0, asleep=False, jump=0.0, page="new", fates=(NOTHING, NOTHING)),
             Step(0.3, asleep=False, jump=-0.5, page="new", fates=(NOTHING, ("runs", 0, 1, 0)))]  # fmt: skip


@given(st.lists(steps, min_size=1, max_size=40))
@example(SAME_TIME)
@settings(max_examples=200)
def test_every_window_holds_what_the_oracle_counts(script: list[Step]) -> None:
    """Resets, gaps, missing and repeated pages, jumps of the clock, sleeps, models that vanish and return."""
    for ledger, oracle, now in played(script):
        sums = ledger.sums(0.0)
        for column, (slo, target, model) in enumerate(sums.keys):
            assert target == "t"
            for row, window in enumerate(sums.windows):
                if slo != "batch-efficiency":
                    expected = oracle.window(now, slo, model, window)
                    assert (sums.good[row, column], sums.bad[row, column]) == expected, (slo, model, window)


@given(st.lists(steps, min_size=1, max_size=40))
@settings(max_examples=100)
def test_a_windows_edge_is_off_by_half_a_slot_at_most(script: list[Step]) -> None:
    """Nothing inside a window is missed and nothing that is clearly older is counted, however the rows fall."""
    for ledger, oracle, now in played(script):
        for window, level in LEVELS.items():
            (begin, _), edge = oracle.begin(now, window), now - window
            assert begin <= edge + level.resolution / 2 or begin == oracle.start or len(oracle.looks) >= CAPACITY
            older = [t for t in oracle.looks if t <= edge - level.resolution / 2]
            if older:
                assert begin >= max(older) or ledger.time > now


@given(st.lists(steps, min_size=2, max_size=30), st.integers(0, 29))
@settings(max_examples=100)
def test_a_ledger_that_was_stored_and_read_back_goes_on_as_if_nothing_had_been(script: list[Step], at: int) -> None:
    """Changes written at every step and the whole written once make the same ledger."""
    kept: dict[tuple[float, int], tuple[float, dict[SeriesKey, tuple[float, float]]]] = {}
    for i, (ledger, _, now) in enumerate(played(script)):
        change = ledger.changes(1.7e9)
        kept.update({(row.resolution, row.slot): content(row, change.keys) for row in change.rows})
        if i == at % len(script):
            whole = ledger.changes(1.7e9, full=True)
            rows = tuple(aligned(row, kept[row.resolution, row.slot], whole.keys) for row in whole.rows)
            restored = Ledger("t", OBJECTIVES, time=now, state=replace(whole, rows=rows))
            mine, theirs = ledger.sums(0.0), restored.sums(0.0)
            assert theirs.keys == mine.keys
            assert (theirs.good == mine.good).all()
            assert (theirs.bad == mine.bad).all()
            assert not restored.table(0.0).counted_good.any(), "exported counters begin at 0 with a process"
            return


def content(row: BucketRow, keys: tuple[SeriesKey, ...]) -> tuple[float, dict[SeriesKey, tuple[float, float]]]:
    good_and_bad = zip(row.good.tolist(), row.bad.tolist(), strict=True)
    return row.time, dict(zip(keys, good_and_bad, strict=True))


def aligned(
    row: BucketRow, kept: tuple[float, dict[SeriesKey, tuple[float, float]]], keys: tuple[SeriesKey, ...]
) -> BucketRow:
    """A row as a store has it that was given changes: its own time and values, for the series of now."""
    good, bad = np.array([kept[1].get(key, (0.0, 0.0)) for key in keys]).reshape(len(keys), 2).T
    return replace(row, time=kept[0], good=good, bad=bad)


def test_seconds_with_traffic_are_good_or_bad_by_the_value_and_idle_ones_are_neither() -> None:
    model = key("m")
    ledger = Ledger("t", (batch_efficiency(),), time=0.0)
    zero = dict.fromkeys(Counter, 0.0)
    batched = {
        **zero,
        Counter.SUCCESS: 80.0,
        Counter.INFERENCES: 80.0,
        Counter.EXECUTIONS: 10.0,
        Counter.REQUEST_US: 8e7,
    }
    alone = {
        **batched,
        Counter.SUCCESS: 160.0,
        Counter.INFERENCES: 160.0,
        Counter.EXECUTIONS: 90.0,
        Counter.REQUEST_US: 1.6e8,
    }
    pages = [frame(at, {model: values}) for at, values in ((0.0, zero), (10.0, batched), (20.0, alone), (30.0, alone))]
    config = ModelConfig("m", max_batch_size=8)
    efficiencies = []
    for before, now in zip([None, *pages[:-1]], pages, strict=True):
        table = compute(before, now, facts(now, config))
        efficiencies.append(table.values[ROW[Sli.BATCH_EFFICIENCY], 0])
        ledger.observe(table, now.at)
    assert np.allclose(efficiencies[1:3], [1.0, 0.125])
    sums = ledger.sums(0.0)
    assert sums.keys == (SeriesKey("batch-efficiency", "t", model),)
    assert (sums.good[-1, 0], sums.bad[-1, 0]) == (10.0, 10.0)


def test_seconds_of_a_gap_are_neither_good_nor_bad_and_its_requests_are_counted() -> None:
    """A server that hung for a minute had few requests in flight on average: its batches would look perfect."""
    model, config = key("m"), ModelConfig("m", max_batch_size=8)
    ledger = Ledger("t", (availability(), batch_efficiency()), time=0.0)
    counters = dict.fromkeys(Counter, 0.0)

    def poll(last: MetricsFrame | None, at: float) -> MetricsFrame:
        for counter, more in ((Counter.SUCCESS, 80), (Counter.INFERENCES, 80), (Counter.EXECUTIONS, 80)):
            counters[counter] += more
        counters[Counter.REQUEST_US] += 8e7
        page = frame(at, {model: dict(counters)})
        ledger.observe(compute(last, page, facts(page, config)), at)
        return page

    def seconds() -> tuple[float, float]:
        sums = ledger.sums(0.0)
        column = sums.keys.index(SeriesKey("batch-efficiency", "t", model))
        return float(sums.good[-1, column]), float(sums.bad[-1, column])

    page = poll(poll(None, 10.0), 20.0)
    assert seconds() == (0.0, 10.0)
    ledger.observe(None, 30.0)
    page = poll(page, 80.0)
    assert seconds() == (0.0, 10.0), "a page was missing"
    page = poll(page, 90.0)
    assert seconds() == (0.0, 20.0)
    page = poll(page, 400.0)
    assert seconds() == (0.0, 20.0), "the agent slept"
    poll(page, 410.0)
    assert seconds() == (0.0, 30.0)
    sums = ledger.sums(0.0)
    assert sums.good[-1, sums.keys.index(SeriesKey("availability", "t", model))] == 5 * 80
