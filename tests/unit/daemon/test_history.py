"""Budgets out of Prometheus in place of the agent's memory: what its answers mean for the live tables."""

from __future__ import annotations

import itertools
import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import numpy as np
import pytest

from support.misbehaving import Connection, Server, http_answer
from support.objectives import TIERS, availability, queue_time
from triton_watch.daemon.history import HistoryReader
from triton_watch.daemon.state import TargetBudgets
from triton_watch.records import (
    VERDICTS,
    Credentials,
    ModelKey,
    Objective,
    Page,
    PrometheusSettings,
    SeriesKey,
    SloSettings,
    Timeouts,
    TlsSettings,
    Verdict,
    WindowSums,
)
from triton_watch.slo.budget import goals_of, judge
from triton_watch.slo.levels import windows_of

if TYPE_CHECKING:
    from collections.abc import Iterator

M = ModelKey("m", "1")
LOG = logging.getLogger("triton_watch.test")
TICKETS = tuple(tier for tier in TIERS if tier.severity is Page.TICKET)


class Prometheus:
    """Says that each result of `counts` happened so often in every window; can be told to fail."""

    def __init__(self) -> None:
        self.counts: dict[str, float] = {"good": 900_000.0, "bad": 500.0}
        self.broken = False

    def __call__(self, connection: Connection) -> None:
        while connection.read_request():
            connection.send(self._answer(connection.requests[-1]))

    def _answer(self, request: bytes) -> bytes:
        if self.broken:
            return http_answer(b"<html>", status="502 Bad Gateway")
        query = parse_qs(request.rpartition(b"\r\n\r\n")[2].decode()).get("query", [""])[0]
        labels = {"slo": "availability", "target": "t", "model": "m", "version": "1"}
        found: list[dict[str, Any]] = []
        if "increase(" in query and "triton_watch_slo_events_total" in query:
            found = [
                {"metric": {**labels, "result": result}, "value": [1.7e9, str(count)]}
                for result, count in self.counts.items()
            ]
        body = {"status": "success", "data": {"resultType": "vector", "result": found}}
        return http_answer(json.dumps(body).encode(), content_type="application/json")


@pytest.fixture
def prometheus() -> Iterator[tuple[Prometheus, Server]]:
    behaviour = Prometheus()
    with Server(behaviour) as server:
        yield behaviour, server


def live(objective: Objective, at: float = 1.7e9) -> TargetBudgets:
    """What the agent itself knows: one good event, three counted since it began."""
    windows = windows_of([objective])
    keys = (SeriesKey(objective.name, "t", M),)
    one = np.ones((len(windows), 1))
    sums = WindowSums(at, keys, windows, one, np.zeros_like(one), np.array([60.0]), np.array([2.0]))
    goals = goals_of(keys, {objective.name: objective})
    return TargetBudgets((judge(sums, goals, np.array([[3.0], [0.0]])),))


def reader(server: Server, *objectives: Objective) -> HistoryReader:
    there = PrometheusSettings(server.url, Timeouts(1, 1, 1), Credentials(), TlsSettings())
    return HistoryReader(SloSettings(objectives, prometheus=there), log=LOG, now=lambda: 1.7e9, clock=lambda: 0.0)


def test_windows_are_prometheus_s_and_counters_the_agents(prometheus: tuple[Prometheus, Server]) -> None:
    history = reader(prometheus[1], availability())
    history.read()
    (table,) = history.overlaid(live(availability())).tables
    assert history.status.success
    assert (table.sums.good[:, 0] == 900_000.0).all()
    assert table.remaining[0] == pytest.approx(1 - 500 / (900_500 * 0.001))
    assert VERDICTS[int(table.verdict[0])] is Verdict.OK
    assert table.counted_good[0] == 3.0
    history.close()


def test_a_target_with_fewer_windows_than_others_gets_its_own(prometheus: tuple[Prometheus, Server]) -> None:
    """Objectives of one period are asked for together; a target may have only those that make tickets."""
    tickets = availability(windows=TICKETS)
    paging = replace(queue_time(), targets=("elsewhere",))
    history = reader(prometheus[1], tickets, paging)
    history.read()
    (table,) = history.overlaid(live(tickets)).tables
    assert table.sums.windows == windows_of([tickets])
    assert (table.sums.bad == 500.0).all()
    history.close()


