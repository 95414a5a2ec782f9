"""What sources say becomes what is watched: without flapping, without waiting, and without losing what was known."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timezone
from typing import TYPE_CHECKING, Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from triton_watch.daemon.discoveries import Discoveries
from triton_watch.discovery.building import target_at
from triton_watch.discovery.errors import DiscoveryError
from triton_watch.discovery.hosts import Hosts
from triton_watch.records import DiscoverySettings, DnsSource, FileSource, Settings, Target
from triton_watch.records.discovery import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PATIENCE = 20.0
LOG = logging.getLogger("test_discoveries")


@dataclass
class World:
    """Sources whose answers a test sets, and what became of them."""

    answers: dict[str, Callable[[], Sequence[tuple[str, int]]]] = field(default_factory=dict)
    applied: list[tuple[list[str], bool]] = field(default_factory=list)
    targets: tuple[Target, ...] = ()
    looks: int = 0
    now: float = 1000.0

    def apply(self, targets: Sequence[Target], is_whole: bool) -> None:
        self.targets = tuple(targets)
        self.applied.append(([target.name for target in targets], is_whole))

    def look_up(self, source: DnsSource) -> Sequence[tuple[str, int]]:
        self.looks += 1
        return self.answers[source.name]()

    @property
    def names(self) -> list[str]:
        return [target.name for target in self.targets]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def run(stack: ExitStack, world: World, settings: Settings) -> Discoveries:
    scheduler = BackgroundScheduler(
        timezone=timezone.utc,
        executors=Discoveries.executors(),
        job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
    )
    found = Discoveries(settings, scheduler, apply=world.apply, log=LOG, now=lambda: world.now, look_up=world.look_up)
    scheduler.start()
    stack.callback(scheduler.shutdown)
    stack.callback(found.close)
    return found


def dns(*names: str, **options: Any) -> tuple[DnsSource, ...]:
    return tuple(replace(DnsSource(name, interval=0.05), **options) for name in names)


def settings(*sources: DnsSource, files: Sequence[FileSource] = (), targets: Sequence[Target] = ()) -> Settings:
    return Settings(tuple(targets), discovery=DiscoverySettings(sources, tuple(files)))


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def at(url: str, name: str = "") -> Target:
    return target_at(NOWHERE, url, name=name)


def fails() -> Sequence[tuple[str, int]]:
    raise DiscoveryError("no DNS server could answer: SERVFAIL")


def says(*hosts: str) -> Callable[[], Sequence[tuple[str, int]]]:
    return lambda: [(host, 8000) for host in hosts]


def test_configured_targets_are_there_at_once_and_found_ones_behind_them(stack: ExitStack) -> None:
    world = World({"pods": says("10.0.0.2", "10.0.0.1")})
    found = run(stack, world, settings(*dns("pods"), targets=[at("http://own:8000")]))
    assert world.applied[0] == (["own:8000"], False)
    wait_for(lambda: found.all_asked)
    assert world.names == ["own:8000", "10.0.0.2:8000", "10.0.0.1:8000"]
    assert world.applied[-1][1] is True
    assert len(world.applied) == 2


def test_the_same_answer_again_changes_nothing(stack: ExitStack) -> None:
    world = World({"pods": says("a", "b")})
    run(stack, world, settings(*dns("pods")))
    wait_for(lambda: world.looks > 10)
    assert len(world.applied) == 2


def test_a_failure_keeps_the_targets_is_told_once_and_is_counted(
    stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world = World({"pods": says("a")})
    found = run(stack, world, settings(*dns("pods")))
    wait_for(lambda: world.names == ["a:8000"])
    world.answers["pods"], world.now = fails, 2000.0
    wait_for(lambda: found.statuses()[0].failures >= 3)
    (status,) = found.statuses()
    assert (status.targets, status.last_success) == (1, 1000.0)
    assert "SERVFAIL" in status.problem
    assert world.names == ["a:8000"]
    world.answers["pods"] = says("a")
    wait_for(lambda: not found.statuses()[0].problem)
    assert found.statuses()[0].last_success == 2000.0
    told = [record.getMessage() for record in caplog.records if record.name == LOG.name]
    assert told == [
        "targets found: a:8000",
        "targets could not be looked for: no DNS server could answer: SERVFAIL; what it had before stays",
        "targets can be looked for again",
    ]


def test_an_answer_without_servers_takes_them_away_with_a_warning(
    stack: ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    world = World({"pods": says("a", "b")})
    run(stack, world, settings(*dns("pods")))
    wait_for(lambda: len(world.names) == 2)
    world.answers["pods"] = says()
    wait_for(lambda: not world.names)
    (told,) = [record for record in caplog.records if "gone" in record.getMessage()]
    assert (told.getMessage(), told.levelno) == ("targets gone: a:8000, b:8000", logging.WARNING)


def test_that_nothing_was_found_is_told_with_the_reason(
    stack: ExitStack, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    world = World({"pods": lambda: Hosts.none("the name pods. does not exist (NXDOMAIN)")})
    found = run(stack, world, settings(*dns("pods"), files=[FileSource(tmp_path / "*.yaml")]))
    wait_for(lambda: found.all_asked)
    assert {record.getMessage() for record in caplog.records} >= {
        "no targets were found yet: the name pods. does not exist (NXDOMAIN)",
        f"no targets were found yet: no file matches {tmp_path / '*.yaml'}",
    }


def test_a_single_answer_without_servers_is_not_believed(stack: ExitStack) -> None:
    blips = iter(range(1_000_000))
    world = World({"pods": lambda: [("a", 8000)] if next(blips) % 2 == 0 else []})
    run(stack, world, settings(*dns("pods")))
    wait_for(lambda: world.looks > 10)
    assert [names for names, _ in world.applied] == [[], ["a:8000"]]


def test_a_source_that_hangs_keeps_no_other_waiting(stack: ExitStack) -> None:
    release = threading.Event()
    stack.callback(release.set)

    def hangs() -> Sequence[tuple[str, int]]:
        release.wait(PATIENCE)
        return ()

    world = World({"slow": hangs, "pods": says("a")})
    found = run(stack, world, settings(*dns("slow", "pods")))
    wait_for(lambda: world.names == ["a:8000"])
    assert not found.all_asked
    assert world.applied[-1] == (["a:8000"], False)
    release.set()
    wait_for(lambda: world.applied[-1] == (["a:8000"], True))
    assert found.all_asked


def test_a_fault_of_a_look_up_is_a_failure_and_not_the_end(stack: ExitStack) -> None:
    def breaks() -> Sequence[tuple[str, int]]:
        raise IndexError("a fault of ours")

    world = World({"pods": breaks})
    found = run(stack, world, settings(*dns("pods")))
    wait_for(lambda: found.statuses()[0].failures > 1)
    assert found.statuses()[0].problem.startswith("IndexError")


def test_a_reload_keeps_what_sources_knew_and_drops_what_is_no_longer_looked_for(stack: ExitStack) -> None:
    world = World({"stays": says("s"), "goes": says("g"), "comes": says("c"), "changes": says("x")})
    found = run(stack, world, settings(*dns("stays", "goes", "changes")))
    wait_for(lambda: len(world.names) == 3)
    world.answers["changes"] = fails
    begun = len(world.applied)
    changed = dns("changes", template=replace(NOWHERE, interval=5.0))
    found.swap(settings(*dns("stays"), *changed, *dns("comes")))
    assert world.applied[begun] == (["s:8000", "x:8000"], True)
    wait_for(lambda: "c:8000" in world.names)
    world.answers["changes"] = says("x")
    wait_for(lambda: world.targets[1].interval == 5.0)
    assert all("x:8000" in names for names, _ in world.applied[begun:])
    assert [status.label for status in found.statuses()] == [
        "dns:A:stays:8000", "dns:A:changes:8000", "dns:A:comes:8000",
    ]  # fmt: skip


def test_what_a_look_up_says_after_a_reload_took_its_source_away_is_not_used(stack: ExitStack) -> None:
    begun, release = threading.Event(), threading.Event()
    stack.callback(release.set)

    def slow() -> Sequence[tuple[str, int]]:
        begun.set()
        release.wait(PATIENCE)
        return [("late", 8000)]

    world = World({"pods": slow})
    found = run(stack, world, settings(*dns("pods")))
    assert begun.wait(PATIENCE)
    found.swap(settings(targets=[at("http://own:8000")]))
    release.set()
    found.wait(PATIENCE)
    time.sleep(0.1)
    assert world.names == ["own:8000"]
    assert found.statuses() == ()


def test_a_name_that_two_sources_claim_is_told_once_and_does_not_flap(
    stack: ExitStack, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "a.yaml").write_text("- targets: ['b:8000']\n  labels: {target: 'a:8000'}\n")
    world = World({"pods": says("a")})
    run(stack, world, settings(*dns("pods"), files=[FileSource(tmp_path / "a.yaml")]))
    wait_for(lambda: world.looks > 20)
    clashes = [record for record in caplog.records if "its name a:8000" in record.getMessage()]
    assert len(clashes) == 1
    assert world.targets[0].http_url == "http://a:8000"
    assert len(world.applied) <= 3


def test_files_are_looked_at_each_second(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"targets": ["a:1"]}]')
    world = World()
    run(stack, world, settings(files=[FileSource(path)]))
    wait_for(lambda: world.names == ["a:1"])
    path.write_text('[{"targets": ["b:1", "a:1"]}]')
    changed = time.monotonic()
    wait_for(lambda: world.names == ["b:1", "a:1"])
    assert time.monotonic() - changed < 5.0


def test_names_that_nobody_answers_keep_no_file_waiting(stack: ExitStack, tmp_path: Path) -> None:
    release = threading.Event()
    stack.callback(release.set)

    def hangs() -> Sequence[tuple[str, int]]:
        release.wait(PATIENCE)
        return ()

    names = [f"dead-{number}" for number in range(40)]
    path = tmp_path / "a.json"
    path.write_text('[{"targets": ["a:1"]}]')
    world = World(dict.fromkeys(names, hangs))
    run(stack, world, settings(*dns(*names), files=[FileSource(path)]))
    wait_for(lambda: world.looks >= 4)
    path.write_text('[{"targets": ["b:1"]}]')
    changed = time.monotonic()
    wait_for(lambda: world.names == ["b:1"])
    assert time.monotonic() - changed < 10.0


def test_of_a_bad_file_a_reload_keeps_what_it_said_and_of_a_good_one_nothing_twice(
    stack: ExitStack, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "turns-bad.json"
    good.write_text('[{"targets": ["a:1", "b:1"]}]')
    bad.write_text('[{"targets": ["c:1"]}]')
    world = World()
    files = FileSource(tmp_path / "*.json")
    found = run(stack, world, settings(files=[files]))
    wait_for(lambda: world.names == ["a:1", "b:1", "c:1"])
    bad.write_text("[")
    wait_for(lambda: bool(found.statuses()[0].problem))
    found.swap(settings(files=[replace(files, template=replace(NOWHERE, interval=5.0))]))
    assert world.names == ["a:1", "b:1", "c:1"]
    wait_for(lambda: world.targets[0].interval == 5.0)
    assert found.statuses()[0].targets == 3
    good.write_text('[{"targets": ["a:1"]}]')
    wait_for(lambda: world.names == ["a:1", "c:1"])
    bad.unlink()
    wait_for(lambda: world.names == ["a:1"])


def test_a_thousand_changes_leave_no_thread_and_no_job_behind(stack: ExitStack) -> None:
    turn = iter(range(10_000))
    world = World({"pods": lambda: [(f"h{next(turn)}", 8000)]})
    found = run(stack, world, settings(*dns("pods", interval=0.005)))
    wait_for(lambda: world.looks > 20)
    threads = threading.active_count()
    for number in range(100):
        found.swap(settings(*dns("pods", interval=0.005 + number / 1e6)))
    wait_for(lambda: world.looks > 150)
    assert threading.active_count() <= threads + 15  # the pool has sixteen
    assert len(world.names) == 1
