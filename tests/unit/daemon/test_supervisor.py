"""The supervisor keeps every target's pace whatever the others do, and notices when a job of ours dies."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from support.fake_triton import FakeTriton
from support.misbehaving import Server, silent, target_at
from support.objectives import availability
from triton_watch.daemon.supervisor import Supervisor
from triton_watch.records import (
    CanaryOptions,
    CanaryReason,
    CanarySettings,
    DiscoverySettings,
    FileSource,
    ModelKey,
    Outcome,
    Protocol,
    Settings,
    SloSettings,
    Sum,
    Target,
    Timeouts,
)
from triton_watch.slo.serving import Serving
from unit.cli.canary_server import CanaryTriton

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.misbehaving import Connection
    from triton_watch.probes.watch import Watch

LOG = logging.getLogger("test")
PATIENCE = 20.0
"""Seconds that a loaded machine may take for what should take one."""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def running(
    stack: ExitStack,
    *targets: Target,
    poll_threads: int = 64,
    canary: CanarySettings | None = None,
    slo: SloSettings | None = None,
    **options: Any,
) -> Supervisor:
    settings = Settings(targets, poll_threads=poll_threads, canary=canary or CanarySettings(), slo=slo or SloSettings())
    supervisor = Supervisor(settings, **{"log": LOG, "on_death": pytest.fail, "rng": random.Random(1), **options})
    supervisor.start()
    stack.callback(supervisor.stop, 5.0)
    return supervisor


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def named(target: Target, name: str, **fields: Any) -> Target:
    return replace(target, name=name, **fields)


@pytest.mark.parametrize("poll_threads", [64, 6])
def test_forty_targets_keep_their_pace_beside_ten_that_never_answer(stack: ExitStack, poll_threads: int) -> None:
    good, bad = stack.enter_context(Server(FakeTriton())), stack.enter_context(Server(silent))
    deadlines = Timeouts(connect=0.8, read=0.8, total=0.8)
    healthy = [named(target_at(good.url), f"good{i}", interval=1.0, timeouts=deadlines) for i in range(40)]
    hanging = [named(target_at(bad.url), f"bad{i}", interval=1.0, timeouts=deadlines) for i in range(10)]
    supervisor = running(stack, *healthy, *hanging, poll_threads=poll_threads)
    wait_for(supervisor.first_cycle_done)
    time.sleep(3.0)  # the ten have shown by now that they hang
    before = {name: counts.cycles for name, counts in supervisor.counters().items()}
    time.sleep(6.0)
    after = supervisor.counters()
    paces = [after[target.name].cycles - before[target.name] for target in healthy]
    assert min(paces) >= 4, paces
    hung = supervisor.snapshots()["bad0"].probes
    assert hung["live"].outcome in (Outcome.READ_TIMEOUT, Outcome.DEADLINE, Outcome.NOT_TRIED)
    assert supervisor.beat_age() < 3.0


def test_a_cycle_of_a_dead_probe_is_reported_once_as_a_death(stack: ExitStack) -> None:
    deaths: list[str] = []

    def dies(watch: Watch, deadline: float) -> tuple[Outcome, str]:
        raise ZeroDivisionError(f"{watch.target.name} {deadline > 0}")

    server = stack.enter_context(Server(FakeTriton()))
    running(stack, target_at(server.url), on_death=deaths.append, probes={"live": dies})
    wait_for(lambda: bool(deaths))
    assert deaths[0] == "the job poll:test died of ZeroDivisionError: test True"


def test_failures_are_counted_by_probe_and_outcome(stack: ExitStack) -> None:
    server = stack.enter_context(Server(FakeTriton(metrics=b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")))
    supervisor = running(stack, named(target_at(server.url), "t", interval=0.2))
    wait_for(lambda: supervisor.counters()["t"].cycles >= 3)
    counts = supervisor.counters()["t"]
    assert counts.failures["metrics", Outcome.EMPTY] in (counts.cycles, counts.cycles - 1)
    assert set(counts.failures) == {("metrics", Outcome.EMPTY)}


def test_a_swap_keeps_the_history_of_unchanged_targets_and_drops_removed_ones(stack: ExitStack) -> None:
    server = stack.enter_context(Server(FakeTriton()))
    stays, goes, changes = (named(target_at(server.url), name, interval=0.3) for name in ("stays", "goes", "changes"))
    supervisor = running(stack, stays, goes, changes)
    wait_for(lambda: all(c.cycles >= 2 for c in supervisor.counters().values()))
    changed, comes = named(changes, "changes", expected_models=("matmul",)), named(stays, "comes")
    supervisor.swap(Settings((stays, changed, comes)))
    assert set(supervisor.counters()) == {"stays", "changes", "comes"}
    assert "goes" not in supervisor.snapshots()
    assert supervisor.counters()["stays"].cycles >= 2
    assert supervisor.counters()["comes"].cycles == 0
    wait_for(supervisor.first_cycle_done)
    wait_for(lambda: supervisor.snapshots()["changes"].target == changed)
    assert supervisor.reload().success


def test_snapshots_that_were_handed_out_do_not_change(stack: ExitStack) -> None:
    server = stack.enter_context(Server(FakeTriton()))
    supervisor = running(stack, named(target_at(server.url), "t", interval=0.2))
    wait_for(supervisor.first_cycle_done)
    held = supervisor.snapshots()
    first = held["t"]
    wait_for(lambda: supervisor.snapshots()["t"].cycle > first.cycle + 1)
    assert held["t"] is first


def test_what_was_is_kept_of_a_target_and_goes_with_it(stack: ExitStack) -> None:
    triton = CanaryTriton("good", "bad")
    triton.errors["bad"] = "CUDA error"
    server = stack.enter_context(Server(triton))
    t, gone = (named(target_at(server.url), name, interval=0.2) for name in ("t", "gone"))
    objectives = SloSettings((availability(),))
    supervisor = running(stack, t, gone, canary=HTTP, slo=objectives)
    good, bad = ModelKey("good", "1"), ModelKey("bad", "1")
    assert supervisor.batch_sizes("t", "good", "1") is None
    wait_for(lambda: len(supervisor.history().cycles["t"]) >= 5)
    wait_for(lambda: any(event.model == "bad" for event in supervisor.history().events))
    history = supervisor.history()
    slot = history.recent["t"].slots[-1]
    assert set(slot.models.keys) == {good, bad}
    assert slot.sums[Sum.SECONDS].min() > 0
    marks = history.cycles["t"]
    assert [mark.at for mark in marks] == sorted(mark.at for mark in marks)
    assert {event.target for event in history.events} <= {"t", "gone"}
    assert supervisor.canary_history("t", good).runs[0].reason is CanaryReason.OK
    assert "CUDA error" in supervisor.canary_history("t", bad).failures[0].detail
    assert supervisor.courses("t", good)["availability"].times.size > 0
    wait_for(lambda: supervisor.batch_sizes("t", "good", "1") is not None)
    supervisor.swap(Settings((t,), canary=HTTP, slo=objectives))
    after = supervisor.history()
    assert set(after.recent) == set(after.cycles) == {"t"}
    assert after.cycles["t"][-2:] != ()
    assert {event.target for event in after.events} <= {"t"}
    assert supervisor.canary_history("gone", bad).runs == ()
    assert supervisor.batch_sizes("gone", "good", "1") is None
    assert supervisor.agent().memory > 0


@pytest.mark.parametrize("jump", [-7200.0, 7200.0])
def test_a_jump_of_the_wall_clock_does_not_put_polling_to_sleep(stack: ExitStack, jump: float) -> None:
    shift = [0.0]
    server = stack.enter_context(Server(FakeTriton()))
    hourly = named(target_at(server.url), "t", interval=3600.0)
    supervisor = running(stack, hourly, now=lambda: time.time() + shift[0])
    wait_for(supervisor.first_cycle_done)
    supervisor.watch_clock()
    assert supervisor.counters()["t"].cycles == 1
    shift[0] = jump
    supervisor.watch_clock()
    wait_for(lambda: supervisor.counters()["t"].cycles == 2)


def test_stopping_does_not_wait_longer_than_asked_for_a_target_that_hangs(stack: ExitStack) -> None:
    server = Server(silent)
    deadlines = Timeouts(connect=3.0, read=3.0, total=3.0)
    supervisor = running(stack, named(target_at(server.url), "t", timeouts=deadlines))
    time.sleep(1.5)
    begin = time.monotonic()
    assert supervisor.stop(0.3) is False
    assert time.monotonic() - begin < 2.0
    server.close()  # ends the cycle, lest its thread outlive the test


HTTP = CanarySettings(CanaryOptions(interval=0.5, timeout=0.4), protocol=Protocol.HTTP)


class Hanging(CanaryTriton):
    """Reads inferences, and answers none of them."""

    def __call__(self, connection: Connection) -> None:
        while connection.read_request():
            path = connection.requests[-1].split()[1].decode()
            if path.endswith("/infer"):
                connection.closing.wait()
                return
            connection.send(self.answer(path))


def test_the_verdict_on_a_target_follows_its_canaries_and_names_it_in_states(stack: ExitStack) -> None:
    triton = CanaryTriton("good")
    server = stack.enter_context(Server(triton))
    supervisor = running(stack, named(target_at(server.url), "t", interval=0.2), canary=HTTP)
    assert supervisor.serving()["t"].verdict is Serving.UNKNOWN
    wait_for(lambda: supervisor.serving()["t"].verdict is Serving.SERVING)
    assert set(supervisor.canaries()["t"]) == {ModelKey("good", "1")}
    assert supervisor.serving("absent")["t"].verdict is Serving.NOT_SERVING
    triton.values["good"] = [1.0]
    wait_for(lambda: supervisor.serving()["t"].verdict is Serving.NOT_SERVING)
    wait_for(lambda: ModelKey("good", "1") in supervisor.snapshots()["t"].silent)
    supervisor.swap(Settings((), canary=HTTP))
    assert dict(supervisor.serving()) == {}
    assert dict(supervisor.canaries()) == {}


def test_a_jump_of_the_wall_clock_wakes_canaries_too(stack: ExitStack) -> None:
    shift = [0.0]
    triton = CanaryTriton("good")
    server = stack.enter_context(Server(triton))
    hourly = replace(HTTP, options=CanaryOptions(interval=3600.0))
    supervisor = running(stack, named(target_at(server.url), "t"), canary=hourly, now=lambda: time.time() + shift[0])
    wait_for(lambda: len(triton.asked) == 1)
    time.sleep(0.2)  # its next run is planned
    shift[0] = -7200.0
    supervisor.watch_clock()
    wait_for(lambda: len(triton.asked) == 2)


def test_stopping_does_not_wait_longer_than_asked_for_a_canary_that_hangs(stack: ExitStack) -> None:
    """The first canary after a load may take half a minute: an agent that was told to end must not."""
    server = Server(Hanging("good"))
    patient = replace(HTTP, options=CanaryOptions(interval=60.0, timeout=5.0))
    supervisor = running(stack, named(target_at(server.url), "t"), canary=patient)
    wait_for(lambda: any(b"/infer" in request for request in server.requests))
    begin = time.monotonic()
    assert supervisor.stop(0.3) is False
    assert time.monotonic() - begin < 2.0
    server.close()  # ends the canary, lest its thread outlive the test


def test_targets_that_flap_leave_nothing_behind(stack: ExitStack) -> None:
    server = stack.enter_context(Server(FakeTriton()))
    stays = named(target_at(server.url), "stays", interval=0.1)
    supervisor = running(stack, stays)
    wait_for(supervisor.first_cycle_done)
    threads, began = 0, supervisor.counters()["stays"].cycles
    for turn in range(30):
        come = [named(target_at(server.url), f"pod-{turn}-{number}", interval=0.1) for number in range(10)]
        supervisor.swap(Settings((stays, *come)))
        time.sleep(0.1)
        if turn == 10:
            threads = threading.active_count()
    supervisor.swap(Settings((stays,)))
    time.sleep(1.0)
    assert set(supervisor.targets()) == set(supervisor.snapshots()) == set(supervisor.counters()) == {"stays"}
    assert set(supervisor.canaries()) == {"stays"}
    assert set(supervisor.history().recent) == {"stays"}
    assert supervisor.counters()["stays"].cycles > began + 10
    assert threading.active_count() <= threads + 10


def test_a_target_that_is_gone_while_it_is_polled_leaves_no_snapshot(stack: ExitStack) -> None:
    server = stack.enter_context(Server(silent))
    slow = Timeouts(connect=0.5, read=0.5, total=0.5)
    supervisor = running(stack, named(target_at(server.url), "slow", interval=30.0, timeouts=slow))
    time.sleep(1.2)  # the first cycle began within a second, and takes over two
    supervisor.swap(Settings(()))
    time.sleep(4.0)
    assert not supervisor.snapshots()
    assert not supervisor.targets()
    assert not supervisor.counters()


def test_targets_in_a_file_are_ready_with_their_first_cycle_and_later_ones_change_nothing_of_that(
    stack: ExitStack, tmp_path: Path
) -> None:
    server = stack.enter_context(Server(FakeTriton()))
    address = server.url.removeprefix("http://")
    file = tmp_path / "targets.json"
    template = named(target_at(server.url), "", interval=0.2)
    found = DiscoverySettings(files=(FileSource(file, template),))
    file.write_text(json.dumps([{"targets": [address]}]))
    supervisor = Supervisor(Settings((), discovery=found), log=LOG, on_death=pytest.fail, rng=random.Random(1))
    assert not supervisor.first_cycle_done()
    supervisor.start()
    stack.callback(supervisor.stop, 5.0)
    wait_for(supervisor.first_cycle_done)
    assert set(supervisor.snapshots()) == {address}
    cycles = supervisor.counters()[address].cycles
    file.write_text(json.dumps([{"targets": [address, "127.0.0.1:9"]}]))
    wait_for(lambda: "127.0.0.1:9" in supervisor.targets())
    assert supervisor.first_cycle_done()
    wait_for(lambda: supervisor.counters()[address].cycles > cycles + 2)
    (status,) = supervisor.discovery()
    assert (status.targets, status.failures, status.problem) == (2, 0, "")
