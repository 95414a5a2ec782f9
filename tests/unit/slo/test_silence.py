"""A failure is silent when a canary saw it and the server, which counted successes, counted no failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from support.frames import frame, key
from triton_watch.records import CanaryReason, CanaryResult, CanaryVerdict, Counter, ModelKey, SilentFailure
from triton_watch.slo.silence import SilenceWatch, risen
from unit.canary_samples import M, result, state, states

if TYPE_CHECKING:
    from collections.abc import Mapping

    from triton_watch.records import CanaryState, MetricsFrame

R = CanaryReason
LIES = [
    R.SERVER_ERROR, R.UNREADABLE, R.WRONG_VERSION, R.MISSING_OUTPUT, R.EXTRA_OUTPUT, R.WRONG_DTYPE, R.WRONG_SHAPE,
    R.NOT_FINITE, R.CONSTANT, R.SWAPPED, R.GOLDEN_MISMATCH, R.TOO_FEW_RESPONSES, R.TOO_MANY_RESPONSES,
    R.REFUSED, R.OVERLOADED,
]  # fmt: skip
SAY_NOTHING = [R.UNREACHABLE, R.DEADLINE, R.NOT_SERVED, R.TOO_SLOW]


def page(at: float, success: float, fail_backend: float = 0.0, name: ModelKey = M) -> MetricsFrame:
    return frame(at, {name: {Counter.SUCCESS: success, Counter.FAIL_BACKEND: fail_backend}})


def failing(reason: R = R.NOT_FINITE, **fields: Any) -> Mapping[ModelKey, CanaryState]:
    """A model whose last canary, from 10 s to 10.1 s, ended like this after another that did."""
    last = result(reason, **fields)
    return states(state(R.OK, reason, reason, last=last, last_failure=last))


def judged(
    canaries: Mapping[ModelKey, CanaryState], *pages: MetricsFrame, watch: SilenceWatch | None = None
) -> Mapping[ModelKey, SilentFailure]:
    """What is found when the pages before 10 s come before the canary, and the others after it."""
    watch = watch or SilenceWatch()
    found: Mapping[ModelKey, SilentFailure] = {}
    for one in pages:
        found = watch.observe(one, states(state()) if one.at < 10.0 else canaries)
    return found


LIE = (page(5.0, 100), page(15.0, 103))
HONEST = (page(5.0, 100), page(15.0, 100, fail_backend=1))


def test_every_reason_to_fail_is_here() -> None:
    assert {*LIES, *SAY_NOTHING, R.OK} == set(R)


@pytest.mark.parametrize("reason", LIES)
def test_an_error_that_the_server_takes_for_success_is_silent(reason: R) -> None:
    assert judged(failing(reason), *LIE) == {M: SilentFailure(1.7e9, reason, f"it is {reason.value}", 3.0)}


@pytest.mark.parametrize("reason", LIES)
def test_a_failure_that_the_server_counts_is_honest(reason: R) -> None:
    assert judged(failing(reason), *HONEST) == {}


@pytest.mark.parametrize("reason", SAY_NOTHING)
def test_what_the_server_cannot_know_or_is_no_error_is_not_silent(reason: R) -> None:
    assert judged(failing(reason), *LIE) == {}


def test_each_kind_of_failure_on_the_page_makes_it_honest() -> None:
    kinds = (Counter.FAIL_BACKEND, Counter.FAIL_OTHER, Counter.FAIL_REJECTED, Counter.FAIL_UNLABELLED)
    for counter in kinds:
        pages = (frame(at, {M: {Counter.SUCCESS: at, counter: more}}) for at, more in ((5.0, 2.0), (15.0, 3.0)))
        assert judged(failing(), *pages) == {}, counter.name


def test_without_a_success_nothing_was_counted_and_nothing_is_said() -> None:
    """A server that turns a request away at the door counts it nowhere."""
    assert judged(failing(R.REFUSED), page(5.0, 100), page(15.0, 100)) == {}


def test_an_input_that_was_made_up_may_be_refused_while_others_are_served() -> None:
    assert judged(failing(R.REFUSED, was_made_up=True), *LIE) == {}
    assert judged(failing(R.WRONG_SHAPE, was_made_up=True), *LIE) != {}


def test_a_page_from_before_the_canary_is_needed() -> None:
    assert judged(failing(), page(15.0, 103)) == {}
    watch = SilenceWatch()
    assert watch.observe(page(10.05, 100), failing()) == {}, "it came while the canary ran"
    assert watch.observe(page(15.0, 103), failing()) == {}


def test_a_page_counts_only_once_the_server_has_had_time_to_count() -> None:
    watch = SilenceWatch()
    assert judged(failing(), page(5.0, 100), page(10.3, 101), watch=watch) == {}
    assert set(watch.observe(page(11.0, 101, fail_backend=1), failing())) == set(), "the failure came late"


def test_a_success_that_is_counted_late_is_found_on_the_later_page() -> None:
    watch = SilenceWatch()
    assert judged(failing(), page(5.0, 100), page(10.3, 100), watch=watch) == {}
    assert set(watch.observe(page(11.0, 101), failing())) == {M}


def test_cycles_without_a_page_put_the_judgement_off() -> None:
    watch = SilenceWatch()
    judged(failing(), page(5.0, 100), watch=watch)
    assert watch.observe(None, failing()) == {}
    assert watch.observe(None, failing()) == {}
    assert set(watch.observe(page(60.0, 103), failing())) == {M}
    assert set(watch.observe(None, failing())) == {M}, "and it stays"


def test_counters_that_began_anew_or_are_gone_say_nothing() -> None:
    assert judged(failing(), page(5.0, 100), page(15.0, 3)) == {}
    assert judged(failing(), page(5.0, 100, name=key("other")), page(15.0, 3)) == {}
    assert judged(failing(), page(5.0, 100), page(15.0, 3, name=key("other"))) == {}
    for pages in ((page(5.0, 100), page(15.0, 3)), (page(5.0, 1), page(15.0, 3, name=key("other")))):
        assert np.isnan(risen(*pages, M)).all()


def test_what_was_found_stays_while_the_model_fails_and_the_last_one_is_told() -> None:
    watch = SilenceWatch()
    judged(failing(), *LIE, watch=watch)
    later = failing(R.WRONG_SHAPE, began=20.0, ended=20.1, at=1.8e9)
    assert watch.observe(page(20.2, 104), later)[M].reason is R.NOT_FINITE, "not judged yet"
    assert watch.observe(page(30.0, 105), later) == {M: SilentFailure(1.8e9, R.WRONG_SHAPE, "it is wrong_shape", 2.0)}


def test_an_honest_failure_after_a_silent_one_ends_it() -> None:
    watch = SilenceWatch()
    judged(failing(), *LIE, watch=watch)
    later = failing(R.SERVER_ERROR, began=20.0, ended=20.1)
    assert watch.observe(page(30.0, 103, fail_backend=1), later) == {}
    assert watch.observe(page(40.0, 109, fail_backend=1), later) == {}, "judged once"


@pytest.mark.parametrize("reason", SAY_NOTHING)
def test_a_failure_of_another_kind_after_a_silent_one_ends_it(reason: R) -> None:
    watch = SilenceWatch()
    judged(failing(), *LIE, watch=watch)
    assert watch.observe(page(30.0, 110), failing(reason, began=20.0, ended=20.1)) == {}


def test_a_model_that_passes_again_is_not_silent_and_an_old_finding_does_not_come_back() -> None:
    watch = SilenceWatch()
    judged(failing(), *LIE, watch=watch)
    old = result(R.NOT_FINITE)
    assert watch.observe(page(20.0, 105), states(state(R.OK, R.OK, last_failure=old))) == {}
    again = failing(R.DEADLINE, began=30.0, ended=35.0)
    assert watch.observe(page(35.1, 106), again) == {}, "not judged yet, and the last time is past"


def test_one_failure_that_may_be_chance_is_not_told_of() -> None:
    watch = SilenceWatch()
    once = result(R.NOT_FINITE)
    doubt = states(state(R.OK, R.OK, R.NOT_FINITE, last_failure=once))
    assert judged(doubt, *LIE, watch=watch) == {}
    assert set(watch.observe(page(16.0, 104), failing(began=15.5, ended=15.6))) == {M}, "a second one confirms it"


def test_a_model_that_has_no_canary_any_more_is_forgotten() -> None:
    watch = SilenceWatch()
    judged(failing(), *LIE, watch=watch)
    assert watch.observe(page(20.0, 105), {}) == {}
    assert watch.observe(page(25.0, 105), {}) == {}


def test_models_are_judged_each_by_its_own_counters() -> None:
    other = key("other")
    pages = [
        frame(at, {M: {Counter.SUCCESS: at}, other: {Counter.SUCCESS: at, Counter.FAIL_OTHER: at}})
        for at in (5.0, 15.0)
    ]
    honest: CanaryResult = result(R.NOT_FINITE, other)
    both = {**failing(), other: state(R.OK, R.NOT_FINITE, R.NOT_FINITE, key=other, last_failure=honest)}
    assert both[other].verdict is CanaryVerdict.FAILING
    assert set(judged(both, *pages)) == {M}
