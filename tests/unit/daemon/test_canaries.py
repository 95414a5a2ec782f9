"""Canaries as jobs on a real scheduler: when they run, in which pool, and what the log says of them."""

from __future__ import annotations

import datetime as dt
import logging
import random
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from support.frames import facts, frame, key
from support.misbehaving import target_at
from triton_watch.daemon.canaries import CanaryJobs
from triton_watch.daemon.chronicle import Chronicle
from triton_watch.records import (
    CanaryOptions,
    CanaryReason,
    CanarySettings,
    CanaryState,
    CanaryVerdict,
    Counter,
    EventKind,
    EventLevel,
    ModelConfig,
    ModelKey,
    ModelState,
    ModelStatus,
    Outcome,
    ProbeResult,
    Settings,
    SkipReason,
    TargetSnapshot,
    TensorSpec,
)
from triton_watch.slo.sli import compute
from triton_watch.triton.infer.errors import InferError
from triton_watch.triton.infer.messages import Exchange, InferAnswer, InferRequest, tensor_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

M, N = key("m"), key("n")
T = "t"
PATIENCE = 20.0
"""Seconds that a loaded machine may take for what should take one."""
SECONDS = 300.0
"""An interval so long that only the first canary, and those that hurry, run in a test."""
ANSWER = {"Y": tensor_of(np.array([[1.0, 2.0]], dtype=np.float32), "FP32")}


@dataclass
class Client:
    """Answers at once and well, unless told otherwise; notes who asked, when and in which thread."""

    failures: dict[str, CanaryReason] = field(default_factory=dict)
    """By model: how its requests fail."""
    held: dict[str, threading.Event] = field(default_factory=dict)
    """By model: its requests wait for this."""
    asked: list[tuple[str, float, str]] = field(default_factory=list)
    closed: int = 0

    def infer(self, request: InferRequest, timeout: float) -> Exchange:
        self.asked.append((request.model, time.monotonic(), threading.current_thread().name))
        if request.model in self.held:
            self.held[request.model].wait(timeout)
        if request.model in self.failures:
            raise InferError(self.failures[request.model], f"{request.model} says no")
        return Exchange((InferAnswer(request.model, "1", ANSWER, 0.01),), 0.01)

    def stream(self, request: InferRequest, timeout: float, limit: int) -> Exchange:
        raise NotImplementedError

    def close(self) -> None:
        self.closed += 1

    def times(self, model: str) -> int:
        return sum(name == model for name, _, _ in self.asked)


def config_of(name: str) -> ModelConfig:
    tensors = (TensorSpec("X", "FP32", (2,)),), (TensorSpec("Y", "FP32", (2,)),)
    return ModelConfig(name, max_batch_size=8, inputs=tensors[0], outputs=tensors[1])


CONFIGS = {name: config_of(name) for name in ("m", "n", *(f"m{i}" for i in range(40)))}


def snapshot(*ready: ModelKey, resets: bool = False, **more: Any) -> TargetSnapshot:
    """A poll that found these models READY; with `resets` their counters began anew."""
    zero = dict.fromkeys(Counter, 0.0)
    before = frame(0.0, {one: {**zero, Counter.SUCCESS: 9.0 * resets} for one in ready})
    page = frame(10.0, dict.fromkeys(ready, zero))
    return TargetSnapshot(
        target_at("http://h", interval=0.2),
        2,
        0.0,
        0.001,
        {"index": ProbeResult("index", Outcome.OK, 0.0)},
        live=True,
        ready=True,
        models=tuple(ModelState(one, ModelStatus.READY) for one in ready),
        configs=CONFIGS,
        slis=compute(before, page, facts(page, *CONFIGS.values())),
        **more,
    )


@dataclass
class Running:
    """Jobs on a scheduler that runs."""

    jobs: CanaryJobs
    scheduler: BackgroundScheduler
    client: Client
    chronicle: Chronicle

    def state(self, model: ModelKey = M) -> CanaryState:
        return self.jobs.states()[T][model]

    def job(self, model: ModelKey = M) -> Any:
        return self.scheduler.get_job(f"canary:{T}:{model.name}:{model.version}")

    def due_in(self, model: ModelKey = M) -> float:
        """Seconds until the model's next canary."""
        seconds: float = (self.job(model).next_run_time - dt.datetime.now(dt.timezone.utc)).total_seconds()
        return seconds


