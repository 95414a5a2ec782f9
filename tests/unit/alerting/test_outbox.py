"""What a peer is told, when, and for how long."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from triton_watch.alerting.manager.entry import KEEP
from triton_watch.alerting.manager.outbox import BATCH, LONGEST_WAIT
from unit.alerting.payloads import INTERVAL, NOW, Box, name_of, payload, shown

if TYPE_CHECKING:
    from triton_watch.alerting.manager.payload import Payload


def test_an_alert_that_fires_is_told_at_once_and_again_each_interval() -> None:
    assert Box().told_over(181, payload("A")) == [(0, "A"), (60, "A"), (120, "A"), (180, "A")]


def test_a_resolved_alert_is_told_at_once_and_repeated_for_five_minutes_after_that() -> None:
    box = Box()
    box.told_over(10, payload("A"))
    times = [at for at, name in box.told_over(1000, payload("A", NOW + 10)) if name == "!A"]
    assert times == [0, 60, 120, 180, 240]


def test_the_five_minutes_begin_when_the_peer_takes_it_however_long_it_was_away() -> None:
    box = Box()
    box.offer(payload("A"))
    box.clock = 7 * 24 * 3600.0
    box.offer(payload("A", NOW + 10))
    box.box.fail(box.clock)
    box.clock += LONGEST_WAIT
    times = [at for at, _ in box.told_over(1000)]
    assert (times[0], times[-1], len(times)) == (0, 240, 5)


def test_an_alert_that_fired_and_resolved_while_the_peer_was_away_is_told_as_resolved() -> None:
    box = Box()
    for offered in ([payload("A")], [payload("A", NOW + 5)], []):
        box.offer(*offered)
    assert box.take() == ["!A"]


def test_an_alert_that_is_not_offered_any_more_has_ended_when_it_was_missed() -> None:
    box = Box()
    box.told_over(10, payload("A"))
    box.offer()
    (ended,) = box.box.batch(box.clock)
    assert (shown([ended]), ended.resolved_at) == (["!A"], NOW + 10)
    box.told_over(KEEP + 1)
    assert not box.box.entries


def test_labels_that_change_end_the_alert_under_the_old_ones() -> None:
    box = Box()
    box.told_over(1, payload("old"))
    assert box.told_over(1, payload("new")) == [(0, "new"), (0, "!old")]


def test_an_alert_that_fires_anew_is_told_at_once() -> None:
    box = Box()
    box.told_over(5, payload("A"))
    box.told_over(5, payload("A", NOW + 5))
    assert box.told_over(5, payload("A", starts_at=NOW + 10)) == [(0, "A")]


def test_another_text_alone_waits_for_the_next_time() -> None:
    box = Box()
    box.told_over(5, payload("A"))
    assert box.told_over(60, payload("A", detail="It is worse.")) == [(55, "A")]


def test_what_changed_while_it_was_being_sent_is_told_once_more() -> None:
    box = Box()
    box.offer(payload("A"))
    under_way = box.box.batch(0)
    box.offer(payload("A", NOW + 1))
    box.box.took(under_way, 0, NOW)
    assert box.take() == ["!A"]


def test_failures_back_off_to_a_minute_and_a_success_ends_that() -> None:
    box = Box()
    box.offer(payload("A"))
    waits = []
    for _ in range(9):
        assert box.box.due(box.clock)
        box.box.fail(box.clock)
        began = box.clock
        while not box.box.batch(box.clock):
            box.clock += 0.01
        waits.append(box.clock - began)
    for wait, expected in zip(waits, (1, 2, 4, 8, 16, 32, 60, 60, 60), strict=True):
        assert 0.75 * expected <= wait + 0.011
        assert 1 <= wait + 0.011 <= LONGEST_WAIT + 0.03
        assert wait <= 1.25 * expected + 0.02
    assert len({round(wait - round(wait), 2) for wait in waits[:6]}) > 1
    box.take()
    box.offer(payload("A"), payload("B"))
    box.box.fail(box.clock)
    assert not box.box.due(box.clock + 0.9)
    assert box.box.due(box.clock + 1.3)
    assert box.box.failed == 10


def test_a_batch_is_of_two_hundred_and_new_alerts_go_before_repeated_ones() -> None:
    box = Box()
    old = [payload(f"old-{number}") for number in range(250)]
    box.offer(*old)
    assert [len(box.box.batch(0)), len(box.take())] == [BATCH, 250]
    box.clock = INTERVAL
    box.offer(*old, payload("new"))
    assert shown(box.box.batch(box.clock))[0] == "new"


def test_the_one_bad_alert_of_a_batch_is_found_told_of_once_and_left_until_it_changes() -> None:
    box = Box()
    good, bad = [payload(f"A{number}") for number in range(3)], payload("bad")
    reported = []

    def send() -> list[str]:
        """The peer has nothing of a batch with `bad` in it; the names that it took."""
        taken: list[str] = []
        while batch := box.box.batch(box.clock):
            if any(name_of(one.labels) == "bad" and one.resolved_at is None for one in batch):
                refused = box.box.refuse(batch, "no", box.clock)
                reported.extend([refused] if refused else [])
            else:
                box.box.took(batch, box.clock, box.now)
                taken += shown(batch)
        return taken

    box.offer(*good, bad)
    assert sorted(send()) == ["A0", "A1", "A2"]
    assert (reported, box.box.waiting(), box.box.refused) == ([bad], 0, 1)
    box.clock = 2 * INTERVAL
    box.offer(*good, bad)
    assert sorted(send()) == ["A0", "A1", "A2"]
    assert box.box.refused == 1
    changed = payload("bad", detail="It is worse.")
    box.offer(*good, changed)
    assert send() == []
    assert (len(reported), box.box.refused) == (1, 2)
    box.offer(*good, payload("bad", NOW + 1))
    assert send() == ["!bad"]
    assert box.box.refusals() == []


def test_a_refused_alert_whose_text_changes_all_the_time_is_tried_once_an_interval() -> None:
    box = Box()
    for second in range(150):
        box.clock = float(second)
        box.offer(payload("bad", detail=f"For {second} s."))
        while batch := box.box.batch(box.clock):
            box.box.refuse(batch, "no", box.clock)
    assert box.box.refused == 3


def test_what_there_is_no_room_for_is_dropped_and_counted_once_the_oldest_resolved_first() -> None:
    box = Box(limit=3)
    old, older = payload("old", NOW - 5), payload("older", NOW - 50)
    box.offer(payload("A"), old, older)
    for _ in range(5):
        box.offer(payload("A"), payload("B", starts_at=NOW + 1), old, older)
        assert {name_of(labels) for labels in box.box.entries} == {"A", "B", "old"}
    assert box.box.dropped == 1
    box.offer(payload("A"), *(payload(f"C{n}", starts_at=NOW + n) for n in range(2, 9)))
    assert {name_of(labels) for labels in box.box.entries} == {"A", "C2", "C3"}
    assert box.take() == ["A", "C2", "C3"]


def test_the_mark_moves_with_times_and_what_was_taken_as_resolved_and_not_with_texts_or_repeats() -> None:
    box = Box(limit=2)

    def moves(*offered: Payload) -> list[bool]:
        """Whether the mark is another one after an offer, and after the peer took what is due."""
        marks = [box.box.mark()]
        box.clock += INTERVAL
        box.offer(*offered)
        marks.append(box.box.mark())
        box.take()
        marks.append(box.box.mark())
        return [new != old for old, new in pairwise(marks)]

    assert moves(payload("A")) == [True, False]
    assert moves(payload("A", detail="It is worse.")) == [False, False]
    assert moves(payload("A", NOW + 5)) == [True, True]
    assert moves(payload("A", NOW + 5)) == [False, False]
    assert moves(payload("A", starts_at=NOW + 9)) == [True, False]
    assert moves(payload("A", starts_at=NOW + 9), payload("B")) == [True, False]
    crowd = (payload("A", starts_at=NOW + 9), payload("B"), payload("C", starts_at=NOW + 99))
    assert [moves(*crowd), moves(*crowd)] == [[False, False]] * 2, "for C there is no room"
    assert moves() == [True, True]
    for _ in range(5):
        moves()
    assert box.box.mark() == ()


def test_a_resolved_alert_is_told_once_even_where_the_interval_is_longer_than_five_minutes() -> None:
    box = Box()
    box.box.resend_interval = 3600
    box.offer(payload("A", NOW))
    assert box.told_over(8000, payload("A", NOW), every=10) == [(0, "!A")]
