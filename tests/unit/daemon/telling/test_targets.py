"""Targets in a line and whole, and the agent itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from synthetic_state import snapshot_of
from triton_watch.daemon.facts.standing import Standing
from triton_watch.daemon.state import AlertsView, BudgetsView, HistoryStatus, ReloadStatus, TargetCounts
from triton_watch.daemon.telling.status import status
from triton_watch.daemon.telling.targets import target_detail, target_list
from triton_watch.records import (
    AgentStatus,
    AlertSettings,
    CycleMark,
    Event,
    EventKind,
    EventLevel,
    History,
    LogLine,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    ServerInfo,
    Sli,
)
from triton_watch.slo.serving import Serving, ServingVerdict
from triton_watch.slo.sli import ROW
from triton_watch.store.status import StoreStatus
from triton_watch.version import __version__
from unit.daemon.telling.scenes import AT, LATE, NOW, calm, deaf, key, keys, ready, snapshot, source, target

if TYPE_CHECKING:
    from triton_watch.daemon.facts.target import TargetDetail
    from triton_watch.records import TargetSnapshot

M = key("m")


def detail(snap: TargetSnapshot, now: float = NOW, **fields: Any) -> TargetDetail:
    found = target_detail(source(snap, **fields), now, "t")
    assert found is not None
    return found


def test_the_worst_target_comes_first() -> None:
    bad = snapshot([ModelState(M, ModelStatus.UNAVAILABLE)], "z")
    state = source(snapshot([ready(M)], "a"), deaf([], "d"), bad, unpolled={"n": target("n")})
    found = target_list(state, NOW)
    assert [(one.brief.name, one.brief.standing) for one in found.targets] == [
        ("z", Standing.FAILING),
        ("d", Standing.UNKNOWN),
        ("n", Standing.UNKNOWN),
        ("a", Standing.OK),
    ]
    page = target_list(state, NOW, offset=1, limit=2)
    assert ([one.brief.name for one in page.targets], page.total) == (["d", "n"], 4)


def test_a_target_that_is_not_watched_is_not_found() -> None:
    assert target_detail(source(snapshot([])), NOW, "nobody") is None


def test_a_line_adds_up_the_requests_of_all_models() -> None:
    table = calm(keys(3))
    table.values[ROW[Sli.REQUEST_RATE]] = [1.0, np.nan, 2.5]
    brief = detail(snapshot([ready(one) for one in keys(3)], slis=table, server=ServerInfo("triton", "2.51.0"))).brief
    assert (brief.request_rate, brief.failure_rate) == (3.5, None)
    assert (brief.url, brief.server, brief.live, brief.ready) == ("http://t:8000", "triton 2.51.0", True, True)
    assert (brief.at, brief.stale, brief.interval_seconds) == (AT, False, 15.0)
    assert brief.models[Standing.OK] == 3
    assert set(brief.models) == set(Standing)


def test_what_is_old_is_called_stale_and_not_told_as_if_it_held() -> None:
    brief = detail(snapshot([ready(M)], slis=calm([M])), LATE).brief
    assert (brief.stale, brief.standing, brief.live, brief.ready) == (True, Standing.UNKNOWN, None, None)
    assert (brief.request_rate, brief.at) == (None, AT)


def test_staleness_is_the_same_as_for_the_serving_verdict() -> None:
    limit = 4 * 15.0 + 5.0
    snap = snapshot([ready(M)])
    assert [detail(snap, AT + age).brief.stale for age in (limit, limit + 1)] == [False, True]


def test_a_target_that_was_not_polled_yet_is_told_with_what_is_configured() -> None:
    found = target_detail(source(unpolled={"t": target()}), NOW, "t")
    assert found is not None
    assert (found.brief.at, found.brief.live, found.brief.server, found.brief.standing) == (
        None,
        None,
        None,
        Standing.UNKNOWN,
    )
    assert (found.metrics_url, found.probes, found.cycles_total) == ("http://t:8002/metrics", (), 0)


def test_why_it_does_not_serve_and_how_polls_ended_is_told() -> None:
    verdicts = {"t": ServingVerdict(Serving.NOT_SERVING, ("the server\nsays no",))}
    counts = {"t": TargetCounts(9, 2, {("ready", Outcome.REFUSED): 3, ("live", Outcome.EMPTY): 1})}
    marks = (CycleMark(AT - 15, 0.5), CycleMark(AT, 0.25, 2))
    probes = {"live": ProbeResult("live", Outcome.REFUSED, 0.125, "it\trefused")}
    found = detail(
        snapshot([], probes=probes), verdicts=verdicts, counts=counts, past=History(cycles={"t": marks, "u": marks})
    )
    assert (found.brief.serving, found.reasons) == (Serving.NOT_SERVING, ("the server says no",))
    assert [(one.name, one.outcome, one.seconds, one.detail) for one in found.probes] == [
        ("live", Outcome.REFUSED, 0.125, "it refused")
    ]
    assert (found.cycles_total, found.skipped_total) == (9, 2)
    assert [(one.probe, one.count) for one in found.probe_failures] == [("live", 1), ("ready", 3)]
    assert [(one.at, one.seconds, one.failed) for one in found.cycles] == [(AT - 15, 0.5, 0), (AT, 0.25, 2)]


def test_gpus_are_told_with_the_models_that_keep_them_busy() -> None:
    snap = replace(snapshot_of(keys(4), 2), target=target(), ready=True, at=AT)
    assert snap.slis is not None
    share = np.array([[0.25, 0.0, 0.75, np.nan], [np.nan] * 4])
    first, second = detail(replace(snap, slis=replace(snap.slis, gpu_share=share))).gpus
    assert (first.uuid, first.utilization, first.memory_used, first.memory_total) == ("GPU-0", 0.5, 2.0**30, 2.0**32)
    assert (first.power_watts, first.energy_joules) == (0.5, 100.0)
    assert [(one.model, one.share) for one in first.shares] == [("m2", 0.75), ("m0", 0.25)]
    assert second.shares == ()


def test_the_troubles_of_the_server_come_before_those_of_its_models_and_have_an_end() -> None:
    states = [ModelState(one, ModelStatus.UNAVAILABLE) for one in keys(300)]
    probes = {"metrics": ProbeResult("metrics", Outcome.REFUSED, 0.1, "t:8002 refused.")}
    found = detail(snapshot(states, probes=probes)).troubles
    assert [(one.model, one.sentence) for one in found[:1]] == [(None, "Probe metrics: t:8002 refused.")]
    assert len(found) == 100


def event(name: str, at: float = AT) -> Event:
    return Event(at, at, EventKind.PROBE, EventLevel.RECOVERY, name, "It answers\nagain.")


def test_events_are_those_of_the_target_and_the_status_has_the_newest_of_all() -> None:
    past = History(events=tuple(event(name, AT - i) for i, name in enumerate("tu" * 15)))
    assert {one.target for one in detail(snapshot([]), past=past).events} == {"t"}
    found = status(source(snapshot([]), past=past), NOW).events
    assert [one.at for one in found] == [AT - i for i in range(20)]
    assert found[0].sentence == "It answers again."


def test_the_dashboard_of_the_fleet_is_linked_where_one_is_configured() -> None:
    view = AlertsView(AlertSettings(dashboard_url="https://g/{dashboard}?target={target}&model={model}"))
    links = detail(snapshot([]), alert_view=view).brief.links
    assert (links.page, links.dashboard) == ("/targets/t", "https://g/fleet?target=t&model=%24__all")
    assert detail(snapshot([])).brief.links.dashboard is None


def test_the_agent_tells_how_it_fares() -> None:
    line = LogLine(AT, "WARNING", "it was\nslow", "seconds=3")
    marks = (CycleMark(AT - 15, 0.5), CycleMark(AT, 1.5))
    state = source(
        snapshot([]),
        unpolled={"u": target("u")},
        process=AgentStatus(AT - 60, 1000, 2.5, 9, (line,), 4, 1),
        last_reload=ReloadStatus(success=False, last_success=AT - 30),
        past=History(cycles={"t": marks}),
        counts={"t": TargetCounts(9, 2)},
        budget_view=BudgetsView(
            store=StoreStatus(persistent=False, path="slo.sqlite", reason="no room"),
            history=HistoryStatus(success=False, reason="it is down"),
        ),
        age=0.25,
        first_done=False,
    )
    found = status(state, NOW).agent
    assert (found.version, found.started, found.memory_bytes, found.threads) == (__version__, AT - 60, 1000, 9)
    assert (found.loop_age_seconds, found.first_cycle_done) == (0.25, False)
    assert (found.reload_success, found.reloaded_at) == (False, AT - 30)
    assert (found.warnings_total, found.errors_total, found.log[0].message) == (4, 1, "it was slow")
    assert [
        (one.target, one.cycles, one.mean_seconds, one.slowest_seconds, one.skipped_total) for one in found.polling
    ] == [
        ("t", 2, 1.0, 1.5, 2),
        ("u", 0, None, None, 0),
    ]
    assert found.store is not None
    assert (found.store.persistent, found.store.problem, found.store.last_flush) == (False, "no room", None)
    assert (found.history_success, found.history_reason) == (False, "it is down")


def test_an_agent_without_store_and_history_says_so() -> None:
    found = status(source(), NOW).agent
    assert (found.store, found.history_success, found.polling) == (None, None, ())


@pytest.mark.parametrize("serving", [Serving.UNKNOWN, Serving.NOT_SERVING])
def test_a_silent_server_fails_once_it_is_no_longer_a_blip(serving: Serving) -> None:
    found = detail(deaf([ready(M)]), verdicts={"t": ServingVerdict(serving)}).brief.standing
    assert found is (Standing.FAILING if serving is Serving.NOT_SERVING else Standing.UNKNOWN)