def settings_of(interval: float = SECONDS, **more: Any) -> CanarySettings:
    options = CanaryOptions(**{"interval": interval, "timeout": 1.0, **more.pop("options", {})})
    return CanarySettings(options, jitter=0.0, **more)


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts a scheduler and watches one target, as the supervisor does; everything ends with the test."""
    with ExitStack() as stack:

        def make(settings: CanarySettings | None = None, client: Client | None = None) -> Running:
            settings, client = settings or settings_of(), client or Client()
            scheduler = BackgroundScheduler(
                timezone=dt.timezone.utc,
                executors={"default": ThreadPoolExecutor(1), **CanaryJobs.executors(Settings((), canary=settings))},
                job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            )
            chronicle = Chronicle(logging.getLogger("test"))
            chronicle.watch(T)
            jobs = CanaryJobs(
                settings,
                scheduler,
                chronicle=chronicle,
                clock=time.monotonic,
                now=time.time,
                rng=random.Random(1),
                client=lambda _: client,
            )
            died: list[Any] = []
            scheduler.add_listener(died.append, EVENT_JOB_ERROR)
            scheduler.add_listener(lambda event: jobs.skipped(event.job_id), EVENT_JOB_MAX_INSTANCES)
            scheduler.start()
            stack.callback(lambda: pytest.fail(str(died[0].exception)) if died else None)
            stack.callback(scheduler.shutdown, wait=False)  # waiting would keep jobs from planning their next run
            for event in client.held.values():
                stack.callback(event.set)
            jobs.watch(replace(snapshot().target, name=T))
            return Running(jobs, scheduler, client, chronicle)

        yield make


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_model_that_became_ready_is_asked_at_once_and_then_somewhere_in_the_second_half_of_the_interval(
    start: Callable[..., Running],
) -> None:
    """Models of one server that came together are spread from then on."""
    run = start()
    models = tuple(key(f"m{i}") for i in range(20))
    run.jobs.follow(T, snapshot(*models))
    wait_for(lambda: all(run.state(one).last is not None for one in models))
    wait_for(lambda: all(run.due_in(one) > 100 for one in models))
    dues = sorted(run.due_in(one) for one in models)
    assert dues[0] > SECONDS / 2 - 5
    assert dues[-1] < SECONDS
    assert dues[-1] - dues[0] > SECONDS / 10
    assert all(run.state(one).verdict is CanaryVerdict.PASSING for one in models)


def test_a_model_is_left_alone_for_its_start_delay(start: Callable[..., Running]) -> None:
    run = start(settings_of(options={"start_delay": 60.0}))
    run.jobs.follow(T, snapshot(M))
    assert 59.0 < run.due_in() < 62.0
    assert run.client.asked == []


def test_the_next_canary_hurries_while_there_is_a_doubt(start: Callable[..., Running]) -> None:
    """A failure is confirmed within seconds, not after an interval; so is a recovery."""
    run = start(settings_of(3.0), Client(failures={"m": CanaryReason.SERVER_ERROR}))
    run.jobs.follow(T, snapshot(M))
    begin = time.monotonic()
    wait_for(lambda: run.state().verdict is CanaryVerdict.FAILING)
    assert time.monotonic() - begin < 2.5, "less than the interval"
    run.client.failures.clear()
    wait_for(lambda: run.state().verdict is CanaryVerdict.PASSING)
    first, *_, last = (moment for _, moment, _ in run.client.asked)
    assert last - first < PATIENCE


def test_a_model_that_hangs_goes_to_a_pool_of_its_own_until_it_answers(start: Callable[..., Running]) -> None:
    run = start(settings_of(0.4), Client(failures={"m": CanaryReason.DEADLINE}))
    run.jobs.follow(T, snapshot(M, N))
    wait_for(lambda: run.job(M).executor == "canary_suspects")
    assert run.job(N).executor == "canaries"
    run.client.failures.clear()
    wait_for(lambda: run.job(M).executor == "canaries")


def test_models_that_hang_do_not_keep_the_others_waiting(start: Callable[..., Running]) -> None:
    """Two that never answer within their time, and one thread for all that do answer."""
    hanging = tuple(key(f"m{i}") for i in range(2))
    client = Client(
        failures={one.name: CanaryReason.DEADLINE for one in hanging},
        held={one.name: threading.Event() for one in hanging},
    )
    run = start(settings_of(1.0, options={"timeout": 0.1}, concurrency=1), client)
    run.jobs.follow(T, snapshot(M, N, *hanging))
    wait_for(lambda: all(run.job(one).executor == "canary_suspects" for one in hanging))
    before = client.times("m")
    time.sleep(3.0)
    assert client.times("m") - before >= 2


def test_a_canary_that_is_due_while_the_one_before_runs_is_skipped_and_counted(start: Callable[..., Running]) -> None:
    client = Client(held={"m": threading.Event()})
    run = start(settings_of(0.2), client)
    run.jobs.follow(T, snapshot(M))
    wait_for(lambda: run.state().skipped.get(SkipReason.STILL_RUNNING, 0) > 0)
    assert client.times("m") == 1
    client.held["m"].set()
    wait_for(lambda: run.state().last is not None)


def test_a_note_of_a_skipped_job_that_is_not_known_is_ignored(start: Callable[..., Running]) -> None:
    run = start()
    run.jobs.skipped("canary:other:m:1")
    assert dict(run.jobs.states()) == {T: {}}


def test_an_unloaded_model_is_asked_no_more(start: Callable[..., Running]) -> None:
    run = start()
    run.jobs.follow(T, snapshot(M, N))
    wait_for(lambda: run.state().last is not None)
    run.jobs.follow(T, snapshot(N))
    assert run.job(M) is None
    assert run.job(N) is not None
    assert set(run.jobs.states()[T]) == {N}


def test_a_model_that_was_loaded_anew_is_asked_at_once(start: Callable[..., Running]) -> None:
    run = start()
    run.jobs.follow(T, snapshot(M))
    wait_for(lambda: run.client.times("m") == 1 and run.due_in() > 100)
    run.jobs.follow(T, snapshot(M, resets=True))
    wait_for(lambda: run.client.times("m") == 2)


def test_a_model_unloaded_while_its_canary_runs_leaves_no_job_and_no_error(start: Callable[..., Running]) -> None:
    run = start(client=Client(held={"m": threading.Event()}))
    run.jobs.follow(T, snapshot(M))
    wait_for(lambda: run.client.times("m") == 1)
    run.jobs.follow(T, snapshot())
    run.client.held["m"].set()
    time.sleep(0.2)
    assert run.job() is None
    assert dict(run.jobs.states()) == {T: {}}


def test_a_target_that_is_forgotten_is_asked_no_more_and_its_connections_close(start: Callable[..., Running]) -> None:
    run = start()
    run.jobs.follow(T, snapshot(M))
    wait_for(lambda: run.client.times("m") == 1)
    run.jobs.forget(T)
    assert run.job() is None
    assert run.client.closed == 1
    assert dict(run.jobs.states()) == {}
    run.jobs.follow(T, snapshot(M))
    run.jobs.forget(T)
    assert run.job() is None, "a poll that was still under way begins nothing"


def test_other_settings_begin_all_canaries_anew_with_the_next_poll(start: Callable[..., Running]) -> None:
    run = start()
    run.jobs.follow(T, snapshot(M, N))
    wait_for(lambda: run.client.times("m") == 1)
    run.jobs.swap(settings_of(60.0, exclude_models=("n",)))
    assert run.job(M) is run.job(N) is None
    run.jobs.follow(T, snapshot(M, N))
    assert run.job(N) is None
    wait_for(lambda: run.client.times("m") == 2)
    assert run.state().interval == 60.0
    assert run.job().trigger.interval == dt.timedelta(seconds=60)


def test_the_same_settings_change_nothing(start: Callable[..., Running]) -> None:
    run = start()
    run.jobs.follow(T, snapshot(M))
    job = run.job()
    run.jobs.swap(settings_of())
    assert run.job().id == job.id


def test_settings_that_take_a_restart_are_named_in_the_log(
    start: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    run = start()
    run.jobs.swap(settings_of(concurrency=9))
    assert [record.getMessage() for record in caplog.records if record.name == "test"] == [
        "canary.concurrency or protocol changed: that takes effect after a restart"
    ]


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "test"]


def test_the_log_tells_when_a_model_begins_to_fail_and_when_it_passes_again_and_nothing_in_between(
    start: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run = start(settings_of(0.3), Client(failures={"m": CanaryReason.SERVER_ERROR}))
    run.jobs.follow(T, snapshot(M, N))
    wait_for(lambda: run.client.times("m") > 5)
    run.client.failures.clear()
    wait_for(lambda: run.state().verdict is CanaryVerdict.PASSING)
    wait_for(lambda: len(lines(caplog)) > 1)
    fails, passes = lines(caplog)
    assert fails[0] == "WARNING"
    assert fails[1].startswith("canary fails: m says no")
    assert passes == ("INFO", "canary passes again")
    told = next(record for record in caplog.records if record.levelname == "WARNING")
    assert vars(told)["facts"] == {"target": T, "model": "m", "version": "1", "reason": "server_error"}


def test_a_model_that_goes_on_failing_is_one_event_that_counts_its_canaries_and_its_history_has_them_all(
    start: Callable[..., Running],
) -> None:
    run = start(settings_of(0.3), Client(failures={"m": CanaryReason.SERVER_ERROR}))
    run.jobs.follow(T, snapshot(M))
    wait_for(lambda: run.client.times("m") > 5)
    for _ in range(3):
        run.jobs.follow(T, snapshot(M))  # polls tell of the same canaries
    run.client.failures.clear()
    wait_for(lambda: run.state().verdict is CanaryVerdict.PASSING)
    wait_for(lambda: len(run.chronicle.events()) > 1)
    passes, fails = run.chronicle.events()
    runs = run.state().runs
    assert (fails.kind, fails.level, fails.model, fails.version) == (EventKind.CANARY, EventLevel.TROUBLE, "m", "1")
    assert fails.sentence.startswith("Canary fails: m says no")
    assert fails.count == runs[CanaryReason.SERVER_ERROR] - 1, "the second failure made the verdict"
    assert fails.last > fails.at
    assert (passes.level, passes.sentence, passes.count) == (EventLevel.RECOVERY, "Canary passes again", 1)
    history = run.jobs.history(T, M)
    assert len(history.runs) == sum(runs.values())
    (failure,) = history.failures
    assert (failure.reason, failure.count) == (CanaryReason.SERVER_ERROR, runs[CanaryReason.SERVER_ERROR])


def test_the_history_of_a_model_outlives_its_unloading_and_a_reload_and_goes_with_its_target(
    start: Callable[..., Running],
) -> None:
    run = start()
    run.jobs.follow(T, snapshot(M))
    wait_for(lambda: len(run.jobs.history(T, M).runs) == 1)
    run.jobs.follow(T, snapshot())
    run.jobs.swap(settings_of(60.0))
    assert len(run.jobs.history(T, M).runs) == 1
    run.jobs.follow(T, snapshot(M))
    wait_for(lambda: len(run.jobs.history(T, M).runs) == 2)
    run.jobs.forget(T)
    assert run.jobs.history(T, M).runs == ()


def test_a_lone_failure_is_no_line_in_the_log_and_neither_is_the_first_pass(
    start: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run = start(settings_of(6.0), Client(failures={"m": CanaryReason.SERVER_ERROR}))
    run.jobs.follow(T, snapshot(M))
    wait_for(lambda: run.state().last is not None)
    run.client.failures.clear()
    wait_for(lambda: run.state().verdict is CanaryVerdict.PASSING)
    assert lines(caplog) == []


def test_a_model_that_is_ready_by_the_index_and_not_served_fails_by_the_next_poll_and_the_log_says_so(
    start: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    """It may have been unloaded just then: only a later index that still says READY makes it a failure."""
    run = start(settings_of(0.4), Client(failures={"m": CanaryReason.NOT_SERVED}))
    run.jobs.follow(T, snapshot(M))

    def confirmed() -> bool:
        run.jobs.follow(T, snapshot(M))
        return run.state().verdict is CanaryVerdict.FAILING

    wait_for(confirmed)
    assert [message for _, message in lines(caplog)] == ["canary fails: m says no"]


def test_closing_ends_what_is_due_and_waits_for_what_is_under_way_no_longer_than_asked(
    start: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    """An agent that was told to stop must not wait for a model that hangs."""
    client = Client(failures={"m": CanaryReason.DEADLINE}, held={"m": threading.Event()})
    run = start(settings_of(concurrency=1), client)
    run.jobs.follow(T, snapshot(M))
    wait_for(lambda: client.times("m") == 1)
    run.jobs.follow(T, snapshot(M, N))
    time.sleep(1.2)
    run.jobs.close()
    assert client.closed == 1
    assert run.jobs.wait(0.1) is False
    client.held["m"].set()
    assert run.jobs.wait(PATIENCE)
    time.sleep(0.1)
    assert client.times("n") == 0, "it was due, and no thread was free"
    assert [record for record in caplog.records if record.name == "test"] == []


def test_canaries_run_in_threads_of_their_own(start: Callable[..., Running]) -> None:
    run = start(settings_of(concurrency=2))
    pools = CanaryJobs.executors(Settings((), canary=settings_of(concurrency=2)))
    assert set(pools) == {"canaries", "canary_suspects"}
    run.jobs.follow(T, snapshot(*(key(f"m{i}") for i in range(20))))
    wait_for(lambda: len(run.client.asked) >= 20)
    assert len({thread for _, _, thread in run.client.asked}) <= 2
