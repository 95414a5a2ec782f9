"""A ledger is bounded: what was silent longest makes room, and what finds none is counted, not lost silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.frames import facts, frame, key
from support.objectives import PERIOD, availability
from triton_watch.records import Counter, MetricsFrame, ModelKey
from triton_watch.slo.ledger import Ledger
from triton_watch.slo.sli import compute

if TYPE_CHECKING:
    from collections.abc import Sequence

ZERO = dict.fromkeys(Counter, 0.0)


class Polls:
    """Pages of these models, one each 10 s; every model had one more good request."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._last: MetricsFrame | None = None
        self._count = 0.0

    def poll(self, models: Sequence[str], seconds: float = 10.0) -> None:
        self._count += 1
        at = self.ledger.time + seconds
        page = frame(at, {key(name): {**ZERO, Counter.SUCCESS: self._count} for name in models})
        self.ledger.observe(compute(self._last, page, facts(page)), at)
        self._last = page

    def names(self) -> list[str]:
        return [one.model.name for one in self.ledger.keys]


def polls(max_series: int) -> Polls:
    return Polls(Ledger("t", (availability(),), time=0.0, max_series=max_series))


def test_models_that_left_make_room_the_longest_silent_first() -> None:
    server = polls(3)
    server.poll(["a", "b", "c"])
    server.poll(["b", "c"])
    server.poll(["c"])
    server.poll(["c", "d"])
    assert server.names() == ["b", "c", "d"]
    server.poll(["c", "d", "e"])
    assert server.names() == ["c", "d", "e"]
    assert server.ledger.refused == 0


def test_models_beyond_the_room_are_refused_and_counted_until_there_is_some() -> None:
    server = polls(2)
    server.poll(["a", "b", "c", "d"])
    assert (server.names(), server.ledger.refused) == (["a", "b"], 2)
    server.poll(["a", "d"])
    assert (server.names(), server.ledger.refused) == (["a", "d"], 0)


def test_a_model_that_comes_back_within_the_period_goes_on_with_its_events() -> None:
    server = polls(5)
    server.poll(["a", "b"])
    server.poll(["a", "b"])
    server.poll(["b"])
    server.poll(["a", "b"])
    sums = server.ledger.sums(0.0)
    assert dict(zip(server.names(), sums.good[-1].tolist(), strict=True)) == {"a": 5.0, "b": 3.0}


def test_a_model_that_was_away_for_a_whole_period_begins_anew() -> None:
    server = polls(5)
    server.poll(["a", "b"])
    server.poll(["a", "b"])
    server.poll(["b"], seconds=PERIOD + 10)
    assert server.names() == ["b"]
    server.poll(["a", "b"])
    assert set(server.names()) == {"a", "b"}
    column = server.names().index("a")
    assert (server.ledger.sums(0.0).good[:, column] == 4.0).all(), "it was loaded since the last page, so from zero"


def test_other_versions_and_namespaces_are_series_of_their_own() -> None:
    ledger = Ledger("t", (availability(),), time=0.0)
    models = {ModelKey("a", "1"): ZERO, ModelKey("a", "2"): ZERO, ModelKey("a", "1", "shop"): ZERO}
    page = frame(10.0, models)
    ledger.observe(compute(None, page, facts(page)), 10.0)
    assert [one.model for one in ledger.keys] == list(models)
