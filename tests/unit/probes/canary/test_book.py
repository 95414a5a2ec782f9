"""What is known of the canaries of a target: read by anybody at any time, while others write."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from triton_watch.probes.canary.book import StateBook
from triton_watch.probes.canary.single import Canary
from triton_watch.records import CanaryOptions, CanarySettings, ModelKey, SkipReason
from unit.probes.canary.parts import KEY, config_of, result_of

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = ModelKey("other", "1")
SETTINGS = CanarySettings()
PENDING = SkipReason.PENDING


def canary(key: ModelKey = KEY, *, known: bool = True) -> Canary:
    return Canary(key, CanaryOptions(), config_of() if known else None, None)


def book_of(*keys: ModelKey) -> StateBook:
    book = StateBook()
    for key in keys:
        book.open(canary(key, known=False))
    return book


CHANGES: dict[str, Callable[[StateBook], None]] = {
    "a canary ended": lambda book: book.add(result_of(), SETTINGS, is_first=False, counts=True),
    "a canary was skipped": lambda book: book.skip(KEY, PENDING),
    "a failure counts": lambda book: book.let_count(KEY, SETTINGS),
    "a plan was made anew": lambda book: book.describe(canary()),
    "a model has none any more": lambda book: book.close(KEY),
    "a model has one": lambda book: book.open(canary(ModelKey("new", "1"))),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_seen_by_the_next_reader_and_not_by_those_before(change: Callable[[StateBook], None]) -> None:
    book = book_of(KEY, OTHER)
    before = book.states
    as_it_was = dict(before)
    change(book)
    assert dict(before) == as_it_was
    assert dict(book.states) != as_it_was
    assert book.states[OTHER] is before[OTHER]


def test_readers_share_one_copy_until_something_changes() -> None:
    book = book_of(KEY)
    first = book.states
    book.skip(OTHER, PENDING)
    book.close(OTHER)
    book.forget_all_but({KEY})
    assert book.states is first, "a model without a canary changes nothing"
    book.skip(KEY, PENDING)
    assert book.states is not first
    assert book.states is book.states


def test_a_reader_cannot_change_what_others_read() -> None:
    states: Any = book_of(KEY).states
    with pytest.raises(TypeError):
        states[OTHER] = states[KEY]


def test_the_state_of_one_model_is_the_one_that_all_readers_get() -> None:
    book = book_of(KEY)
    book.skip(KEY, PENDING)
    assert book.get(KEY) is book.states[KEY]
    assert book.get(OTHER) is None


def test_readers_see_all_models_at_one_moment_while_canaries_end() -> None:
    """The first model is always skipped before the second: no reader may ever see it the other way round."""
    book, seen, done = book_of(KEY, OTHER), [], threading.Event()

    def read() -> None:
        while not done.is_set():
            states = book.states
            seen.append(states[KEY].skipped.get(PENDING, 0) - states[OTHER].skipped.get(PENDING, 0))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(2000):
        book.skip(KEY, PENDING)
        book.skip(OTHER, PENDING)
    done.set()
    for reader in readers:
        reader.join()
    assert set(seen) <= {0, 1}
    assert book.states[OTHER].skipped == {PENDING: 2000}


def test_a_canary_costs_the_same_among_thousands_of_models_as_among_ten() -> None:
    """Nothing is copied for it; copying 20,000 states would take some twenty times as long as the canary itself."""

    def seconds(book: StateBook) -> float:
        begin = time.thread_time()
        for _ in range(200):
            book.skip(KEY, PENDING)
            book.get(KEY)
        return time.thread_time() - begin

    few = book_of(KEY, *(ModelKey(f"m{i}", "1") for i in range(9)))
    many = book_of(KEY, *(ModelKey(f"m{i}", "1") for i in range(19_999)))
    assert min(seconds(many) for _ in range(5)) < 5 * min(seconds(few) for _ in range(5))
