"""What costs time is made once for each state, by one thread, and forgotten when there are too many of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event

import pytest

from triton_watch.daemon.telling.memo import Memo
from triton_watch.daemon.telling.views import views
from unit.daemon.telling.scenes import LATE, NOW, budgets, failing, key, passing, ready, snapshot, source

M = key("m")


def counted(memo: Memo[int], name: str, parts: tuple[object, ...], made: list[str]) -> int:
    def make() -> int:
        made.append(name)
        return len(made)

    return memo.get(name, parts, make)


def test_a_result_is_kept_as_long_as_its_parts_are_equal() -> None:
    memo, made = Memo[int](), list[str]()
    assert [counted(memo, "t", parts, made) for parts in ((1, 2), (1, 2), (1, 3), (1, 2))] == [1, 1, 2, 3]


def test_of_too_many_keys_those_are_forgotten_that_were_asked_for_longest_ago() -> None:
    memo, made = Memo[int](most=2), list[str]()
    for name in ("a", "b", "a", "c", "a", "b"):
        counted(memo, name, (), made)
    assert made == ["a", "b", "c", "b"]


def test_threads_that_want_the_same_have_it_made_once() -> None:
    memo, made, together = Memo[int](), list[str](), Barrier(8)

    def ask() -> int:
        together.wait(5)
        return counted(memo, "t", (1,), made)

    with ThreadPoolExecutor(8) as pool:
        assert {one.result(5) for one in [pool.submit(ask) for _ in range(8)]} == {1}


def test_nobody_waits_for_what_another_key_is_made_of() -> None:
    memo, made, done = Memo[int](), list[str](), Event()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(memo.get, "slow", (), lambda: int(done.wait(5)))
        assert counted(memo, "quick", (), made) == 1
        done.set()
        assert slow.result(5) == 1


def test_what_fails_is_made_anew() -> None:
    memo, made = Memo[int](), list[str]()

    def fail() -> int:
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - it has no words
        memo.get("t", (), fail)
    assert counted(memo, "t", (), made) == 1


def test_a_target_is_judged_once_for_each_state_of_it() -> None:
    state = source(snapshot([ready(M)]), canary_states={"t": {M: passing(M)}}, budget_view=budgets({M: 0.5}))
    (first,) = views(state, NOW)
    assert views(state, NOW + 1) == (first,)
    assert views(replace(state, canary_states={"t": dict(state.canary_states["t"])}), NOW) == (first,)


def test_a_target_is_judged_anew_when_any_part_of_its_state_is_another() -> None:
    state = source(snapshot([ready(M)]), canary_states={"t": {M: passing(M)}}, budget_view=budgets({M: 0.5}))
    (first,) = views(state, NOW)
    others = (
        replace(state, polled={"t": snapshot([ready(M)])}),
        replace(state, canary_states={"t": {M: failing(M)}}),
        replace(state, budget_view=budgets({M: 0.5})),
    )
    for other in others:
        assert views(other, NOW) != (first,)
    assert views(state, LATE) != (first,)
