"""Answers made once for many: how long, how many, and what happens to those who wait."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from triton_watch.daemon.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 5.0


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Maker:
    """Counts how often it was asked; each answer is another one."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> bytes:
        self.made += 1
        return b"%d" % self.made


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_within_a_second_everybody_gets_what_the_first_one_got(clock: Clock) -> None:
    shared, make = Shared[bytes](clock=clock), Maker()
    assert shared.get("key", make) == b"1"
    clock.now += 0.999
    assert shared.get("key", make) == b"1"
    clock.now += 0.001
    assert shared.get("key", make) == b"2"


def test_what_is_old_behind_something_newer_is_made_again_and_counted_once(clock: Clock) -> None:
    shared, make = Shared[bytes](clock=clock, entries=2), Maker()

    def while_another_is_made() -> bytes:
        clock.now += 0.9
        shared.get("other", lambda: b"other")
        return make()

    assert shared.get("key", while_another_is_made) == b"1"
    clock.now += 0.5
    assert shared.get("key", make) == b"2"
    assert shared.get("other", make) == b"other"


def test_the_second_counts_from_the_begin_of_the_making(clock: Clock) -> None:
    """What was read first is then a second old, however long the rest took."""
    shared, make = Shared[bytes](clock=clock), Maker()

    def slow() -> bytes:
        clock.now += 3.0
        return make()

    assert shared.get("key", slow) == b"1"
    assert shared.get("key", make) == b"2"


def test_each_key_has_its_own_answer(clock: Clock) -> None:
    shared, make = Shared[bytes](clock=clock), Maker()
    assert [shared.get(key, make) for key in ("a", ("a", "b"), "a")] == [b"1", b"2", b"1"]


def test_a_hundred_readers_at_once_are_one_making() -> None:
    shared, made, everybody = Shared[bytes](), Maker(), threading.Barrier(100)
    entered, go = threading.Event(), threading.Event()

    def slow() -> bytes:
        entered.set()
        assert go.wait(PATIENCE)
        return made()

    def read(_: int) -> bytes:
        everybody.wait(PATIENCE)
        return shared.get("key", slow)

    with ThreadPoolExecutor(100) as pool:
        found = pool.map(read, range(100))
        assert entered.wait(PATIENCE)
        go.set()
        assert set(found) == {b"1"}
    assert made.made == 1


def test_whoever_asks_for_something_else_does_not_wait() -> None:
    shared, entered, go = Shared[bytes](), threading.Event(), threading.Event()

    def slow() -> bytes:
        entered.set()
        assert go.wait(PATIENCE)
        return b"slow"

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(shared.get, "slow", slow)
        assert entered.wait(PATIENCE)
        assert shared.get("quick", lambda: b"quick") == b"quick"
        go.set()
        assert late.result(PATIENCE) == b"slow"


def test_a_failure_reaches_those_who_wait_and_is_not_kept() -> None:
    shared, entered, go = Shared[bytes](), threading.Event(), threading.Event()

    def failing() -> bytes:
        entered.set()
        assert go.wait(PATIENCE)
        raise ValueError("no")

    def reader(make: Callable[[], bytes]) -> bytes:
        return shared.get("key", make)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(reader, failing)
        assert entered.wait(PATIENCE)
        second = pool.submit(reader, failing)
        go.set()
        for one in (first, second):
            with pytest.raises(ValueError, match="no"):
                one.result(PATIENCE)
    assert shared.get("key", lambda: b"well again") == b"well again"


def test_no_more_entries_are_kept_than_there_is_room_for(clock: Clock) -> None:
    """The oldest goes first."""
    shared, make = Shared[bytes](entries=2, clock=clock), Maker()
    assert [shared.get(key, make) for key in "abc"] == [b"1", b"2", b"3"]
    assert [shared.get(key, make) for key in "bca"] == [b"2", b"3", b"4"]


def test_no_more_bytes_are_kept_than_there_is_room_for(clock: Clock) -> None:
    """An answer that is larger than all room is told, and not kept."""
    shared, make = Shared[bytes](weight=10, clock=clock), Maker()
    assert shared.get("a", lambda: b"x" * 6) == b"x" * 6
    assert shared.get("b", lambda: b"x" * 6) == b"x" * 6
    assert shared.get("b", make) == b"x" * 6
    assert shared.get("a", make) == b"1"
    assert shared.get("large", lambda: b"x" * 11) == b"x" * 11
    assert shared.get("large", make) == b"2"


def test_what_is_no_bytes_is_weighed_by_whoever_keeps_it(clock: Clock) -> None:
    shared, texts = Shared[str](weight=3, weigh=len, clock=clock), iter(("abc", "d", "e"))
    assert [shared.get(key, lambda: next(texts)) for key in (1, 2, 2, 1)] == ["abc", "d", "d", "e"]


def test_what_is_old_is_let_go_though_nobody_asks_for_it_again(clock: Clock) -> None:
    """Memory is not held for answers that nobody may have any more."""

    class Answer:
        gone = False

        def __del__(self) -> None:
            Answer.gone = True

    shared = Shared[Answer](clock=clock)
    shared.get("old", Answer)
    clock.now += 2.0
    shared.get("other", Answer)
    assert Answer.gone
