"""The daemon's budgets: fed by cycles, carried over reloads and restarts, never shown better than they are."""

from __future__ import annotations

import itertools
import logging
import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from support.frames import facts, frame, key
from support.objectives import DAY, HOUR, availability, queue_time
from triton_watch.daemon.books import Books
from triton_watch.daemon.budgets import Budgets
from triton_watch.records import (
    VERDICTS,
    BudgetTable,
    Counter,
    Credentials,
    Objective,
    PrometheusSettings,
    SeriesKey,
    SloSettings,
    Timeouts,
    TlsSettings,
    Verdict,
)
from triton_watch.slo.sli import compute
from triton_watch.store.errors import StoreBusyError
from triton_watch.store.reader import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from triton_watch.records import MetricsFrame, SliTable

M = key("m")
LOG = logging.getLogger("triton_watch.test")


class Server:
    """A page whose counters a test moves; each call of `next` is one poll, `seconds` after the last."""

    def __init__(self) -> None:
        self.clock = 1000.0
        self.counters = dict.fromkeys(Counter, 0.0)
        self._last: MetricsFrame | None = None

    def now(self) -> float:
        return 1.7e9 + self.clock

    def next(self, good: float = 0.0, bad: float = 0.0, seconds: float = 10.0) -> SliTable:
        self.clock += seconds
        self.counters[Counter.SUCCESS] += good
        self.counters[Counter.FAIL_BACKEND] += bad
        page = frame(self.clock, {M: dict(self.counters)})
        table = compute(self._last, page, facts(page))
        self._last = page
        return table


@pytest.fixture
def server() -> Server:
    return Server()


def budgets_on(server: Server, *objectives: Objective) -> Budgets:
    budgets = Budgets(SloSettings(objectives or (availability(),)), clock=lambda: server.clock, now=server.now)
    budgets.watch("t")
    return budgets


def table_of(budgets: Budgets) -> BudgetTable:
    (table,) = budgets.targets()["t"].tables
    return table


def verdict_of(budgets: Budgets, slo: str = "availability") -> Verdict:
    table = table_of(budgets)
    return VERDICTS[int(table.verdict[table.sums.keys.index(SeriesKey(slo, "t", M))])]


def test_a_series_is_there_at_zero_before_anything_was_counted(server: Server) -> None:
    """A counter that begins at 0 is what rate() needs to see the first events."""
    budgets = budgets_on(server)
    budgets.observe("t", server.next(good=1000))
    table = table_of(budgets)
    assert table.sums.keys == (SeriesKey("availability", "t", M),)
    assert (table.counted_good[0], table.counted_bad[0]) == (0.0, 0.0)
    assert verdict_of(budgets) is Verdict.NO_DATA


def test_verdicts_go_from_ok_over_burning_to_exhausted(server: Server) -> None:
    budgets = budgets_on(server)
    budgets.observe("t", server.next())
    budgets.observe("t", server.next(good=1_000_000))
    assert verdict_of(budgets) is Verdict.OK
    for _ in range(6 * 60):
        budgets.observe("t", server.next())  # an hour goes by, and the good ones leave the short windows
    budgets.observe("t", server.next(good=900, bad=100))
    assert verdict_of(budgets) is Verdict.BURNING
    assert table_of(budgets).tiers[table_of(budgets).fires[0]].factor == 14.4
    assert table_of(budgets).remaining[0] == pytest.approx(1 - 100 / 1001)
    budgets.observe("t", server.next(bad=2000))
    assert verdict_of(budgets) is Verdict.EXHAUSTED
    assert table_of(budgets).exhaustion[0] == 0.0


def test_the_courses_of_a_model_are_those_of_all_its_objectives_and_end_at_what_was_counted(server: Server) -> None:
    budgets = budgets_on(server, availability(), queue_time(), replace(availability(), name="week", period=7 * DAY))
    budgets.observe("t", server.next())
    budgets.observe("t", server.next(good=90))
    budgets.observe("t", server.next(bad=10))
    courses = budgets.courses("t", M)
    assert set(courses) == {"availability", "queue-time", "week"}
    for name in ("availability", "week"):
        assert (courses[name].good[-1], courses[name].bad[-1]) == (90.0, 10.0)
        assert courses[name].times[-1] == server.now()
    assert budgets.courses("t", key("other")) == {}
    assert budgets.courses("other", M) == {}


