"""What TritonQueueGrowing and TritonNotBatching say of a model's traffic."""

from __future__ import annotations

from support.alert_facts import CONFIG, M, facts, snapshot, table
from support.alert_moments import CROWDED, GOOD, LONELY, NO_BATCHER
from support.frames import key
from triton_watch.alerting.definitions.traffic import NOT_BATCHING, QUEUE_GROWING
from triton_watch.records import ModelConfig
from unit.alerting.test_definitions import cases

SINGLE = ModelConfig("encoder", max_batch_size=0)


def test_a_deep_queue_is_told_against_what_the_model_takes() -> None:
    found = cases(QUEUE_GROWING, facts(snapshot(slis=table(GOOD, pending=40.0))))
    assert found is not None
    assert [(dict(one.labels), one.holds, one.value) for one in found] == [
        ({"model": "encoder", "version": "1"}, True, 5.0)
    ]
    assert found[0].detail == (
        "40 requests wait for encoder, 5.0 times what it takes at once, and more come than are served."
    )


def test_another_threshold_moves_the_limit() -> None:
    deep = facts(snapshot(slis=table(GOOD, pending=40.0)))
    assert QUEUE_GROWING.condition is not None
    assert tuple(QUEUE_GROWING.condition(deep, 5.0) or ()) == ()
    assert len(tuple(QUEUE_GROWING.condition(deep, 4.9) or ())) == 1


def test_a_model_without_a_configuration_and_without_a_queue_is_no_question() -> None:
    assert cases(QUEUE_GROWING, facts(snapshot(slis=table(GOOD, None)))) == ()


def test_poor_batching_is_told_with_its_figures_and_whether_the_batcher_is_on() -> None:
    with_batcher = cases(NOT_BATCHING, facts(snapshot(slis=table(CROWDED))))
    without = cases(
        NOT_BATCHING, facts(snapshot(slis=table(CROWDED, NO_BATCHER), configs={NO_BATCHER.name: NO_BATCHER}))
    )
    assert with_batcher is not None
    assert without is not None
    figures = "Batches hold 1.0 of 8 while 8 requests are in flight (efficiency 12%)"
    assert with_batcher[0].detail == f"{figures}; dynamic_batching is on."
    assert without[0].detail == f"{figures}; dynamic_batching is missing from its configuration."
    assert with_batcher[0].value == 0.125


def test_with_a_higher_threshold_a_model_with_little_in_flight_still_has_nothing_to_batch() -> None:
    assert NOT_BATCHING.condition is not None
    alone = facts(snapshot(slis=table(LONELY, NO_BATCHER), configs={NO_BATCHER.name: NO_BATCHER}))
    assert tuple(NOT_BATCHING.condition(alone, 0.9) or ()) == ()


def test_without_traffic_nobody_knows_how_a_model_batches() -> None:
    found = cases(NOT_BATCHING, facts(snapshot(slis=table(keys=(M, key("other"))))))
    assert found is not None
    assert [one.holds for one in found] == [None, None]


def test_a_model_that_takes_no_batches_is_no_question() -> None:
    assert cases(NOT_BATCHING, facts(snapshot(slis=table({}, SINGLE), configs={SINGLE.name: SINGLE}))) == ()
    assert CONFIG.max_batch_size > 1
