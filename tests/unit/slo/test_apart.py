"""Canaries come off the counters: over time clients' requests are counted exactly, however late the server counts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.frames import facts, frame, key
from triton_watch.records import CanarySent, Counter, FloatArray, MetricsFrame, ModelConfig, ModelKey
from triton_watch.slo.apart import CanaryDebt
from triton_watch.slo.deltas import between
from triton_watch.slo.owed import SETTLED
from triton_watch.slo.sli import compute

M = key("m")
DURATIONS = (Counter.REQUEST_US, Counter.QUEUE_US, Counter.COMPUTE_INFER_US)
SERVED: tuple[Counter, ...] = tuple(
    c for c in Counter if c not in (Counter.FAIL_UNLABELLED, Counter.CACHE_HITS, Counter.CACHE_MISSES)
)
BATCHES = 8
COUNTED = (Counter.SUCCESS, Counter.FAIL_BACKEND, Counter.INFERENCES)


@dataclass(frozen=True)
class Request:
    """One request: after `wait` seconds it is answered, and `late` seconds later it is counted."""

    wait: float
    late: float
    is_canary: bool
    is_error: bool
    rows: int


@dataclass(frozen=True)
class Poll:
    """A page, `wait` seconds after what was before."""

    wait: float


@dataclass
class Server:
    """One model that counts late, and counts errors either as failures or as successes; all is written down."""

    errors_succeed: bool
    has_cache: bool = False
    canary_rows: int = 1
    now: float = 100.0
    under_way: list[tuple[float, dict[Counter, float]]] = field(default_factory=list)
    counters: dict[Counter, float] = field(default_factory=dict)
    clients: dict[Counter, float] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0.0))
    served: int = 0
    broken: int = 0
    had_canary: bool = False

    def __post_init__(self) -> None:
        cache = (Counter.CACHE_HITS, Counter.CACHE_MISSES) if self.has_cache else ()
        self.counters = dict.fromkeys((*SERVED, *cache), 0.0)

    def answer(self, request: Request) -> None:
        self.now += request.wait
        counted = self._counted(request)
        self.under_way.append((self.now + request.late, counted))
        if request.is_canary:
            self.had_canary = True
            self.served += not request.is_error
            self.broken += request.is_error
        else:
            for counter in COUNTED:
                self.clients[counter] += counted.get(counter, 0.0)

    def _counted(self, request: Request) -> dict[Counter, float]:
        if request.is_error and not self.errors_succeed:
            return {Counter.FAIL_BACKEND: 1.0, Counter.EXECUTIONS: 1.0}
        success = {Counter.SUCCESS: 1.0, **dict.fromkeys(DURATIONS, 1000.0)}
        if self.has_cache and request.is_canary and self.had_canary:
            return {**success, Counter.CACHE_HITS: 1.0}
        rows = self.canary_rows if request.is_canary else request.rows
        missed = {Counter.CACHE_MISSES: 1.0} if self.has_cache else {}
        return {**success, **missed, Counter.INFERENCES: float(rows), Counter.EXECUTIONS: 1.0}

    def page(self) -> MetricsFrame:
        """What is counted by now."""
        for entry in [one for one in self.under_way if one[0] <= self.now]:
            self.under_way.remove(entry)
            for counter, more in entry[1].items():
                self.counters[counter] += more
        return frame(self.now, {M: self.counters})

    def take_sent(self) -> dict[ModelKey, CanarySent]:
        """As `TargetCanaries.take_sent` gives it."""
        served, broken, self.served, self.broken = self.served, self.broken, 0, 0
        rows = (served + broken) * self.canary_rows
        return {M: CanarySent(served, broken, served, broken, rows)} if served + broken else {}


@dataclass
class Watcher:
    """Polls the server; `shown` is the sum of what it says that clients did."""

    server: Server
    debt: CanaryDebt = field(default_factory=CanaryDebt)
    last: MetricsFrame | None = None
    shown: FloatArray = field(default_factory=lambda: np.zeros(len(Counter)))

    def poll(self, wait: float) -> None:
        self.server.now += wait
        page = self.server.page()
        self.debt.add(self.server.take_sent())
        raw = between(self.last, page)
        config = ModelConfig("m", max_batch_size=BATCHES, response_cache=self.server.has_cache)
        clean = self.debt.taken_off(raw, page.models, facts(page, config))
        self.last = page
        if clean.interval > 0:
            self.check(raw.counters[:, 0], clean.counters[:, 0])
            self.shown += np.nan_to_num(clean.counters[:, 0])

    def check(self, raw: FloatArray, clean: FloatArray) -> None:
        """What holds for each single interval: nothing below zero, nothing above what the server counted."""
        assert (np.isnan(raw) == np.isnan(clean)).all()
        known = ~np.isnan(raw)
        assert (clean[known] >= 0).all()
        assert (clean[known] <= raw[known]).all()
        assert clean[Counter.EXECUTIONS] >= np.ceil(clean[Counter.INFERENCES] / BATCHES)


WAITS = st.sampled_from((0.0, 0.001, 0.1, 0.3, 0.5, 1.0, 4.0, 15.0, 60.0))
LATE = st.sampled_from((0.0, 0.01, 0.2, SETTLED))
requests = st.builds(Request, WAITS, LATE, st.booleans(), st.booleans(), st.integers(1, BATCHES))
polls = st.builds(Poll, st.sampled_from((0.001, 0.1, 0.4, 0.5, 1.0, 15.0)))
scripts = st.lists(requests | polls, max_size=40)


def played(server: Server, script: list[Request | Poll]) -> Watcher:
    """Play a script to its end, when everything has settled and other clients came."""
    watcher = Watcher(server)
    watcher.poll(0.0)
    for step in script:
        if isinstance(step, Poll):
            watcher.poll(step.wait)
        else:
            server.answer(step)
    for _ in range(3):
        watcher.poll(1.0)
    for _ in range(40):
        server.answer(Request(0.0, 0.0, is_canary=False, is_error=False, rows=BATCHES))
    for _ in range(3):
        watcher.poll(6.0)
    return watcher


@given(scripts, st.booleans(), st.integers(1, BATCHES))
@settings(max_examples=300)
def test_what_is_left_over_time_is_exactly_what_clients_did(
    script: list[Request | Poll], errors_succeed: bool, canary_rows: int
) -> None:
    """Successes, failures and inferences, however late the server counts and whenever the pages are read."""
    server = Server(errors_succeed, canary_rows=canary_rows)
    watcher = played(server, script)
    assert {counter: watcher.shown[counter] for counter in COUNTED} == server.clients


@given(scripts, st.booleans())
@settings(max_examples=200)
def test_requests_to_a_cached_model_are_exact_and_hits_and_misses_add_up(
    script: list[Request | Poll], errors_succeed: bool
) -> None:
    server = Server(errors_succeed, has_cache=True)
    watcher = played(server, script)
    assert watcher.shown[Counter.SUCCESS] == server.clients[Counter.SUCCESS]
    assert watcher.shown[Counter.FAIL_BACKEND] == server.clients[Counter.FAIL_BACKEND]
    answered = watcher.shown[Counter.CACHE_HITS] + watcher.shown[Counter.CACHE_MISSES]
    assert answered == watcher.shown[Counter.SUCCESS]


# One thing at a time, by hand

ZERO: dict[Counter, float] = dict.fromkeys(SERVED, 0.0)


def taken(
    debt: CanaryDebt, later: dict[Counter, float], *, config: ModelConfig | None = None, seconds: float = 10.0
) -> dict[Counter, float]:
    """The increases of one interval in which the counters went from 0 to `later`, without the canaries."""
    start: dict[Counter, float] = {**ZERO, **dict.fromkeys(later, 0.0)}
    before, now = frame(0.0, {M: start}), frame(seconds, {M: {**start, **later}})
    clean = debt.taken_off(between(before, now), now.models, facts(now, config or ModelConfig("m", max_batch_size=8)))
    return {counter: float(clean.counters[counter, 0]) for counter in Counter}


def owing(served: int = 0, broken: int = 0, rows: int | None = None) -> CanaryDebt:
    debt = CanaryDebt()
    every = served + broken
    debt.add({M: CanarySent(served, broken, served, broken, every if rows is None else rows)})
    return debt


def test_requests_inferences_and_time_in_proportion_come_off() -> None:
    later = {Counter.SUCCESS: 10.0, Counter.INFERENCES: 40.0, Counter.EXECUTIONS: 10.0, Counter.REQUEST_US: 1000.0}
    left = taken(owing(served=2, rows=2), later)
    assert left[Counter.SUCCESS] == 8.0
    assert left[Counter.INFERENCES] == 38.0
    assert left[Counter.EXECUTIONS] == 8.0
    assert left[Counter.REQUEST_US] == pytest.approx(800.0)


def test_an_error_comes_off_the_failures_with_its_execution_and_no_inference() -> None:
    later = {Counter.SUCCESS: 10.0, Counter.FAIL_BACKEND: 3.0, Counter.INFERENCES: 10.0, Counter.EXECUTIONS: 13.0}
    left = taken(owing(broken=1), later)
    assert (left[Counter.SUCCESS], left[Counter.FAIL_BACKEND]) == (10.0, 2.0)
    assert (left[Counter.INFERENCES], left[Counter.EXECUTIONS]) == (10.0, 12.0)


def test_requests_that_the_server_rejected_are_clients_own() -> None:
    """Who is turned away hears that the server is busy: that is no error of the model."""
    assert taken(owing(broken=1), {Counter.SUCCESS: 5.0, Counter.FAIL_REJECTED: 2.0})[Counter.FAIL_REJECTED] == 2.0


def test_a_server_before_24_07_counts_errors_without_a_reason() -> None:
    assert taken(owing(broken=1), {Counter.FAIL_UNLABELLED: 2.0})[Counter.FAIL_UNLABELLED] == 1.0


def test_an_error_waits_until_a_failure_would_have_shown_before_it_is_a_success() -> None:
    debt = owing(broken=1)
    assert taken(debt, {Counter.SUCCESS: 5.0})[Counter.SUCCESS] == 5.0, "its failure may be counted in a moment"
    assert taken(debt, {Counter.SUCCESS: 5.0}, seconds=0.4)[Counter.SUCCESS] == 5.0
    assert taken(debt, {Counter.SUCCESS: 5.0}, seconds=0.2)[Counter.SUCCESS] == 4.0
    assert taken(debt, {Counter.SUCCESS: 5.0})[Counter.SUCCESS] == 5.0


def test_errors_of_an_idle_model_that_stand_among_the_successes_are_not_taken_for_clients_time_and_again() -> None:
    """The first one is seen too late; each later page pays for the one before."""
    debt, shown = owing(), 0.0
    for _ in range(20):
        debt.add({M: CanarySent(0, 1, 0, 1, 1)})
        shown += taken(debt, {Counter.SUCCESS: 1.0, Counter.INFERENCES: 1.0})[Counter.SUCCESS]
        shown += taken(debt, {})[Counter.SUCCESS]
    assert shown == 1.0


def test_canaries_that_the_server_never_counts_cost_no_client_a_success_for_ever() -> None:
    """A server whose counters stand still for hours, and the first hour in which they do not."""
    debt = owing()
    for _ in range(100):
        debt.add({M: CanarySent(1, 1, 1, 1, 2)})
        taken(debt, {})
    assert taken(debt, {Counter.SUCCESS: 200.0})[Counter.SUCCESS] >= 198.0, (
        "the last ones alone may still be on their way"
    )


def test_a_request_that_an_earlier_page_showed_while_its_sequence_went_on_is_made_good() -> None:
    debt = CanaryDebt()
    assert taken(debt, {Counter.SUCCESS: 2.0})[Counter.SUCCESS] == 2.0
    debt.add({M: CanarySent(1, 0, 3, 0, 3)})
    assert taken(debt, {Counter.SUCCESS: 1.0})[Counter.SUCCESS] == 0.0
    assert taken(debt, {})[Counter.SUCCESS] == 0.0
    assert taken(debt, {Counter.SUCCESS: 7.0})[Counter.SUCCESS] == 5.0


def test_canaries_that_the_cache_answered_were_no_inferences() -> None:
    later = {Counter.SUCCESS: 10.0, Counter.INFERENCES: 6.0, Counter.EXECUTIONS: 6.0,
             Counter.CACHE_HITS: 4.0, Counter.CACHE_MISSES: 6.0}  # fmt: skip
    left = taken(owing(served=3), later, config=ModelConfig("m", max_batch_size=8, response_cache=True))
    assert (left[Counter.SUCCESS], left[Counter.INFERENCES], left[Counter.EXECUTIONS]) == (7.0, 6.0, 6.0)
    assert (left[Counter.CACHE_HITS], left[Counter.CACHE_MISSES]) == (1.0, 6.0)


def test_a_cached_model_without_counters_of_its_cache_keeps_to_its_requests() -> None:
    config = ModelConfig("m", max_batch_size=8, response_cache=True)
    left = taken(owing(served=3), {Counter.SUCCESS: 10.0, Counter.INFERENCES: 10.0}, config=config)
    assert (left[Counter.SUCCESS], left[Counter.INFERENCES]) == (7.0, 7.0)
    assert np.isnan([left[Counter.CACHE_HITS], left[Counter.CACHE_MISSES]]).all()


def test_what_a_page_lacks_stays_unknown() -> None:
    """An indicator that the server does not serve does not turn into a zero by canaries."""
    page = {Counter.SUCCESS: 10.0}
    before, now = frame(0.0, {M: {Counter.SUCCESS: 0.0}}), frame(10.0, {M: page})
    clean = owing(served=1).taken_off(between(before, now), now.models, facts(now)).counters[:, 0]
    assert clean[Counter.SUCCESS] == 9.0
    assert np.isnan(clean[1:]).all()


@pytest.mark.parametrize("config", [ModelConfig("other"), ModelConfig("m"), ModelConfig("m", max_batch_size=1)])
def test_executions_are_never_more_than_the_server_counted(config: ModelConfig) -> None:
    """Also of a model whose largest batch is not known."""
    later = {Counter.SUCCESS: 10.0, Counter.INFERENCES: 40.0, Counter.EXECUTIONS: 5.0}
    assert taken(owing(served=1), later, config=config)[Counter.EXECUTIONS] <= 5.0


def test_a_reset_ends_the_debt_and_leaves_nothing_below_zero() -> None:
    """Nobody can tell which canaries the counters that began anew have seen."""
    debt = owing(served=5, broken=5)
    before = frame(0.0, {M: {**ZERO, Counter.SUCCESS: 100.0}})
    now = frame(10.0, {M: {**ZERO, Counter.SUCCESS: 3.0}})
    clean = debt.taken_off(between(before, now), now.models, facts(now, ModelConfig("m")))
    assert clean.counters[Counter.SUCCESS, 0] == 0.0
    assert taken(debt, {Counter.SUCCESS: 50.0})[Counter.SUCCESS] == 50.0


def test_a_model_that_vanishes_takes_its_debt_along_and_others_keep_theirs() -> None:
    other = key("other")
    debt = CanaryDebt()
    debt.add({one: CanarySent(2, 0, 2, 0, 2) for one in (M, other)})
    before, now = (frame(at, {other: {**ZERO, Counter.SUCCESS: good}}) for at, good in ((0.0, 0.0), (10.0, 5.0)))
    clean = debt.taken_off(between(before, now), now.models, facts(now))
    assert clean.counters[Counter.SUCCESS, 0] == 3.0
    assert taken(debt, {Counter.SUCCESS: 50.0})[Counter.SUCCESS] == 50.0, "it came back and began at zero"


def test_canaries_before_the_first_page_are_where_counting_begins() -> None:
    """A metrics page that comes late has them in it: later ones do not show them again."""
    debt = owing(served=2, broken=1)
    page = frame(5.0, {M: {**ZERO, Counter.SUCCESS: 9.0}})
    deltas = between(None, page)
    assert debt.taken_off(deltas, page.models, facts(page)) is deltas
    assert taken(debt, {Counter.SUCCESS: 5.0})[Counter.SUCCESS] == 5.0


def test_models_in_a_namespace_are_known_by_name_and_version() -> None:
    spaced = ModelKey("m", "1", "team")
    before, now = (frame(at, {spaced: {**ZERO, Counter.SUCCESS: good}}) for at, good in ((0.0, 0.0), (10.0, 5.0)))
    clean = owing(served=2).taken_off(between(before, now), now.models, facts(now))
    assert clean.counters[Counter.SUCCESS, 0] == 3.0


def test_slis_are_of_clients_alone_while_completions_and_the_page_are_as_the_server_counted() -> None:
    before, now = frame(0.0, {M: ZERO}), frame(10.0, {M: {**ZERO, Counter.SUCCESS: 10.0, Counter.FAIL_BACKEND: 2.0}})
    table = compute(before, now, facts(now, ModelConfig("m")), owing(served=4, broken=1), np.array([[4.0], [1.0]]))
    assert (table.deltas[Counter.SUCCESS, 0], table.deltas[Counter.FAIL_BACKEND, 0]) == (6.0, 1.0)
    assert table.completed is not None
    assert table.completed[0] == 12.0
    assert table.frame.counters[Counter.SUCCESS, 0] == 10.0
