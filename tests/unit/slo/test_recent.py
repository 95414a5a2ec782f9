"""The last hour in slots is what a slow, obvious oracle adds up, whatever a server and a clock can do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.frames import facts, frame, index, key
from triton_watch.records import Counter, ModelConfig, ModelKey, Sum
from triton_watch.slo.recent import SLOT, SLOTS, Recent
from triton_watch.slo.sli import compute

if TYPE_CHECKING:
    from triton_watch.records import ModelIndex, RecentSlot, SliTable

M, N = key("m"), key("n")
START = 1.7e9 // SLOT * SLOT
COUNTED = {
    Counter.SUCCESS: 10.0,
    Counter.FAIL_BACKEND: 2.0,
    Counter.FAIL_CANCELED: 5.0,
    Counter.QUEUE_US: 3e6,
    Counter.REQUEST_US: 7e6,
    Counter.INFERENCES: 40.0,
    Counter.EXECUTIONS: 4.0,
}


def poll(
    counted: dict[ModelKey, dict[Counter, float]] | None = None,
    interval: float = 15.0,
    *configs: ModelConfig,
    models: ModelIndex | None = None,
) -> SliTable:
    """The table of an interval in which each model counted so much."""
    counted = {M: COUNTED} if counted is None else counted
    order = models or index(list(counted))
    before = frame(0.0, {one: dict.fromkeys(values, 0.0) for one, values in counted.items()}, same_index=order)
    after = frame(interval, counted, same_index=order)
    return compute(before, after, facts(after, *configs))


def column(slot: RecentSlot, model: ModelKey = M) -> dict[Sum, float]:
    return {row: float(slot.sums[row, slot.models.row[model]]) for row in Sum}


def test_two_polls_of_one_slot_are_added_up() -> None:
    recent = Recent()
    recent.observe(poll(), START + 1)
    recent.observe(poll(), START + 16)
    (slot,) = recent.table.slots
    assert (slot.begin, slot.seconds) == (START, SLOT)
    assert column(slot) == {
        Sum.GOOD: 20.0,
        Sum.BAD: 4.0,
        Sum.QUEUE: 6.0,
        Sum.REQUEST: 14.0,
        Sum.INFERENCES: 80.0,
        Sum.EXECUTIONS: 8.0,
        Sum.SECONDS: 30.0,
    }


def test_a_poll_over_more_than_a_slot_is_in_the_one_in_which_it_ended_with_all_its_seconds() -> None:
    recent = Recent()
    recent.observe(poll(), START)
    recent.observe(poll(interval=600.0), START + 600.0)
    assert [slot.begin - START for slot in recent.table.slots] == [0.0, 600.0]
    assert column(recent.table.slots[-1])[Sum.SECONDS] == 600.0


def test_a_slot_that_has_ended_stays_the_same_object_and_a_table_that_was_handed_out_does_not_change() -> None:
    recent = Recent()
    recent.observe(poll(), START)
    recent.observe(poll(), START + 30)
    held = recent.table
    first, second = held.slots
    before = second.sums.copy()
    recent.observe(poll(), START + 45)
    assert recent.table.slots[0] is first
    assert recent.table.slots[1] is not second
    assert np.array_equal(second.sums, before)
    assert held.slots == (first, second)


def test_a_first_page_and_a_server_whose_counters_stand_still_are_nothing_watched() -> None:
    recent = Recent()
    page = frame(1.0, {M: COUNTED})
    recent.observe(compute(None, page, facts(page)), START)
    recent.observe(replace(poll(), counters_off=True), START + 15)
    recent.observe(None, START + 30)
    assert recent.table.slots == ()


def test_a_model_without_its_counters_and_one_whose_counters_cannot_be_were_watched_for_no_time() -> None:
    recent = Recent()
    absurd = {**COUNTED, Counter.REQUEST_US: 1e300}
    recent.observe(poll({M: {Counter.QUEUE_US: 1.0}, N: absurd}), START)
    (slot,) = recent.table.slots
    assert set(column(slot, M).values()) == set(column(slot, N).values()) == {0.0}


def test_an_ensemble_has_no_queue_and_no_batches_and_is_watched_all_the_same() -> None:
    recent = Recent()
    recent.observe(poll(None, 15.0, ModelConfig("m", platform="ensemble")), START)
    found = column(recent.table.slots[0])
    assert {row for row, value in found.items() if np.isnan(value)} == {Sum.QUEUE, Sum.INFERENCES, Sum.EXECUTIONS}
    assert (found[Sum.GOOD], found[Sum.SECONDS]) == (10.0, 15.0)


def test_a_model_that_came_within_a_slot_is_appended_and_one_that_went_keeps_what_it_had() -> None:
    recent = Recent()
    recent.observe(poll({M: COUNTED}), START)
    recent.observe(poll({N: COUNTED}), START + 15)
    (slot,) = recent.table.slots
    assert slot.models.keys == (M, N)
    assert [column(slot, one)[Sum.SECONDS] for one in (M, N)] == [15.0, 15.0]


def test_slots_share_an_index_while_models_come_and_go_and_not_for_ever() -> None:
    """Else a server that loads and unloads all the time would cost an index a slot, or keep all that ever was."""
    recent = Recent()
    both, one = {M: COUNTED, N: COUNTED}, {M: COUNTED}
    for i, counted in enumerate((both, one, both, one)):
        recent.observe(poll(counted), START + 30 * i)
    assert len({id(slot.models) for slot in recent.table.slots}) == 1
    assert column(recent.table.slots[-1], N)[Sum.SECONDS] == 0.0
    many = {key(f"m{i}"): COUNTED for i in range(5)} | one
    recent.observe(poll(many), START + 150)
    recent.observe(poll(one), START + 180)
    assert recent.table.slots[-1].models.keys == (M,)


@pytest.mark.parametrize("silence", [3600.0, 1e9])
def test_time_that_passes_without_a_page_drops_what_is_too_old(silence: float) -> None:
    recent = Recent()
    recent.observe(poll(), START)
    recent.observe(None, START + silence - SLOT)
    assert len(recent.table.slots) == (silence == 3600.0)
    recent.observe(None, START + silence)
    assert recent.table.slots == ()


@dataclass(frozen=True)
class Step:
    """One poll: how far the clock moved since the last, and what each model counted (None = it was not there)."""

    move: float
    interval: float
    good: tuple[int | None, int | None, int | None]
    is_new_index: bool


steps = st.builds(
    Step,
    move=st.sampled_from((0.0, 1.0, 14.9, 15.0, 15.0, 29.0, 30.0, 61.0, 3570.0, 3600.0, 1e7, -0.5, -15.0, -90.0, -1e6)),
    interval=st.sampled_from((0.0, 1.0, 15.0, 60.0, 700.0)),
    good=st.tuples(*[st.one_of(st.none(), st.integers(0, 1000))] * 3),
    is_new_index=st.booleans(),
)
MODELS = (key("a"), key("b"), key("c"))


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=60))
@example([Step(15.0, 15.0, (1, 2, None), is_new_index=False)] * 400)
def test_slots_are_what_the_oracle_adds_up(story: list[Step]) -> None:
    recent, now = Recent(), START
    indexes: dict[tuple[ModelKey, ...], ModelIndex] = {}
    oracle: dict[float, dict[ModelKey, list[float]]] = {}
    for step in story:
        now += step.move
        counted = {
            one: {Counter.SUCCESS: float(count), Counter.QUEUE_US: 2e6 * count}
            for one, count in zip(MODELS, step.good, strict=True)
            if count is not None
        }
        models = index(list(counted)) if step.is_new_index else indexes.setdefault(tuple(counted), index(list(counted)))
        recent.observe(poll(counted, step.interval, models=models), now)
        begin = now // SLOT * SLOT
        oracle = {slot: sums for slot, sums in oracle.items() if begin - 3600 < slot <= begin}
        if step.interval > 0:
            slot = oracle.setdefault(begin, defaultdict(lambda: [0.0, 0.0, 0.0]))
            for one, values in counted.items():
                more = values[Counter.SUCCESS], values[Counter.QUEUE_US] / 1e6, step.interval
                slot[one] = [old + new for old, new in zip(slot[one], more, strict=True)]
        told = {
            slot.begin: {
                one: slot.sums[[Sum.GOOD, Sum.QUEUE, Sum.SECONDS], row].tolist()
                for one, row in slot.models.row.items()
                if slot.sums[Sum.SECONDS, row] > 0
            }
            for slot in recent.table.slots
        }
        assert told == oracle
        assert list(told) == sorted(told)
        assert len(told) <= SLOTS
