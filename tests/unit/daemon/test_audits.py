"""When live servers' configurations are checked, and what is kept of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

import pytest

from triton_watch.daemon.audits import Audits
from triton_watch.records import (
    CheckSettings,
    Confidence,
    Finding,
    ModelKey,
    ModelState,
    ModelStatus,
    Severity,
    Target,
    TargetSnapshot,
)

TARGET = Target(name="t", http_url="http://t:8000", metrics_url="http://t:8002/metrics", grpc_address="t:8001")
WRONG = Finding(
    rule="TW703", slug="not-loaded", severity=Severity.ERROR, confidence=Confidence.HIGH, message="no", model="m"
)
READY = ModelState(ModelKey("m", "1"), ModelStatus.READY)
SNAPSHOT = TargetSnapshot(TARGET, cycle=1, at=0.0, duration=0.1, probes={}, live=True, models=(READY,), configs={})
INTERVAL = 600.0


@dataclass
class World:
    """A clock, and a check that finds what it is told."""

    time: float = 1000.0
    found: tuple[Finding, ...] = (WRONG,)
    error: Exception | None = None
    asked: list[float] = field(default_factory=list)

    def audit(self, _target: Target, _settings: CheckSettings) -> tuple[Finding, ...]:
        self.asked.append(self.time)
        if self.error is not None:
            raise self.error
        return self.found

    def audits(self, interval: float | None = INTERVAL) -> Audits:
        log = logging.getLogger("test_audits")
        return Audits(self.audit, CheckSettings(), interval, log=log, clock=lambda: self.time)

    def run(self, audits: Audits, snapshot: TargetSnapshot | None, seconds: float) -> None:
        """Let time pass in steps of 5 s."""
        for _ in range(int(seconds / 5)):
            audits.run_due({} if snapshot is None else {"t": snapshot})
            self.time += 5


@pytest.fixture
def world() -> World:
    return World()


def test_a_server_is_checked_soon_after_it_was_first_seen_and_then_once_an_interval(world: World) -> None:
    audits = world.audits()
    world.run(audits, SNAPSHOT, 3 * INTERVAL)
    assert world.asked == [1010.0, 1610.0, 2210.0]
    assert audits.findings() == {"t": (WRONG,)}


def test_a_change_of_the_models_is_checked_when_no_more_changes_come(world: World) -> None:
    audits = world.audits()
    world.run(audits, SNAPSHOT, 60)
    for version in ("2", "3", "4"):
        models = (READY, ModelState(ModelKey("m", version), ModelStatus.LOADING))
        world.run(audits, replace(SNAPSHOT, models=models), 5)
    world.run(audits, replace(SNAPSHOT, models=models), 60)
    assert world.asked == [1010.0, 1080.0]


def test_a_server_that_is_not_heard_is_not_checked_and_keeps_what_was_found(world: World) -> None:
    audits = world.audits()
    world.run(audits, SNAPSHOT, 60)
    world.run(audits, replace(SNAPSHOT, live=None), 2 * INTERVAL)
    assert len(world.asked) == 1
    assert audits.findings() == {"t": (WRONG,)}


def test_a_target_that_is_watched_no_longer_is_forgotten(world: World) -> None:
    audits = world.audits()
    world.run(audits, SNAPSHOT, 60)
    world.run(audits, None, 5)
    assert audits.findings() == {}


def test_a_check_that_fails_is_told_once_and_what_was_found_before_stays(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    audits = world.audits()
    world.run(audits, SNAPSHOT, 60)
    world.error = OSError("the repository went away")
    world.run(audits, SNAPSHOT, 3 * INTERVAL)
    assert len(world.asked) > 2
    assert [record.getMessage() for record in caplog.records] == [
        "the configuration of t could not be checked: the repository went away"
    ]
    assert audits.findings() == {"t": (WRONG,)}


def test_other_rules_are_tried_soon_and_off_means_that_nothing_is_known(world: World) -> None:
    audits = world.audits()
    world.run(audits, SNAPSHOT, 60)
    world.found = ()
    audits.swap(CheckSettings(ignore=("TW7",)), INTERVAL)
    world.run(audits, SNAPSHOT, 15)
    assert audits.findings() == {"t": ()}
    audits.swap(CheckSettings(ignore=("TW7",)), None)
    world.run(audits, SNAPSHOT, INTERVAL)
    assert audits.findings() == {}
    assert len(world.asked) == 2


@pytest.mark.parametrize("interval", [None, INTERVAL])
def test_what_a_check_finds_that_was_under_way_when_the_settings_changed_is_told_no_more(
    world: World, interval: float | None
) -> None:
    def audit(_target: Target, _settings: CheckSettings) -> tuple[Finding, ...]:
        audits.swap(CheckSettings(ignore=("TW703",)), interval)
        return (WRONG,)

    log = logging.getLogger("test_audits")
    audits = Audits(audit, CheckSettings(), INTERVAL, log=log, clock=lambda: world.time)
    world.run(audits, SNAPSHOT, 15)
    assert audits.findings() == {}


def test_after_the_end_no_check_begins(world: World) -> None:
    audits = world.audits()
    audits.close()
    world.run(audits, SNAPSHOT, 60)
    assert world.asked == []


def test_nobody_who_checks_means_that_nothing_is_known(world: World) -> None:
    audits = Audits(None, CheckSettings(), INTERVAL, log=logging.getLogger("x"), clock=lambda: world.time)
    world.run(audits, SNAPSHOT, INTERVAL)
    assert audits.findings() == {}
