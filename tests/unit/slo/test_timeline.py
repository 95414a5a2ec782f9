"""Time never goes back, whatever the clocks do, and sleeps count as time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triton_watch.slo.timeline import Timeline, after_pause

JUMPS = st.floats(-1e7, 1e7, allow_nan=False)
STEPS = st.lists(st.tuples(st.floats(0, 1e6), JUMPS, st.booleans()), max_size=30)


@given(STEPS)
def test_time_never_goes_back_and_never_stands_still_while_seconds_pass(steps: list[tuple[float, float, bool]]) -> None:
    """Each step: seconds that pass, a jump of the wall clock, and whether the monotonic clock sleeps."""
    wall, monotonic = 1.7e9, 5.0
    line = Timeline(100.0, wall, monotonic)
    for seconds, jump, asleep in steps:
        before = line.time
        wall += seconds + jump
        monotonic += 0.0 if asleep else seconds
        now = line.advance(wall, monotonic)
        assert now >= before
        if not asleep and seconds > 2:
            assert now - before >= seconds - 1.0 - 1e-3, "no event gets younger"


def test_a_sleep_counts_though_the_monotonic_clock_stood_still() -> None:
    line = Timeline(0.0, 1.7e9, 50.0)
    assert line.advance(1.7e9 + 6 * 3600, 51.0) == 6 * 3600


def test_after_a_clock_was_set_back_time_goes_on_by_the_monotonic_clock() -> None:
    line = Timeline(0.0, 1.7e9, 50.0)
    assert line.advance(1.7e9 - 3600, 65.0) == 15.0
    assert line.advance(1.7e9 - 3600 + 15, 80.0) == 30.0


def test_two_looks_at_one_moment_are_one_moment() -> None:
    line = Timeline(0.0, 1.7e9, 50.0)
    assert line.advance(1.7e9 - 0.2, 50.0) == 0.0


def test_the_time_while_nobody_counted_passes_too_and_never_backwards() -> None:
    assert after_pause(100.0, stopped=1000.0, started=1500.0) == 600.0
    assert after_pause(100.0, stopped=1000.0, started=900.0) == 100.0