def test_too_few_events_fire_nothing(server: Server) -> None:
    budgets = budgets_on(server, availability(0.9, min_events=20))
    budgets.observe("t", server.next())
    budgets.observe("t", server.next(good=1000))
    for _ in range(6 * 24 * 60):
        budgets.observe("t", server.next())
    budgets.observe("t", server.next(bad=19))
    assert verdict_of(budgets) is Verdict.OK
    budgets.observe("t", server.next(bad=1))
    assert verdict_of(budgets) is Verdict.BURNING


def test_a_page_that_stays_away_turns_ok_into_no_data_and_a_silent_model_does_not(server: Server) -> None:
    budgets = budgets_on(server, availability(no_data_after=60.0))
    budgets.observe("t", server.next())
    budgets.observe("t", server.next(good=10))
    for _ in range(20):
        budgets.observe("t", server.next())
    assert verdict_of(budgets) is Verdict.OK, "no traffic is not no data"
    server.clock += 50
    budgets.observe("t", None)
    assert verdict_of(budgets) is Verdict.OK
    server.clock += 11
    budgets.observe("t", None)
    assert verdict_of(budgets) is Verdict.NO_DATA
    assert table_of(budgets).sums.silence[0] == 61.0
    budgets.observe("t", server.next(good=1))
    assert verdict_of(budgets) is Verdict.OK


def test_an_objective_that_matches_nothing_is_counted_as_such(server: Server) -> None:
    budgets = budgets_on(server, availability(), replace(queue_time(), models=("txt_*",)))
    budgets.observe("t", server.next())
    assert budgets.targets()["t"].matched == {"availability": 1, "queue-time": 0}


def test_a_reload_keeps_what_was_counted_for_objectives_that_stay(server: Server) -> None:
    budgets = budgets_on(server, availability(), queue_time())
    budgets.observe("t", server.next())
    budgets.observe("t", server.next(good=10))
    budgets.swap(SloSettings((availability(0.99),)))
    budgets.observe("t", server.next(good=5))
    table = table_of(budgets)
    assert [one.slo for one in table.sums.keys] == ["availability"]
    assert (table.counted_good[0], table.sums.good[-1, 0], table.objective[0]) == (15.0, 15.0, 0.99)


