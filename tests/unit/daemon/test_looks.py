"""Servers are asked for the statistics of models that somebody looks at, in measure, and say why they tell none."""

from __future__ import annotations

import datetime as dt
import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from support.fake_triton import FakeTriton
from support.misbehaving import Server, http_answer, silent, target_at
from triton_watch.daemon.looks import AT_A_TIME, KEPT, LOOKED, MODELS, PACE, PATIENCE, Looks
from triton_watch.probes.canary.clients import Clocks
from triton_watch.records import BatchSizes, Timeouts

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON = "application/json"
NOW = 1.7e9
WAIT = 20.0
"""Seconds that a loaded machine may take for what should take one."""


def stats(name: str = "m", version: str = "1", sizes: dict[int, int] | None = None) -> dict[str, Any]:
    """One model's statistics with so many executions of each batch size, as Triton writes them."""

    def took(count: int) -> dict[str, int]:
        return {"count": count, "ns": 1000 * count}

    batches = [
        {"batch_size": size, "compute_input": took(count), "compute_infer": took(count), "compute_output": took(count)}
        for size, count in (sizes or {}).items()
    ]
    return {"name": name, "version": version, "inference_stats": {}, "batch_stats": batches}


def answer(*models: dict[str, Any]) -> bytes:
    return http_answer(json.dumps({"model_stats": models}).encode(), content_type=JSON)


@dataclass
class World:
    """Targets on real sockets, a clock that is moved by hand, and a scheduler that does not run."""

    stack: ExitStack
    time: float = 100.0
    scheduler: BackgroundScheduler = field(default_factory=lambda: BackgroundScheduler(timezone=dt.timezone.utc))

    def __post_init__(self) -> None:
        self.looks = Looks(self.scheduler, Clocks(self.clock, lambda: NOW + self.time))

    def clock(self) -> float:
        return self.time

    def serve(self, answers: dict[str, bytes]) -> FakeTriton:
        """A target `t` whose models' statistics are these."""
        triton = FakeTriton()
        triton.answers |= {f"/v2/models/{model}/versions/1/stats": found for model, found in answers.items()}
        server = self.stack.enter_context(Server(triton))
        self.looks.watch(replace(target_at(server.url), name="t"))
        return triton

    def later(self, seconds: float) -> None:
        self.time += seconds
        self.looks.tick()

    def sizes(self, model: str = "m", target: str = "t", version: str = "1") -> BatchSizes | None:
        return self.looks.sizes(target, model, version)


@pytest.fixture
def world() -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


def asked(triton: FakeTriton, model: str = "m") -> int:
    return triton.asked[f"/v2/models/{model}/versions/1/stats"]


def test_who_looks_is_told_from_the_second_time_on_how_many_executions_each_batch_size_had(world: World) -> None:
    world.serve({"m": answer(stats(sizes={8: 3, 1: 40}))})
    assert world.sizes() is None
    world.later(1.0)
    assert world.sizes() == BatchSizes(NOW + 101.0, {1: 40, 8: 3})


def test_a_model_is_asked_at_its_pace_as_long_as_somebody_looks_and_no_longer(world: World) -> None:
    triton = world.serve({"m": answer(stats()), "n": answer(stats("n"))})
    world.sizes()
    for _ in range(int(LOOKED) + 120):
        world.later(1.0)
    assert asked(triton) == LOOKED / PACE
    assert asked(triton, "n") == 0
    assert world.scheduler.get_jobs() == [], "nobody looks, and nothing runs"
    world.sizes()
    assert [job.id for job in world.scheduler.get_jobs()] == ["looks"]


def test_an_answer_is_told_for_ten_minutes(world: World) -> None:
    world.serve({"m": answer(stats(sizes={1: 1}))})
    world.sizes()
    world.later(0.0)
    world.time += KEPT - 1.0
    assert world.sizes() is not None
    world.time += 1.0
    assert world.sizes() is None


def test_an_ensemble_or_a_model_that_ran_nothing_has_no_batches_and_no_problem(world: World) -> None:
    world.serve({"m": answer(stats())})
    world.sizes()
    world.later(1.0)
    assert world.sizes() == BatchSizes(NOW + 101.0)


