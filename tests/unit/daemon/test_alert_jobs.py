"""The alerts' jobs of a daemon, tick by tick: what is evaluated, told, kept and logged."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass, field, replace

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from support.alert_facts import TARGET, M, snapshot, unheard
from support.alert_moments import FAILS
from synthetic_state import SyntheticState
from triton_watch.alerting.kept import unpack
from triton_watch.daemon.alerts import AlertJobs, external_url
from triton_watch.daemon.chronicle import Chronicle
from triton_watch.probes.canary.run import Clocks
from triton_watch.records import (
    AlertOverride,
    AlertPhase,
    AlertSettings,
    AlertState,
    EventKind,
    EventLevel,
    Settings,
    Target,
    TargetSnapshot,
    WebSettings,
)

NO_WAIT = AlertSettings(overrides=(AlertOverride(hold=0.0, keep=0.0),))
LOG = logging.getLogger("test_alert_jobs")


@dataclass
class Books:
    """Keeps in memory."""

    blob: bytes = b""
    saved: list[bytes] = field(default_factory=list)

    def alerts(self) -> bytes:
        return self.blob

    def save_alerts(self, blob: bytes) -> None:
        self.saved.append(blob)


class World:
    """A daemon's state, clocks that are moved by hand, and the jobs on a scheduler that does not run."""

    def __init__(self, settings: AlertSettings = NO_WAIT, blob: bytes = b"") -> None:
        self.time = 1000.0
        self.source = SyntheticState({})
        self.books = Books(blob)
        self.settings = Settings((TARGET,), alerts=settings)
        self.chronicle = Chronicle(LOG, now=lambda: 1.7e9 + self.time)
        self.chronicle.watch(TARGET.name)
        self.jobs = AlertJobs(
            self.settings,
            BackgroundScheduler(),
            self.source,
            audit=None,
            books=self.books,  # type: ignore[arg-type]  # the two methods that are used
            chronicle=self.chronicle,
            clocks=Clocks(lambda: self.time, lambda: 1.7e9 + self.time),
            rng=random.Random(1),
        )

    def polled(self, found: TargetSnapshot, seconds: float = 15.0) -> None:
        self.time += seconds
        self.source.polled = {found.target.name: replace(found, cycle=int(self.time))}
        self.jobs.tick()

    def phases(self) -> dict[str, AlertPhase]:
        return {one.key.alert: one.phase for one in self.jobs.view().states}


def test_a_fault_fires_and_resolves_and_is_logged_once_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    for _ in range(4):
        world.polled(unheard())
    assert world.phases() == {"TritonTargetDown": AlertPhase.FIRING}
    for _ in range(4):
        world.polled(snapshot())
    assert world.phases() == {"TritonTargetDown": AlertPhase.RESOLVED}
    said = [record.getMessage().split(": ")[0] for record in caplog.records]
    assert said == ["TritonTargetDown (page) fires", "TritonTargetDown (page) has resolved"]
    ended, began = world.chronicle.events()
    assert (began.kind, began.level, began.count) == (EventKind.ALERT, EventLevel.TROUBLE, 1)
    assert (ended.level, ended.target) == (EventLevel.RECOVERY, TARGET.name)
    assert [one.sentence for one in (began, ended)] == [record.getMessage() for record in caplog.records]


def test_an_alert_that_was_resolved_for_long_or_fires_again_is_remembered_as_ended_the_newest_first() -> None:
    world = World()
    resolved = []
    for _ in range(2):
        for _ in range(4):
            world.polled(unheard())
        assert world.phases() == {"TritonTargetDown": AlertPhase.FIRING}
        for _ in range(4):
            world.polled(snapshot())
        resolved += list(world.jobs.view().states)
        assert world.phases() == {"TritonTargetDown": AlertPhase.RESOLVED}
    first, second = resolved
    assert [one.resolved_at for one in world.jobs.view().ended] == [first.resolved_at], "it fired again"
    world.polled(snapshot(), seconds=3600.0)
    assert world.phases() == {}
    assert [one.resolved_at for one in world.jobs.view().ended] == [second.resolved_at, first.resolved_at]


def test_at_most_a_hundred_alerts_that_ended_are_remembered() -> None:
    world = World(AlertSettings(overrides=(AlertOverride(hold=0.0, keep=0.0, failures=1, window=1),)))
    for _ in range(103):
        world.polled(unheard())
        world.polled(snapshot())
    world.polled(snapshot(), seconds=3600.0)
    ended = [one.resolved_at or 0.0 for one in world.jobs.view().ended]
    assert len(ended) == 100
    assert ended == sorted(ended, reverse=True)
    assert ended[0] > 1.7e9 + world.time - 3700.0