def test_before_the_first_answer_and_when_it_is_too_old_there_is_no_data(
    prometheus: tuple[Prometheus, Server], caplog: pytest.LogCaptureFixture
) -> None:
    behaviour, server = prometheus
    history = reader(server, availability())

    def verdict(at: float) -> Verdict:
        (table,) = history.overlaid(live(availability(), at)).tables
        return VERDICTS[int(table.verdict[0])]

    assert verdict(1.7e9) is Verdict.NO_DATA
    history.read()
    behaviour.broken = True
    history.read()
    history.read()
    assert not history.status.success
    assert sum("could not be read" in record.message for record in caplog.records) == 1, "told once"
    assert verdict(1.7e9 + 599) is Verdict.OK
    assert verdict(1.7e9 + 601) is Verdict.NO_DATA
    history.close()


def test_after_other_objectives_there_is_no_data_until_they_were_asked_for(
    prometheus: tuple[Prometheus, Server],
) -> None:
    history = reader(prometheus[1], availability())
    history.read()
    stricter = availability(0.9999)
    history.swap([stricter])
    (table,) = history.overlaid(live(stricter)).tables
    assert VERDICTS[int(table.verdict[0])] is Verdict.NO_DATA
    history.read()
    (table,) = history.overlaid(live(stricter)).tables
    assert table.remaining[0] < 0
    history.close()


def test_a_prometheus_that_takes_long_is_asked_seldom(prometheus: tuple[Prometheus, Server]) -> None:
    """An answer that took 10 s is good for 200 s: no more than a twentieth of the server's time is ours."""
    moments = iter((0.0, 10.0, 199.0, 201.0, 202.0))
    settings = PrometheusSettings(prometheus[1].url, Timeouts(1, 1, 1), Credentials(), TlsSettings())
    history = HistoryReader(
        SloSettings((availability(),), prometheus=settings), log=LOG, now=lambda: 1.7e9, clock=moments.__next__
    )
    asked = []
    for _ in range(3):
        history.read()
        asked.append(len(prometheus[1].requests))
    assert asked[0] == asked[1] < asked[2]
    history.close()


def test_between_a_reload_and_the_next_cycle_there_is_no_data_and_no_failure(
    prometheus: tuple[Prometheus, Server],
) -> None:
    """The live table may still be of objectives that are gone, or of windows that an answer does not have."""
    history = reader(prometheus[1], availability())
    history.read()
    for older in (replace(availability(), name="gone"), availability(windows=TICKETS)):
        (table,) = history.overlaid(live(older)).tables
        assert VERDICTS[int(table.verdict[0])] is Verdict.NO_DATA
    history.swap([queue_time()])
    history.read()
    (table,) = history.overlaid(live(availability())).tables
    assert VERDICTS[int(table.verdict[0])] is Verdict.NO_DATA
    history.close()


def test_an_answer_is_about_the_objectives_that_were_asked_for_though_they_changed_meanwhile(
    prometheus: tuple[Prometheus, Server],
) -> None:
    settings = PrometheusSettings(prometheus[1].url, Timeouts(1, 1, 1), Credentials(), TlsSettings())
    readers: list[HistoryReader] = []

    def now() -> float:
        if readers:
            readers[0].swap([queue_time()])  # in the middle of the question
        return 1.7e9

    history = HistoryReader(
        SloSettings((availability(),), prometheus=settings), log=LOG, now=now, clock=itertools.count().__next__
    )
    readers.append(history)
    history.read()
    readers.clear()
    (table,) = history.overlaid(live(queue_time())).tables
    assert VERDICTS[int(table.verdict[0])] is Verdict.NO_DATA
    asked = len(prometheus[1].requests)
    history.read()
    assert len(prometheus[1].requests) > asked, "it asks again at once for those of now"
    history.close()


def test_a_slow_prometheus_is_asked_before_its_answer_is_too_old(prometheus: tuple[Prometheus, Server]) -> None:
    moments = iter((0.0, 100.0, 199.0, 201.0, 202.0))
    settings = PrometheusSettings(prometheus[1].url, Timeouts(1, 1, 1), Credentials(), TlsSettings())
    history = HistoryReader(
        SloSettings((availability(),), prometheus=settings, no_data_after=600.0),
        log=LOG, now=lambda: 1.7e9, clock=moments.__next__,
    )  # fmt: skip
    history.read()
    asked = len(prometheus[1].requests)
    history.read()
    history.read()
    assert len(prometheus[1].requests) > asked
    history.close()