def test_a_period_that_was_changed_and_changed_back_has_its_events_again(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    books = Books(SloSettings((availability(),)), log=LOG, clock=lambda: server.clock, now=server.now)
    books.watch("t")
    books.observe("t", server.next())
    books.observe("t", server.next(good=10))

    def good() -> float:
        (table,) = books.view().targets["t"].tables
        return float(table.sums.good[-1].sum())

    books.swap(SloSettings((availability(period=7 * DAY),)))
    assert "is counted anew" in caplog.text
    books.observe("t", server.next(good=1))
    assert good() == 1.0
    books.swap(SloSettings((availability(),)))
    books.observe("t", server.next(good=1))
    assert good() == 11.0, "what was counted meanwhile is not in it"
    books.close()


def test_a_restart_goes_on_with_the_stored_events_and_counts_from_zero_for_prometheus(server: Server) -> None:
    first = budgets_on(server)
    first.observe("t", server.next())
    first.observe("t", server.next(good=90, bad=10))
    stored = first.changes(full=True)
    server.clock += HOUR
    second = Budgets(SloSettings((availability(),)), stored, clock=lambda: server.clock, now=server.now)
    second.watch("t")
    second.observe("t", server.next())
    table = table_of(second)
    by_window = dict(zip(table.sums.windows, table.sums.bad[:, 0].tolist(), strict=True))
    assert table.counted_bad[0] == 0.0
    assert (by_window[5 * 60.0], by_window[HOUR], by_window[6 * HOUR], by_window[30 * DAY]) == (0.0, 0.0, 10.0, 10.0)


def test_a_clock_that_was_set_back_while_the_agent_was_down_ages_nothing(server: Server) -> None:
    first = budgets_on(server)
    first.observe("t", server.next())
    first.observe("t", server.next(bad=10))
    stored = first.changes(full=True)
    second = Budgets(SloSettings((availability(),)), stored, clock=lambda: 5.0, now=lambda: 1.6e9)
    second.watch("t")
    second.observe("t", None)
    assert (table_of(second).sums.bad[:, 0] == 10.0).all()


def test_numbers_that_cannot_be_are_thrown_away_and_counted(server: Server) -> None:
    budgets = budgets_on(server)
    budgets.observe("t", server.next())
    budgets.observe("t", server.next(good=np.inf))
    assert budgets.targets()["t"].odd == {"availability": 1}
    assert table_of(budgets).sums.good[-1, 0] == 0.0


def test_the_books_survive_a_crash_with_what_was_flushed_and_refuse_a_second_keeper(
    server: Server, tmp_path: Path
) -> None:
    settings = SloSettings((availability(),), state_dir=tmp_path / "state")

    def opened() -> Books:
        books = Books(settings, log=LOG, clock=lambda: server.clock, now=server.now)
        books.watch("t")
        return books

    first = opened()
    first.observe("t", server.next())
    first.observe("t", server.next(good=7, bad=3))
    first.flush()
    first.observe("t", server.next(good=100))  # lost with the crash
    with pytest.raises(StoreBusyError, match=r"--state"):
        opened()
    first._keeper.close()  # type: ignore[union-attr]  # noqa: SLF001 - a crash: the lock goes, nothing is flushed
    second = opened()
    second.observe("t", None)
    (table,) = second.view().targets["t"].tables
    assert (table.sums.good[-1, 0], table.sums.bad[-1, 0]) == (7.0, 3.0)
    status = second.view().store
    assert status is not None
    assert status.persistent
    second.close()


def test_objectives_that_come_with_a_reload_get_their_store_then(server: Server, tmp_path: Path) -> None:
    settings = SloSettings((), state_dir=tmp_path / "state")
    books = Books(settings, log=LOG, clock=lambda: server.clock, now=server.now)
    books.watch("t")
    books.observe("t", server.next())
    assert books.view().store is None
    books.swap(replace(settings, objectives=(availability(),)))
    books.observe("t", server.next(good=5))
    books.flush()
    status = books.view().store
    assert status is not None
    assert status.persistent
    assert (tmp_path / "state" / "slo.sqlite").exists()
    books.close()


def test_a_reload_that_would_move_the_store_is_told_to_take_a_restart(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = SloSettings((availability(),), state_dir=tmp_path / "one")
    books = Books(settings, log=LOG, clock=lambda: server.clock, now=server.now)
    books.swap(replace(settings, state_dir=tmp_path / "two", flush_interval=1.0))
    assert "takes effect after a restart" in caplog.text
    assert books.flush_interval == settings.flush_interval
    books.close()
    assert not (tmp_path / "two").exists()


def test_without_a_directory_events_are_in_memory_and_no_store_is_shown(server: Server) -> None:
    books = Books(SloSettings((availability(),)), log=LOG, clock=lambda: server.clock, now=server.now)
    books.watch("t")
    books.observe("t", server.next())
    books.flush()
    assert books.view().store is None
    assert len(books.view().targets["t"].tables) == 1
    books.forget("t")
    assert not books.view().targets
    books.close()


def test_where_a_prometheus_has_the_events_there_is_no_course_of_them(server: Server) -> None:
    there = PrometheusSettings("http://127.0.0.1:1", Timeouts(1.0, 1.0, 1.0), Credentials(), TlsSettings())
    for prometheus, names in ((None, {"availability"}), (there, set())):
        settings = SloSettings((availability(),), prometheus=prometheus)
        books = Books(settings, log=LOG, clock=lambda: server.clock, now=server.now)
        books.watch("t")
        books.observe("t", server.next())
        books.observe("t", server.next(good=1))
        assert books.courses("t", M).keys() == names


def test_an_objective_that_was_gone_or_about_something_else_begins_anew(server: Server) -> None:
    budgets = budgets_on(server, availability())
    budgets.observe("t", server.next())
    budgets.observe("t", server.next(good=10))
    same_name = replace(queue_time(), name="availability")
    for other in ((), (same_name,)):
        budgets.swap(SloSettings(other))
        budgets.swap(SloSettings((availability(),)))
        budgets.observe("t", server.next(good=3))
        assert table_of(budgets).sums.good[-1, 0] == 3.0


def test_a_reload_is_on_the_page_at_once(server: Server) -> None:
    """Not only after the target's next cycle: no series of an objective that is gone, none without its facts."""
    budgets = budgets_on(server, availability(), queue_time())
    budgets.observe("t", server.next())
    budgets.swap(SloSettings((queue_time(),)))
    assert [key.slo for key in table_of(budgets).sums.keys] == ["queue-time"]
    assert budgets.targets()["t"].matched == {"queue-time": 1}


def test_what_was_counted_before_a_period_changed_is_written(server: Server) -> None:
    budgets = budgets_on(server, availability())
    budgets.observe("t", server.next())
    budgets.changes(full=False)
    budgets.observe("t", server.next(good=10))
    budgets.swap(SloSettings((availability(period=7 * DAY),)))
    for full, expected in ((False, [30 * DAY, 7 * DAY]), (False, [7 * DAY]), (True, [30 * DAY, 7 * DAY])):
        written = budgets.changes(full=full)
        assert [state.period for state in written] == expected
        if len(written) > 1:
            assert written[0].good.sum() == 10.0


def test_of_a_target_that_was_removed_the_last_events_are_written(server: Server) -> None:
    budgets = budgets_on(server, availability())
    budgets.observe("t", server.next())
    budgets.observe("t", server.next(good=10))
    budgets.forget("t")
    (state,) = budgets.changes(full=False)
    assert (state.target, state.good.sum()) == ("t", 10.0)
    assert budgets.changes(full=False) == []
    budgets.watch("t")
    budgets.observe("t", None)
    assert table_of(budgets).sums.good[-1].sum() == 10.0


def test_after_the_end_nothing_is_written_any_more(server: Server, tmp_path: Path) -> None:
    settings = SloSettings((availability(),), state_dir=tmp_path / "state")
    books = Books(settings, log=LOG, clock=lambda: server.clock, now=server.now)
    books.watch("t")
    books.observe("t", server.next())
    books.close()
    books.flush()
    again = Books(settings, log=LOG, clock=lambda: server.clock, now=server.now)
    again.close()


def test_of_targets_that_are_gone_those_that_went_first_are_forgotten_first(server: Server) -> None:
    budgets = Budgets(SloSettings((availability(),)), clock=lambda: server.clock, now=server.now, most_left=2)
    for name in ("first", "second", "third"):
        budgets.watch(name)
        budgets.observe(name, server.next(good=10.0))
        budgets.observe(name, server.next(good=10.0))
        budgets.forget(name)
    states = {state.target: state for state in budgets.changes(full=False)}
    assert set(states) == {"first", "second", "third"}
    assert [name for name, state in states.items() if state.wall == 0.0] == ["first"]
    assert {state.target for state in budgets.changes(full=True)} == {"second", "third"}
    budgets.watch("third")
    budgets.observe("third", server.next(good=1.0))
    (table,) = budgets.targets()["third"].tables
    assert table.sums.good[-1].sum() == 21.0, "what it had counted before goes on"


def test_what_is_forgotten_of_a_target_is_gone_from_the_store_too(server: Server, tmp_path: Path) -> None:
    settings = SloSettings((availability(),), state_dir=tmp_path)
    books = Books(settings, log=LOG, clock=lambda: server.clock, now=server.now)
    books.watch("gone")
    books.observe("gone", server.next(good=10.0))
    books.observe("gone", server.next(good=10.0))
    books.forget("gone")
    books.flush()
    assert [one.target for one in read(tmp_path).ledgers] == ["gone"]
    server.clock += 31 * DAY
    books.watch("other")
    books.forget("other")
    for _ in range(2):
        server.clock += 30.0
        books.flush()
    books.close()
    assert [one.target for one in read(tmp_path).ledgers] == ["other"]


def test_what_an_earlier_process_kept_makes_no_room_until_all_targets_are_known(server: Server) -> None:
    """Its target may be behind a name that could not be looked up yet."""
    before = budgets_on(server)
    before.observe("t", server.next(good=10.0))
    before.observe("t", server.next(good=10.0))
    clocks = {"clock": lambda: server.clock, "now": server.now}
    budgets = Budgets(SloSettings((availability(),)), before.changes(full=True), most_left=1, **clocks)

    def passes(name: str) -> None:
        budgets.watch(name)
        for _ in range(2):
            budgets.observe(name, server.next(good=10.0))
        budgets.forget(name)

    passes("first")
    passes("second")
    assert {state.target for state in budgets.changes(full=True)} == {"t", "second"}
    budgets.all_known()
    passes("third")
    assert {state.target for state in budgets.changes(full=True)} == {"third"}


def test_targets_come_and_go_in_one_thread_while_others_write_and_reload(server: Server) -> None:
    budgets = budgets_on(server)
    table = [server.next(good=10.0), server.next(good=10.0)]
    ended, broken = threading.Event(), []

    def again_and_again(act: Callable[[], object]) -> None:
        try:
            while not ended.is_set():
                act()
        except RuntimeError as error:
            broken.append(error)

    turns = itertools.count()

    def churn() -> None:
        name = f"t{next(turns) % 300}"
        budgets.watch(name)
        for one in table:
            budgets.observe(name, one)
        budgets.forget(name)

    settings = [SloSettings((availability(period=days * DAY),)) for days in (7, 30)]

    def reload() -> None:
        for one in settings:
            budgets.swap(one)

    acts = (churn, lambda: budgets.changes(full=True), reload)
    threads = [threading.Thread(target=again_and_again, args=(act,)) for act in acts]
    pace = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        time.sleep(2.0)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(pace)
    assert broken == []
