"""Which models batch too little for their traffic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.frames import facts, frame, key
from triton_watch.records import Counter, ModelConfig, SliTable
from triton_watch.slo.batching import PoorBatches, poor_batches
from triton_watch.slo.sli import compute

M = key("m")
OFF = ModelConfig("m", max_batch_size=8)
ON = ModelConfig("m", max_batch_size=8, dynamic_batching=True)
NOTHING: dict[Counter, float] = dict.fromkeys(
    (c for c in Counter if c not in (Counter.CACHE_HITS, Counter.CACHE_MISSES)), 0.0
)


def table(config: ModelConfig, average: float, in_flight: float) -> SliTable:
    """Ten seconds of batches of this size on average, with so many requests in flight."""
    counted = {
        **NOTHING,
        Counter.SUCCESS: 1000.0,
        Counter.INFERENCES: 1000.0,
        Counter.EXECUTIONS: 1000.0 / average,
        Counter.REQUEST_US: in_flight * 10e6,
    }
    before, after = frame(10.0, {M: NOTHING}), frame(20.0, {M: counted})
    return compute(before, after, facts(after, config))


def test_poor_batches_are_told_with_all_their_figures() -> None:
    (found,) = poor_batches(table(ON, 1.0, 8.0), {"m": ON})
    assert found == PoorBatches(M, 1.0, 8, 8.0, 0.125, dynamic_batching=True)


def test_a_batcher_that_is_on_is_given_half_the_limit() -> None:
    (found,) = poor_batches(table(OFF, 3.0, 8.0), {"m": OFF})
    assert found.efficiency == 0.375
    assert list(poor_batches(table(ON, 3.0, 8.0), {"m": ON})) == []
    assert list(poor_batches(table(ON, 3.0, 8.0), {"m": ON}, 0.8)) != []


def test_without_its_configuration_a_model_is_not_judged() -> None:
    assert list(poor_batches(table(OFF, 1.0, 8.0), {})) == []


@given(st.floats(1, 8), st.floats(0.1, 100), st.floats(0.01, 1), st.booleans(), st.integers(1, 4))
def test_the_limit_is_the_formula(average: float, in_flight: float, low: float, is_on: bool, instances: int) -> None:
    config = ModelConfig("m", max_batch_size=8, dynamic_batching=is_on, instances=instances)
    efficiency = average / min(8.0, max(1.0, in_flight / instances))
    limit = low * (0.5 if is_on else 1.0)
    found = list(poor_batches(table(config, average, in_flight), {"m": config}, low))
    if abs(efficiency - limit) > 1e-6 and abs(in_flight / instances - 2) > 1e-6:
        assert bool(found) == (efficiency < limit and in_flight / instances >= 2)
