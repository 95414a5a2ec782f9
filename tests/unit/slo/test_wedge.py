"""A model is wedged when requests wait for it and none is answered, poll after poll; a slow one is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.frames import FAMILIES, facts, frame, key
from triton_watch.records import Counter, MetricsFrame, ModelKey, Wedged
from triton_watch.slo.sli import compute
from triton_watch.slo.wedge import POLLS, WedgeWatch
from unit.canary_samples import M

if TYPE_CHECKING:
    from collections.abc import Sequence

OTHER = key("other")


@dataclass
class Server:
    """Models and what is polled of them: each poll adds to the counters, and a page comes `every` seconds."""

    models: Sequence[ModelKey] = (M,)
    every: float = 5.0
    watch: WedgeWatch = field(default_factory=WedgeWatch)
    families: frozenset[str] = FAMILIES
    at: float = 0.0
    counters: dict[ModelKey, dict[Counter, float]] = field(default_factory=dict)
    last: MetricsFrame | None = None
    suspects: dict[ModelKey, Wedged] = field(default_factory=dict)
    """All that the last poll reported, sure or not."""

    def poll(
        self, pending: float = 3.0, times: int = 1, only: ModelKey | None = None, **more: float
    ) -> dict[ModelKey, Wedged]:
        """The models that are wedged for sure after so many polls.

        In each poll the counters (of one model or of all) rise by `more`.
        """
        for _ in range(times):
            self.at += self.every
            for model in self.models:
                own = self.counters.setdefault(model, dict.fromkeys(Counter, 0.0))
                for name, value in more.items() if only in (None, model) else ():
                    own[Counter[name.upper()]] += value
            page = frame(
                self.at, {one: self.counters[one] for one in self.models}, pending=pending, families=self.families
            )
            self.suspects = self.watch.observe(compute(self.last, page, facts(page)))
            self.last = page
        return {model: one for model, one in self.suspects.items() if one.is_sure}


def test_four_polls_without_an_answer_while_requests_wait_make_a_model_wedged() -> None:
    server = Server()
    server.poll(success=10)
    assert POLLS == 4
    assert server.poll(times=3) == {}
    assert server.poll() == {M: Wedged(4, 20.0, 3.0)}
    assert server.poll(pending=7) == {M: Wedged(5, 25.0, 7.0)}


def test_two_polls_in_a_row_make_a_suspect_and_four_make_it_sure() -> None:
    server = Server()
    server.poll(pending=0.0, success=10)
    server.poll()
    assert server.suspects == {}
    server.poll()
    assert server.suspects == {M: Wedged(2, 10.0, 3.0)}
    assert not server.suspects[M].is_sure
    server.poll(times=2)
    assert server.suspects[M].is_sure


def test_one_poll_makes_a_suspect_where_requests_waited_all_the_time_that_usually_take_less() -> None:
    server = Server()
    server.poll(success=10)
    server.poll(success=10, request_us=1e6)
    server.poll()
    assert server.suspects == {M: Wedged(1, 5.0, 3.0)}


def test_one_poll_is_no_suspicion_where_the_queue_was_empty_at_its_beginning() -> None:
    server = Server()
    server.poll(success=10)
    server.poll(success=10, request_us=1e6, pending=0.0)
    server.poll()
    assert server.suspects == {}


def test_one_poll_is_no_suspicion_where_nobody_knows_what_a_request_takes() -> None:
    server = Server()
    server.poll(success=10)
    server.poll()
    assert server.suspects == {}


def test_a_suspect_that_usually_takes_long_is_given_its_time_too() -> None:
    server = Server()
    server.poll(success=10)
    server.poll(success=10, request_us=20e6)
    server.poll()
    assert server.suspects == {}, "5 s, and a request takes 2 s: 3 times as long is its patience"
    server.poll()
    assert server.suspects == {M: Wedged(2, 10.0, 3.0)}


def test_an_answer_ends_a_suspicion() -> None:
    server = Server()
    server.poll(success=10)
    server.poll(times=3)
    server.poll(success=1)
    assert server.suspects == {}


def test_the_first_page_measures_nothing_and_counts_for_nothing() -> None:
    server = Server()
    assert server.poll(times=4) == {}
    assert set(server.poll()) == {M}


@pytest.mark.parametrize("counter", ["success", "fail_backend", "fail_other", "fail_rejected"])
def test_any_answer_ends_it(counter: str) -> None:
    server = Server()
    server.poll(success=10)
    assert set(server.poll(times=4)) == {M}
    one: dict[str, Any] = {counter: 1}
    assert server.poll(**one) == {}
    assert server.poll(times=3) == {}


def test_canceled_requests_are_no_answers() -> None:
    """Clients that give up one after another are how a model that hangs looks from outside."""
    server = Server()
    server.poll(success=10)
    assert set(server.poll(times=4, fail_canceled=5)) == {M}


def test_an_idle_model_is_not_wedged() -> None:
    server = Server()
    server.poll(success=10)
    assert server.poll(pending=0.0, times=10) == {}
    server.poll(times=3)
    server.poll(pending=0.0)
    assert server.poll(times=3) == {}, "the queue was empty in between"


def test_a_model_that_needs_long_for_a_request_is_given_three_times_as_long() -> None:
    server = Server(every=1.0)
    server.poll()
    server.poll(success=2, request_us=20e6)
    assert server.poll(times=30) == {}
    assert server.poll() == {M: Wedged(31, 31.0, 3.0)}


def test_the_usual_time_is_that_of_the_last_interval_with_answers() -> None:
    server = Server(every=1.0)
    server.poll()
    server.poll(success=2, request_us=20e6)
    server.poll(success=2, request_us=2e6)
    assert set(server.poll(times=4)) == {M}


def test_a_model_that_was_loaded_again_begins_anew() -> None:
    server = Server()
    server.poll(success=10)
    server.poll(times=3)
    server.counters[M] = dict.fromkeys(Counter, 0.0)
    assert server.poll() == {}, "the counters fell: it was loaded in this interval"
    assert server.poll(times=3) == {}
    assert set(server.poll()) == {M}


def test_a_new_model_is_not_blamed_for_the_interval_in_which_it_came() -> None:
    server = Server()
    server.poll(times=2, success=1)
    server.models = (M, OTHER)
    assert server.poll(only=M, times=4, success=1) == {}
    assert set(server.poll(only=M, success=1)) == {OTHER}


def test_models_in_another_order_keep_their_own_counts() -> None:
    server = Server((M, OTHER))
    server.poll(success=1)
    server.poll(only=OTHER, times=3, success=1)
    server.models = (OTHER, M)
    assert server.poll(only=OTHER, success=1) == {M: Wedged(4, 20.0, 3.0)}


def test_a_model_that_is_gone_for_a_page_begins_anew() -> None:
    server = Server((OTHER, M))
    server.poll(success=1)
    server.poll(only=OTHER, times=4, success=1)
    server.models = (OTHER,)
    assert server.poll(success=1) == {}
    server.models = (OTHER, M)
    assert server.poll(only=OTHER, success=1) == {}
    assert server.poll(only=OTHER, times=3, success=1) == {}


def test_without_a_page_nothing_is_said_and_nothing_is_forgotten() -> None:
    server = Server()
    server.poll(success=10)
    server.poll(times=3)
    assert server.watch.observe(None) == {}
    assert set(server.poll()) == {M}


def test_a_page_of_the_same_moment_changes_nothing() -> None:
    server = Server()
    server.poll(success=10)
    wedged = server.poll(times=4)
    page = server.last
    assert page is not None
    assert server.watch.observe(compute(page, page, facts(page))) == wedged


def test_counters_that_are_switched_off_are_no_sign_of_a_hang() -> None:
    """With counter_latencies=false they stand at 0 under load, while requests wait as they do."""
    server = Server(families=frozenset({"nv_inference_request_success"}))
    assert server.poll(times=10) == {}


def test_a_server_that_does_not_serve_how_many_wait_is_not_judged() -> None:
    assert Server().poll(pending=np.nan, times=10) == {}