def test_without_a_version_all_that_the_server_tells_of_are_added_up(world: World) -> None:
    triton = world.serve({})
    triton.answers["/v2/models/a%2Fb/stats"] = answer(stats("a/b", "1", {1: 2}), stats("a/b", "2", {1: 3, 4: 5}))
    world.sizes("a/b", version="")
    world.later(1.0)
    found = world.sizes("a/b", version="")
    assert found is not None
    assert found.executions == {1: 5, 4: 5}


UNKNOWN = http_answer(
    json.dumps({"error": "requested model 'm' is not available"}).encode(), "400 Bad Request", content_type=JSON
)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (UNKNOWN, "requested model 'm' is not available"),
        (http_answer(status="404 Not Found"), "404"),
        (http_answer(b"{", content_type=JSON), "broken JSON"),
        (answer(stats(version="2")), "do not tell of this version"),
    ],
)
def test_why_nothing_is_known_is_one_sentence(world: World, found: bytes, words: str) -> None:
    world.serve({"m": found})
    world.sizes()
    world.later(1.0)
    told = world.sizes()
    assert told is not None
    assert words in told.problem
    assert told.problem.endswith(".")
    assert not told.problem.endswith("..")
    assert told.executions == {}


def test_a_target_that_is_not_watched_or_no_more_is_not_asked(world: World) -> None:
    triton = world.serve({"m": answer(stats(sizes={1: 1}))})
    assert world.sizes(target="other") is None
    world.sizes()
    world.later(0.0)
    world.looks.forget("t")
    assert world.sizes() is None
    world.later(PACE)
    assert asked(triton) == 1
    world.serve({"m": answer(stats(sizes={2: 2}))})
    assert world.sizes() is None, "a target of the same name is another one"


def test_only_so_many_models_are_asked_at_a_time_and_each_has_its_turn(world: World) -> None:
    models = [f"m{number}" for number in range(2 * AT_A_TIME + 5)]
    triton = world.serve({model: answer(stats(model)) for model in models})
    for model in models:
        world.sizes(model)
    world.later(0.0)
    assert sum(asked(triton, model) for model in models) == AT_A_TIME
    world.later(1.0)
    world.later(1.0)
    assert [asked(triton, model) for model in models] == [1] * len(models)


def test_the_models_that_are_remembered_are_those_that_were_looked_at_last(world: World) -> None:
    world.serve({"m0": answer(stats("m0", sizes={1: 1})), "m1": answer(stats("m1", sizes={1: 1}))})
    for model in ("m0", "m1"):
        world.sizes(model)
    world.later(0.0)
    for number in range(2, MODELS):
        world.sizes(f"m{number}")
    world.sizes("m0")
    world.sizes("one more")
    assert world.sizes("m0") is not None
    assert world.sizes("m1") is None


def test_a_server_that_hangs_is_left_alone_for_a_while_and_the_others_are_asked(world: World) -> None:
    server = world.stack.enter_context(Server(silent))
    quick = Timeouts(connect=0.2, read=0.2, total=0.2)
    world.looks.watch(replace(target_at(server.url), name="hangs", timeouts=quick))
    world.serve({"m": answer(stats(sizes={1: 1}))})
    for model in ("a", "b", "c"):
        world.sizes(model, "hangs")
    world.sizes()
    begin = time.monotonic()
    world.later(0.0)
    assert time.monotonic() - begin < PATIENCE + 1.0
    connections = server.connections
    assert connections <= 2, "not once for each of its models"
    told = [world.sizes(model, "hangs") for model in ("a", "b", "c")]
    assert all(one is not None and "could not be read" in one.problem for one in told)
    assert world.sizes() is not None
    for _ in range(3):
        world.later(PACE - 1.0)
    assert server.connections - connections <= 2, "10 s of rest, then 20 s"


def test_on_a_scheduler_that_runs_the_first_answer_is_there_within_a_second() -> None:
    with ExitStack() as stack:
        scheduler = BackgroundScheduler(timezone=dt.timezone.utc, executors=Looks.executors())
        world = World(stack, scheduler=scheduler)
        triton = world.serve({"m": answer(stats(sizes={1: 1}))})
        scheduler.start()
        stack.callback(scheduler.shutdown)
        world.sizes()
        end = time.monotonic() + WAIT
        while world.sizes() is None:
            assert time.monotonic() < end
            time.sleep(0.01)
        world.looks.close()
        assert world.looks.wait(WAIT)
        before = asked(triton)
        world.later(PACE)
        assert asked(triton) == before == 1, "an agent that ends asks no more"
