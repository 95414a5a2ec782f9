"""Targets come and go while cycles are under way: none is polled that is gone, none waits for its forerunner."""

from __future__ import annotations

import logging
import random
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from triton_watch.daemon.supervisor import Supervisor
from triton_watch.discovery.building import target_at
from triton_watch.records import Outcome, Settings, Target
from triton_watch.records.discovery import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from triton_watch.probes.watch import Watch

PATIENCE = 20.0
A = target_at(replace(NOWHERE, interval=60.0), "http://a:8000", name="a")
B = target_at(replace(NOWHERE, interval=60.0), "http://b:8000", name="b")


class Gate:
    """A probe that hangs on the targets of `held` until `release`."""

    def __init__(self, *held: Target) -> None:
        self.held = held
        self.asked: list[Target] = []
        self.release = threading.Event()

    def __call__(self, watch: Watch, deadline: float) -> tuple[Outcome, str]:
        del deadline
        self.asked.append(watch.target)
        if watch.target in self.held:
            self.release.wait(PATIENCE)
        return Outcome.OK, ""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def running(stack: ExitStack, gate: Gate, *targets: Target, poll_threads: int = 4) -> Supervisor:
    supervisor = Supervisor(
        Settings(targets, poll_threads=poll_threads),
        log=logging.getLogger("test"),
        on_death=pytest.fail,
        rng=random.Random(1),
        probes={"live": gate},
    )
    supervisor.start()
    stack.callback(supervisor.stop, 5.0)
    stack.callback(gate.release.set)
    return supervisor


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_target_that_begins_anew_does_not_wait_for_the_cycle_of_the_one_before_it(stack: ExitStack) -> None:
    gate = Gate(A)
    supervisor = running(stack, gate, A)
    wait_for(lambda: gate.asked == [A])
    again = replace(A, expected_models=("ranker",))
    supervisor.swap(Settings((again,)))
    wait_for(supervisor.first_cycle_done)
    assert supervisor.snapshots()["a"].target == again
    assert (supervisor.counters()["a"].cycles, supervisor.counters()["a"].skipped) == (1, 0)


def test_a_cycle_that_waits_for_a_thread_is_not_begun_once_its_target_is_gone(stack: ExitStack) -> None:
    gate = Gate(A, B)
    supervisor = running(stack, gate, A, B, poll_threads=1)
    wait_for(lambda: len(gate.asked) == 1)
    time.sleep(1.2)  # the other is due within a second
    (first,) = gate.asked
    supervisor.swap(Settings((first,)))
    gate.release.set()
    wait_for(supervisor.first_cycle_done)
    time.sleep(0.2)
    assert gate.asked == [first]


def test_targets_that_go_while_the_agent_ends_are_no_fault(stack: ExitStack) -> None:
    """A look-up that ends in that moment takes them away."""
    gate = Gate()
    supervisor = running(stack, gate, A, B)
    wait_for(supervisor.first_cycle_done)
    assert supervisor.stop(5.0)
    supervisor.swap(Settings((A,)))
    assert set(supervisor.targets()) == {"a"}