def test_what_happened_is_kept_at_once_and_time_that_passes_only_now_and_then() -> None:
    world = World(AlertSettings())
    for _ in range(3):
        world.polled(unheard())
    kept = len(world.books.saved)
    assert [state.phase for state in unpack(world.books.saved[-1]).states] == [AlertPhase.FIRING]
    for _ in range(10):
        world.time += 1
        world.jobs.tick()
    assert len(world.books.saved) == kept


def test_after_a_restart_a_firing_alert_goes_on_and_is_not_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    before = World()
    for _ in range(3):
        before.polled(unheard())
    caplog.clear()
    after = World(blob=before.books.saved[-1])
    after.jobs.tick()
    assert after.phases() == {"TritonTargetDown": AlertPhase.FIRING}, "no target was polled yet"
    (old,), (new,) = before.jobs.view().states, after.jobs.view().states
    assert new.fired_at == old.fired_at
    after.polled(unheard())
    assert after.phases() == {"TritonTargetDown": AlertPhase.FIRING}
    assert caplog.records == []


def test_a_target_that_begins_anew_with_a_reload_keeps_its_alerts_and_one_that_is_gone_does_not() -> None:
    world = World()
    for _ in range(3):
        world.polled(unheard())
    world.source.polled = {}
    world.jobs.swap(replace(world.settings, targets=(replace(TARGET, interval=5.0),)))
    world.jobs.watch([TARGET.name], is_whole=True)
    world.jobs.tick()
    assert world.phases() == {"TritonTargetDown": AlertPhase.FIRING}
    other = Target("other", TARGET.http_url, TARGET.metrics_url, "")
    world.jobs.swap(replace(world.settings, targets=(other,)))
    world.jobs.watch([other.name], is_whole=True)
    world.jobs.tick()
    assert world.phases() == {"TritonTargetDown": AlertPhase.RESOLVED}


def test_canaries_that_a_reload_takes_away_for_a_moment_resolve_nothing() -> None:
    world = World()
    world.source.canary_states = {TARGET.name: {M: FAILS}}
    world.polled(snapshot())
    assert world.phases() == {"TritonCanaryFailing": AlertPhase.FIRING}
    world.source.canary_states = {TARGET.name: {}}
    world.jobs.tick()
    assert world.phases() == {"TritonCanaryFailing": AlertPhase.FIRING}


def test_links_follow_a_reload_of_the_external_url() -> None:
    world = World()
    assert world.jobs.view().external_url == "http://127.0.0.1:8003"
    alerts = replace(NO_WAIT, external_url="https://watch.example")
    world.jobs.swap(replace(world.settings, alerts=alerts))
    assert world.jobs.view().external_url == "https://watch.example"


@pytest.mark.parametrize(
    ("web", "url"),
    [
        (WebSettings("127.0.0.1", 8003), "http://127.0.0.1:8003"),
        (WebSettings("::1", 9000), "http://[::1]:9000"),
        (WebSettings("watch.example", 80), "http://watch.example:80"),
        (WebSettings("watch.example", 443, tls=True), "https://watch.example:443"),
    ],
)
def test_without_an_external_url_people_reach_the_agent_where_it_listens(web: WebSettings, url: str) -> None:
    assert external_url(Settings((TARGET,), web=web)) == url
    assert "0.0.0.0" not in external_url(Settings((TARGET,), web=WebSettings("0.0.0.0", 8003)))


def test_a_state_is_a_whole_record() -> None:
    """What is kept and read again is the same."""
    world = World()
    for _ in range(3):
        world.polled(unheard())
    (state,) = unpack(world.books.saved[-1]).states
    assert isinstance(state, AlertState)
    assert state.summary == f"Triton {TARGET.name} is down"


def test_alerts_of_targets_that_are_still_looked_for_wait_and_end_once_they_are_known_to_be_gone() -> None:
    before = World()
    for _ in range(3):
        before.polled(unheard())
    world = World(blob=before.books.saved[-1])
    world.jobs.watch([], is_whole=False)
    world.jobs.tick()
    assert world.phases() == {"TritonTargetDown": AlertPhase.FIRING}
    world.jobs.watch([], is_whole=True)
    world.jobs.tick()
    assert world.phases() == {"TritonTargetDown": AlertPhase.RESOLVED}


def test_alerts_of_a_target_that_was_found_and_is_gone_end_while_another_source_has_said_nothing_yet() -> None:
    before = World()
    for _ in range(3):
        before.polled(unheard())
    world = World(blob=before.books.saved[-1])
    world.jobs.watch([TARGET.name], is_whole=False)
    world.polled(unheard())
    assert world.phases() == {"TritonTargetDown": AlertPhase.FIRING}
    world.jobs.watch([], is_whole=False)
    world.source.polled = {}
    world.jobs.tick()
    assert world.phases() == {"TritonTargetDown": AlertPhase.RESOLVED}
