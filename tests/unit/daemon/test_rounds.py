"""Many who wait for the same page: they share it, and nobody gets anything from before the question."""

from __future__ import annotations

from itertools import count

import pytest

from triton_watch.daemon.rounds import Rounds


def test_who_asked_before_a_making_began_gets_what_it_made_and_others_get_a_new_one() -> None:
    """The clock counts the makings: each begins at its number."""
    makings = count(1)
    rounds = Rounds[int](clock=lambda: float(next(makings)))
    made = count(1)

    def ask(key: str, asked_at: float) -> int:
        return rounds.get(key, asked_at, lambda: next(made))

    assert ask("a", 0.5) == 1
    assert [ask("a", at) for at in (0.5, 0.0, 0.9)] == [1, 1, 1]
    assert ask("b", 0.5) == 2
    assert ask("a", 1.5) == 3
    assert ask("a", 0.5) == 3
    assert ask("a", 3.0) == 4


def test_a_making_that_fails_is_nobodys_answer() -> None:
    rounds = Rounds[int]()
    with pytest.raises(ZeroDivisionError):
        rounds.get("a", 0.0, lambda: 1 // 0)
    assert rounds.get("a", 0.0, lambda: 7) == 7
