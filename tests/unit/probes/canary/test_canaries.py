"""The canaries of one target: who is asked, when, and what comes of it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.misbehaving import target_at
from triton_watch.probes.canary.canaries import FIRST_CALL_PATIENCE, Followed, TargetCanaries
from triton_watch.probes.canary.golden.files import path_of, save
from triton_watch.probes.canary.record import NotRecordedError
from triton_watch.probes.canary.transport import Transport
from triton_watch.records import (
    CanaryOptions,
    CanaryReason,
    CanarySent,
    CanarySettings,
    CanaryVerdict,
    ConfigVectors,
    EnsembleStep,
    MetricsFrame,
    ModelIndex,
    ModelKey,
    ModelState,
    ModelStatus,
    Protocol,
    ServerInfo,
    SkipReason,
    SliTable,
)
from triton_watch.slo.serving import awaits_verdict
from unit.probes.canary.golden.tensors import golden
from unit.probes.canary.parts import (
    KEY,
    Clock,
    Scripted,
    answer,
    clocks,
    config_of,
    error,
    exchange,
    poll,
    spec,
    tensor,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from triton_watch.records import CanaryState, TargetSnapshot
    from triton_watch.triton.infer.messages import Exchange, InferRequest

CONFIG = config_of()
OTHER = ModelKey("other", "1")
OTHER_CONFIG = config_of(name="other")
TARGET = target_at("http://127.0.0.1:1")
GONE = error(CanaryReason.NOT_SERVED, "unknown model")


class Watched:
    """The canaries of a target with a scripted client, and a clock that stands still."""

    def __init__(self, *replies: Any, settings: CanarySettings | None = None, **options: Any) -> None:
        self.clock = Clock()
        self.client = Scripted([*replies] or [exchange()])
        settings = settings or CanarySettings(CanaryOptions(**options))
        self.canaries = TargetCanaries(TARGET, settings, client=self.client, clocks=clocks(self.clock))

    def follow(
        self, ready: Iterable[ModelKey] = (KEY,), configs: Any = (CONFIG, OTHER_CONFIG), **more: Any
    ) -> Followed:
        return self.canaries.follow(poll(ready, configs, **more))

    def run(self, times: int = 1, key: ModelKey = KEY) -> list[CanaryReason | None]:
        results = [self.canaries.run(key) for _ in range(times)]
        return [None if result is None else result.reason for result in results]

    def state(self, key: ModelKey = KEY) -> CanaryState:
        return self.canaries.states()[key]


def table(pending: dict[ModelKey, float], reset: Iterable[ModelKey] = ()) -> SliTable:
    """The part of a scrape that canaries look at."""
    keys = tuple(pending)
    nothing = np.empty((0, len(keys)))
    index = ModelIndex(keys, {key: row for row, key in enumerate(keys)})
    flags = np.array([key in set(reset) for key in keys], dtype=np.bool_)
    frame = MetricsFrame(
        0.0, index, nothing, np.array(list(pending.values())), {}, (), np.empty((0, 0)), {}, frozenset()
    )
    unknown = np.zeros(len(keys))
    configs = ConfigVectors(flags, unknown, unknown, flags, flags, nothing)
    return SliTable(1.0, index, nothing, nothing, flags, flags, configs, nothing, unknown, frame)


def test_a_ready_model_has_a_canary_from_now_on() -> None:
    watched = Watched()
    assert watched.follow() == Followed(begun=(KEY,))
    assert watched.follow() == Followed()
    assert watched.state().verdict is CanaryVerdict.UNKNOWN
    assert watched.run() == [CanaryReason.OK]
    assert watched.state().verdict is CanaryVerdict.PASSING


@pytest.mark.parametrize("status", [one for one in ModelStatus if one is not ModelStatus.READY])
def test_a_model_that_is_not_ready_has_none_any_more(status: ModelStatus) -> None:
    watched = Watched()
    watched.follow()
    assert watched.follow((), others=[ModelState(KEY, status)]) == Followed(ended=(KEY,))
    assert watched.canaries.states() == {}
    assert watched.run() == [None]
    assert watched.client.requests == []


def test_models_that_are_not_to_be_asked_have_none() -> None:
    settings = CanarySettings(
        models=("m*",), exclude_models=("mute",), overrides=((("mx",), CanaryOptions(enabled=False)),)
    )
    watched = Watched(settings=settings)
    keys = [ModelKey(name, "1") for name in ("m", "mute", "mx", "other")]
    assert watched.follow(keys).begun == (KEY,)


@pytest.mark.parametrize("deaf", [{"heard": False}, {"models": None}, {"probes": {}}])
def test_a_poll_that_read_no_index_changes_nothing(deaf: dict[str, Any]) -> None:
    watched = Watched()
    watched.follow()
    assert watched.follow((), **deaf) == Followed()
    assert set(watched.canaries.states()) == {KEY}


def test_every_version_has_a_canary_of_its_own() -> None:
    watched = Watched()
    second = ModelKey("m", "2")
    assert watched.follow([KEY, second]).begun == (KEY, second)
    assert watched.run(key=second) == [CanaryReason.WRONG_VERSION]
    assert watched.run() == [CanaryReason.OK]


def test_inputs_are_sent_in_rounds_whose_order_varies() -> None:
    watched = Watched()
    watched.follow()
    watched.run(20)
    sent = [request.inputs for request in watched.client.requests]
    rounds = [sent[place : place + 2] for place in range(0, 20, 2)]
    assert all(first != second for first, second in rounds)
    assert len({str(one[0]["x"].data) for one in rounds}) == 2, "not in step with a server's instances"
    assert watched.canaries.variants_of(KEY) == 2


def test_counts_go_on_when_a_model_comes_back_and_the_verdict_does_not() -> None:
    watched = Watched(error(CanaryReason.REFUSED))
    watched.follow()
    watched.run(3)
    watched.canaries.skip(KEY, SkipReason.PENDING)
    before = watched.state()
    watched.follow((), others=[ModelState(KEY, ModelStatus.UNLOADED)])
    assert watched.follow() == Followed(begun=(KEY,))
    after = watched.state()
    assert (after.runs, after.skipped, after.requests) == (before.runs, before.skipped, 3)
    assert (before.verdict, after.verdict) == (CanaryVerdict.FAILING, CanaryVerdict.UNKNOWN)
    assert (after.recent, after.last, after.last_failure, after.last_skip) == ((), None, None, None)


def test_a_model_that_the_server_forgot_begins_from_nothing() -> None:
    watched = Watched()
    watched.follow()
    watched.run()
    watched.follow((), others=[ModelState(KEY, ModelStatus.UNLOADED)])
    watched.follow(())
    watched.follow()
    assert dict(watched.state().runs) == {}


def test_a_model_whose_counters_began_again_was_loaded_anew_and_begins_anew() -> None:
    watched = Watched()
    watched.follow()
    watched.run(3)
    assert watched.client.timeouts == [5.0 * FIRST_CALL_PATIENCE, 5.0, 5.0]
    assert watched.follow(slis=table({KEY: 0.0}, reset=[KEY])) == Followed(begun=(KEY,))
    assert watched.state().runs[CanaryReason.OK] == 3
    watched.run(2)
    assert watched.client.timeouts[3:] == [30.0, 5.0]
    assert watched.client.requests[3].inputs != watched.client.requests[4].inputs, "a round of its own"


def test_a_reset_of_another_model_or_of_one_that_is_not_asked_changes_nothing() -> None:
    watched = Watched()
    watched.follow([KEY, OTHER])
    assert watched.follow(
        [KEY, OTHER], slis=table({KEY: 0.0, OTHER: 0.0, ModelKey("q", "1"): 0.0}, reset=[OTHER, ModelKey("q", "1")])
    ).begun == (OTHER,)


def test_a_configuration_that_changed_makes_another_plan_and_no_other_job() -> None:
    watched = Watched()
    watched.follow()
    assert watched.follow(configs=[config_of([spec("z", dims=(2,))])]) == Followed()
    plan = watched.canaries.plan_of(KEY)
    assert plan is not None
    assert set(plan.variants[0]) == {"z"}


def test_without_a_configuration_no_input_can_be_made_until_it_comes() -> None:
    watched = Watched()
    assert watched.follow(configs=()).begun == (KEY,)
    assert watched.run() == [None]
    assert (watched.state().note, watched.state().last_skip) == (
        "its configuration is not known",
        SkipReason.NO_INPUT,
    )
    assert watched.canaries.variants_of(KEY) == 1
    watched.follow()
    assert watched.run() == [CanaryReason.OK]
    assert watched.state().note == ""


def test_an_input_that_cannot_be_made_is_a_note_and_a_skip() -> None:
    watched = Watched()
    watched.follow(configs=[config_of([spec("x", "FP8")])])
    assert watched.run() == [None]
    assert "unknown type 'FP8'" in watched.state().note
    assert watched.state().skipped == {SkipReason.NO_INPUT: 1}


def test_a_model_that_is_not_served_counts_only_once_a_later_index_says_ready() -> None:
    watched = Watched(exchange(), GONE)
    watched.follow()
    watched.run(2)
    assert (watched.state().recent, watched.state().runs[CanaryReason.NOT_SERVED]) == ((True,), 1)
    watched.follow(duration=0.0)
    watched.clock.pass_by(1.0)
    watched.follow(duration=2.0)
    assert watched.state().recent == (True,)  # both polls began before the canary ended
    watched.follow(duration=0.5)
    assert watched.state().recent == (True, False)
    watched.follow(duration=0.1)
    assert watched.state().recent == (True, False)


def test_a_model_that_was_just_unloaded_did_not_fail() -> None:
    watched = Watched(exchange(), GONE)
    watched.follow()
    watched.run(2)
    watched.clock.pass_by(5.0)
    watched.follow((), others=[ModelState(KEY, ModelStatus.UNLOADED)])
    watched.follow()
    assert watched.state().recent == ()


def test_a_model_that_is_served_again_did_not_fail() -> None:
    watched = Watched(exchange(), GONE, exchange())
    watched.follow()
    watched.run(3)
    watched.clock.pass_by(5.0)
    watched.follow()
    assert watched.state().recent == (True, True)


def test_other_settings_hold_from_the_next_poll_on() -> None:
    watched = Watched()
    watched.follow([KEY, OTHER])
    watched.run()
    settings = CanarySettings(CanaryOptions(interval=7.0, timeout=2.0), exclude_models=("other",))
    assert set(watched.canaries.reconfigure(settings)) == {KEY, OTHER}
    assert watched.canaries.states() == {}
    assert watched.run() == [None]
    assert watched.follow([KEY, OTHER]) == Followed(begun=(KEY,))
    assert watched.canaries.interval_of(KEY) == watched.state().interval == 7.0
    assert watched.state().runs == {CanaryReason.OK: 1}
    watched.run()
    assert watched.client.timeouts[-1] == 12.0


def test_the_very_same_settings_begin_all_canaries_anew_with_the_very_same_poll() -> None:
    watched = Watched()
    same = poll([KEY], [CONFIG])
    watched.canaries.follow(same)
    watched.canaries.reconfigure(watched.canaries.settings)
    assert watched.canaries.follow(same) == Followed(begun=(KEY,))
    assert watched.run() == [CanaryReason.OK]


def test_a_reload_is_noticed_though_the_index_and_the_configurations_are_the_very_same() -> None:
    watched = Watched()
    same = poll([KEY, OTHER], [CONFIG, OTHER_CONFIG])
    watched.canaries.follow(same)
    assert watched.canaries.follow(same) == Followed()
    reloaded = replace(same, slis=table({KEY: 0.0, OTHER: 0.0}, reset=[OTHER]))
    assert watched.canaries.follow(reloaded).begun == (OTHER,)
    assert watched.canaries.follow(same) == Followed()


def test_a_failure_is_confirmed_though_the_index_and_the_configurations_are_the_very_same() -> None:
    watched = Watched(exchange(), GONE)
    same = replace(poll([KEY], [CONFIG]), duration=0.1)
    watched.canaries.follow(same)
    watched.run(2)
    watched.clock.pass_by(1.0)
    watched.canaries.follow(same)
    assert watched.state().recent == (True, False)


def test_models_that_come_and_go_are_noticed_though_their_configurations_are_the_very_same() -> None:
    """A poll that says the same as one before the last is no old news."""
    watched = Watched()
    second = ModelKey("m", "2")
    one, both = poll([KEY], [CONFIG]), poll([KEY, second])
    both = replace(both, configs=one.configs)
    assert watched.canaries.follow(one).begun == (KEY,)
    for _ in range(2):
        assert watched.canaries.follow(both) == Followed(begun=(second,))
        assert watched.canaries.follow(one) == Followed(ended=(second,))
    assert set(watched.canaries.states()) == {KEY}


def test_a_configuration_that_comes_later_is_noticed_though_the_index_is_the_very_same() -> None:
    watched = Watched()
    early = poll([KEY])
    watched.canaries.follow(early)
    assert watched.run() == [None]
    watched.canaries.follow(replace(early, configs={"m": CONFIG}))
    assert watched.run() == [CanaryReason.OK]


def test_ten_times_the_models_take_some_ten_times_as_long_to_begin_and_to_end() -> None:
    """Not a hundred times: a server may have thousands."""

    def seconds(models: int) -> float:
        watched = Watched()
        keys = [ModelKey(f"m{number}", "1") for number in range(models)]
        full, empty = poll(keys), poll(())
        begin = time.thread_time()
        assert len(watched.canaries.follow(full).begun) == models
        assert len(watched.canaries.follow(empty).ended) == models
        return time.thread_time() - begin

    assert seconds(6000) < 30 * min(seconds(600) for _ in range(3))


def test_options_of_a_model_go_before_those_of_all_and_last_until_it_is_gone() -> None:
    special = CanaryOptions(interval=3.0, start_delay=9.0)
    watched = Watched(settings=CanarySettings(overrides=((("m",), special),)))
    watched.follow([KEY, OTHER])
    canaries = watched.canaries
    assert (canaries.interval_of(KEY), canaries.start_delay_of(KEY)) == (3.0, 9.0)
    assert (canaries.interval_of(OTHER), canaries.start_delay_of(OTHER)) == (30.0, 0.0)
    watched.follow(())
    assert canaries.interval_of(KEY) == 30.0


RECORDED = {"y": tensor([0.1, 0.2, 0.3, 0.4])}
CHANGED = {"y": tensor([0.9, 0.2, 0.3, 0.4])}


def _golden(outputs: dict[str, Any]) -> Any:
    inputs = ({"x": tensor([1.0, 1.0, 1.0, 1.0])},)
    return replace(golden(outputs["y"]), model="m", inputs=inputs)


def test_a_golden_that_is_written_changed_broken_or_deleted_is_noticed_with_the_next_run(tmp_path: Path) -> None:
    watched = Watched(settings=CanarySettings(goldens=tmp_path))
    watched.follow()
    assert watched.run() == [CanaryReason.OK]
    assert not watched.state().has_golden
    path = save(tmp_path, _golden(CHANGED))
    assert watched.run() == [CanaryReason.GOLDEN_MISMATCH]
    assert watched.state().has_golden
    save(tmp_path, _golden(RECORDED))
    assert watched.run() == [CanaryReason.OK]
    path.write_text("{")
    assert watched.run() == [CanaryReason.OK]
    assert (watched.state().has_golden, watched.canaries.variants_of(KEY)) == (False, 2)
    assert watched.state().note.startswith(f"{path} cannot be used (it is no JSON")
    path.unlink()
    assert watched.run() == [CanaryReason.OK]
    assert watched.state().note == ""


def test_a_golden_that_is_there_is_used_from_the_first_run_on(tmp_path: Path) -> None:
    save(tmp_path, _golden(CHANGED))
    watched = Watched(settings=CanarySettings(goldens=tmp_path))
    watched.follow()
    assert watched.state().has_golden
    assert watched.run() == [CanaryReason.GOLDEN_MISMATCH]


def test_a_golden_without_inputs_is_noted_and_not_used(tmp_path: Path) -> None:
    save(tmp_path, replace(_golden(RECORDED), inputs=(), outputs=(), compare={}))
    watched = Watched(settings=CanarySettings(goldens=tmp_path))
    watched.follow()
    assert watched.state().note == "its golden has no inputs: record it again"
    assert watched.run() == [CanaryReason.OK]


def test_a_model_with_many_waiting_requests_gets_none_on_top(tmp_path: Path) -> None:
    watched = Watched(settings=CanarySettings(CanaryOptions(max_pending=5), goldens=tmp_path))
    watched.follow(slis=table({KEY: 6.0, OTHER: 0.0}))
    assert watched.run() == [None]
    assert watched.state().last_skip is SkipReason.PENDING
    watched.follow(slis=table({KEY: 5.0}))
    assert watched.run() == [CanaryReason.OK]
    watched.follow(slis=table({KEY: float("nan")}))
    watched.follow(slis=None)
    assert watched.run() == [CanaryReason.OK]


def test_waiting_requests_are_those_of_the_models_name_and_version_in_any_namespace() -> None:
    """A metrics page may name one; the index never does."""
    watched = Watched(max_pending=5)
    watched.follow([KEY, OTHER], slis=table({ModelKey("m", "2"): 0.0, ModelKey("m", "1", "a"): 6.0}))
    assert watched.run() == [None]
    assert watched.run(key=OTHER) != [None], "the page does not name it"


def test_the_first_call_may_take_long_and_counts_apart() -> None:
    def slowly(_request: InferRequest, _timeout: float) -> Exchange:
        watched.clock.pass_by(4.0)
        return exchange(answer(), seconds=4.0)

    watched = Watched(slowly, exchange(), max_latency=1.0, timeout=20.0)
    watched.follow()
    assert watched.run() == [CanaryReason.OK]
    assert (watched.state().first_call, sum(watched.state().buckets)) == (4.0, 0)
    watched.run()
    assert (watched.state().first_call, sum(watched.state().buckets)) == (4.0, 1)
    assert watched.client.timeouts == [60.0, 20.0]


@pytest.mark.parametrize(
    ("reason", "is_first_still"),
    [
        (CanaryReason.UNREACHABLE, True),
        (CanaryReason.OVERLOADED, True),
        (CanaryReason.DEADLINE, False),
        (CanaryReason.UNREADABLE, False),
    ],
)
def test_a_first_call_without_an_answer_leaves_the_next_one_the_first(
    reason: CanaryReason, is_first_still: bool
) -> None:
    watched = Watched(error(reason, seconds=1.0), exchange())
    watched.follow()
    watched.run(2)
    assert watched.client.timeouts == [30.0, 30.0 if is_first_still else 5.0]


def test_a_slow_answer_later_is_too_slow() -> None:
    watched = Watched(exchange(), exchange(seconds=2.0), max_latency=1.0)
    watched.follow()
    assert watched.run(2) == [CanaryReason.OK, CanaryReason.TOO_SLOW]


def test_a_doubt_makes_the_next_canary_come_sooner() -> None:
    watched = Watched(exchange(), error(CanaryReason.REFUSED))
    hurry = watched.canaries.hurry
    assert hurry(KEY) is None
    watched.follow()
    assert hurry(KEY) is None
    watched.run()
    assert hurry(KEY) is None
    watched.run()
    assert hurry(KEY) == 5.0
    watched.run()
    assert hurry(KEY) is None
    watched.follow(())
    assert hurry(KEY) is None


@pytest.mark.parametrize(("interval", "expected"), [(6.0, 1.0), (30.0, 5.0), (600.0, 5.0)])
def test_sooner_is_a_sixth_of_the_interval_and_five_seconds_at_most(interval: float, expected: float) -> None:
    watched = Watched(error(CanaryReason.REFUSED), interval=interval)
    watched.follow()
    watched.run()
    assert watched.canaries.hurry(KEY) == expected


def test_a_server_that_does_not_answer_is_left_in_peace_until_it_is_live_again() -> None:
    watched = Watched(error(CanaryReason.UNREACHABLE))
    watched.follow()
    assert watched.run(4) == [CanaryReason.UNREACHABLE] * 3 + [None]
    assert watched.state().last_skip is SkipReason.BACKING_OFF
    watched.clock.pass_by(31.0)
    assert watched.run(2) == [CanaryReason.UNREACHABLE, None]
    watched.follow(live=False)
    assert watched.run() == [None]
    watched.follow(live=True)
    assert watched.run() == [CanaryReason.UNREACHABLE]


def test_a_model_that_hangs_among_others_that_answer_stops_nobody() -> None:
    watched = Watched(error(CanaryReason.DEADLINE))
    watched.follow([KEY, OTHER])
    assert watched.run(10) == [CanaryReason.DEADLINE] * 10
    watched.client.replies = [exchange()]
    assert watched.run(key=OTHER) == [CanaryReason.OK]


def test_a_decoupled_model_needs_grpc() -> None:
    canaries = TargetCanaries(TARGET, CanarySettings(protocol=Protocol.HTTP))
    canaries.follow(poll([KEY], [config_of(decoupled=True)]))
    assert canaries.run(KEY) is None
    state = canaries.states()[KEY]
    assert state.last_skip is SkipReason.NEEDS_GRPC
    assert state.note == "it answers over gRPC alone, and canary.protocol is http: make it auto"
    assert not awaits_verdict(state), "that is no fault of the model"
    canaries.close()


class WithoutGrpc:
    """The canaries of a target with a model that streams and another, where gRPC is refused until it is `opened`."""

    def __init__(self, goldens: Path | None = None) -> None:
        self.clock = Clock()
        self.grpc = Scripted([error(CanaryReason.UNREACHABLE, "refused")])
        transport = Transport(
            TARGET, clock=self.clock, over_grpc=lambda _: self.grpc, over_http=lambda _: Scripted([exchange()])
        )
        settings = CanarySettings(goldens=goldens)
        self.canaries = TargetCanaries(TARGET, settings, client=transport, clocks=clocks(self.clock))
        self.follow()
        self.canaries.run(OTHER)  # goes over to HTTP

    def follow(self, **more: Any) -> None:
        self.canaries.follow(poll([KEY, OTHER], [config_of(decoupled=True), OTHER_CONFIG], **more))

    def opened(self) -> None:
        """gRPC is there again, and found when it is looked for the next time."""
        self.grpc.replies = [exchange()]
        self.clock.pass_by(601.0)
        self.canaries.run(OTHER)

    def note(self, key: ModelKey = KEY) -> str:
        return self.canaries.states()[key].note


def test_a_model_that_streams_is_noted_with_what_to_do_where_no_grpc_answers() -> None:
    watched = WithoutGrpc()
    assert watched.note() == "", "nobody has tried yet"
    assert watched.canaries.run(KEY) is None
    assert watched.note() == (
        "it answers over gRPC alone, and no gRPC answers at localhost:1: "
        "give the right address with grpc: in the file or --grpc, or let the server open its gRPC port"
    )
    assert watched.note(OTHER) == "", "it is asked over HTTP"
    state = watched.canaries.states()[KEY]
    assert (state.last_skip, state.verdict) == (SkipReason.NEEDS_GRPC, CanaryVerdict.UNKNOWN)
    assert not awaits_verdict(state), "that is no fault of the model"


def test_the_note_goes_away_when_grpc_is_there_again() -> None:
    watched = WithoutGrpc()
    watched.canaries.run(KEY)
    watched.opened()
    result = watched.canaries.run(KEY)
    assert result is not None
    assert result.ok
    assert watched.note() == ""


def test_the_note_goes_away_with_grpc_though_the_next_canary_is_not_sent_for_another_reason() -> None:
    watched = WithoutGrpc()
    watched.canaries.run(KEY)
    watched.opened()
    watched.follow(slis=table({KEY: 1000.0, OTHER: 0.0}))
    assert watched.canaries.run(KEY) is None
    assert (watched.note(), watched.canaries.states()[KEY].last_skip) == ("", SkipReason.PENDING)


def test_a_note_of_the_golden_comes_back_when_grpc_is_there_again(tmp_path: Path) -> None:
    broken = path_of(tmp_path, KEY.name, KEY.version)
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    watched = WithoutGrpc(tmp_path)
    of_golden = watched.note()
    assert of_golden
    watched.canaries.run(KEY)
    assert watched.note().startswith("it answers over gRPC alone")
    watched.opened()
    watched.canaries.run(KEY)
    assert watched.note() == of_golden


def test_a_decoupled_model_is_streamed() -> None:
    watched = Watched()
    watched.follow(configs=[config_of(decoupled=True)])
    assert watched.run() == [CanaryReason.OK]
    assert watched.client.streams == [1001]


def test_without_a_client_the_target_is_asked_as_the_settings_say() -> None:
    canaries = TargetCanaries(TARGET, CanarySettings(CanaryOptions(timeout=2.0), protocol=Protocol.HTTP))
    canaries.follow(poll([KEY], [CONFIG]))
    result = canaries.run(KEY)
    assert result is not None
    assert result.reason is CanaryReason.UNREACHABLE
    canaries.close()


ENSEMBLE = replace(
    config_of(name="e", max_batch_size=8),
    platform="ensemble",
    steps=(EnsembleStep("m", -1), EnsembleStep("other", -1), EnsembleStep("m", -1)),
)
E_KEY = ModelKey("e", "1")
ROWS = {"y": tensor([[0.1, 0.2, 0.3, 0.4]] * 2)}


def test_what_was_sent_is_taken_once_with_the_members_of_ensembles() -> None:
    settings = CanarySettings(CanaryOptions(batch_size=2), models=("e",))
    watched = Watched(exchange(answer(ROWS)), error(CanaryReason.SERVER_ERROR), settings=settings)
    assert watched.follow([E_KEY, KEY, OTHER], [ENSEMBLE, CONFIG, OTHER_CONFIG]).begun == (E_KEY,)
    watched.run(2, E_KEY)
    assert watched.canaries.take_sent() == {
        E_KEY: CanarySent(passed=1, failed=1, served=1, broken=1, rows=4),
        KEY: CanarySent(served=2, broken=2, rows=8),
        OTHER: CanarySent(served=1, broken=1, rows=4),
    }
    assert watched.canaries.take_sent() == {}


def test_members_are_those_versions_that_are_ready_now() -> None:
    watched = Watched(exchange(answer(ROWS)), settings=CanarySettings(CanaryOptions(batch_size=2), models=("e",)))
    watched.follow([E_KEY, KEY, OTHER], [ENSEMBLE])
    newer = ModelKey("m", "2")
    assert watched.follow([E_KEY, KEY, newer, OTHER], [ENSEMBLE]) == Followed()
    watched.run(1, E_KEY)
    assert set(watched.canaries.take_sent()) == {E_KEY, newer, OTHER}


def test_a_canary_that_was_skipped_was_not_sent() -> None:
    watched = Watched()
    watched.follow(slis=table({KEY: 100.0}))
    watched.run()
    assert watched.canaries.take_sent() == {}


class Gate:
    """An answer that waits until it is let go."""

    def __init__(self) -> None:
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, _request: InferRequest, _timeout: float) -> Exchange:
        self.entered.set()
        assert self.go.wait(10)
        return exchange()


def _run_behind(watched: Watched, gate: Gate) -> threading.Thread:
    thread = threading.Thread(target=watched.run)
    thread.start()
    assert gate.entered.wait(10)
    return thread


def test_two_threads_never_run_one_model_at_once() -> None:
    gate = Gate()
    watched = Watched(gate)
    watched.follow()
    thread = _run_behind(watched, gate)
    assert watched.run() == [None]
    assert watched.state().last_skip is SkipReason.STILL_RUNNING
    gate.go.set()
    thread.join()
    assert watched.run() == [CanaryReason.OK]
    assert len(watched.client.requests) == 2


@pytest.mark.parametrize("how", ["reload", "unload and load", "other configuration", "other settings"])
def test_nor_do_they_when_the_canary_begins_anew_meanwhile(how: str) -> None:
    gate = Gate()
    watched = Watched(gate)
    watched.follow()
    thread = _run_behind(watched, gate)
    if how == "reload":
        watched.follow(slis=table({KEY: 0.0}, reset=[KEY]))
    elif how == "unload and load":
        watched.follow((), others=[ModelState(KEY, ModelStatus.UNLOADED)])
        watched.follow()
    elif how == "other configuration":
        watched.follow(configs=[config_of([spec("z")])])
    else:
        watched.canaries.reconfigure(CanarySettings())
        watched.follow()
    assert watched.run() == [None]
    gate.go.set()
    thread.join()
    assert watched.run() == [CanaryReason.OK]


def test_a_run_that_ends_after_its_model_is_gone_is_counted_as_sent_and_nothing_else() -> None:
    gate = Gate()
    watched = Watched(gate)
    watched.follow()
    thread = _run_behind(watched, gate)
    watched.follow(())
    gate.go.set()
    thread.join()
    assert watched.canaries.states() == {}
    assert watched.canaries.take_sent()[KEY].served == 1


def test_many_threads_may_run_follow_and_read_at_once() -> None:
    watched = Watched()
    keys = [ModelKey(f"m{number}", "1") for number in range(6)]
    configs = [config_of(name=key.name) for key in keys]
    snapshots: list[TargetSnapshot] = [poll(keys[:most], configs) for most in (6, 3, 0, 6)]
    failures: list[BaseException] = []

    def hammer(number: int) -> None:
        try:
            for step in range(150):
                if number == 0:
                    watched.canaries.follow(snapshots[step % 4])
                elif number == 1:
                    watched.canaries.reconfigure(CanarySettings())
                    watched.canaries.take_sent()
                else:
                    watched.canaries.run(keys[(step + number) % 6])
                    watched.canaries.hurry(keys[step % 6])
        except BaseException as failure:  # noqa: BLE001 - told by the test itself
            failures.append(failure)

    threads = [threading.Thread(target=hammer, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_states_that_were_handed_out_never_change() -> None:
    watched = Watched()
    watched.follow()
    before = watched.canaries.states()
    watched.run()
    assert before[KEY].runs == {}


def test_a_golden_has_the_time_and_the_server(tmp_path: Path) -> None:
    watched = Watched()
    watched.follow(server=ServerInfo("triton", "2.51.0"))
    found = watched.canaries.record(KEY, repeats=2)
    assert (found.recorded_at, found.server) == ("2023-11-14T22:13:20+00:00", ("triton", "2.51.0"))
    save(tmp_path, found)
    assert json.loads(path_of(tmp_path, "m", "1").read_text("utf-8"))["model"] == "m"


def test_a_model_that_cannot_be_asked_cannot_be_recorded() -> None:
    watched = Watched()
    watched.follow(configs=())
    with pytest.raises(NotRecordedError, match="its configuration is not known"):
        watched.canaries.record(KEY, repeats=2)


def test_connections_are_closed() -> None:
    watched = Watched()
    watched.canaries.close()
    assert watched.client.closed == 1
