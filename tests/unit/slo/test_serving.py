"""Whether a client that comes now would be served: the server's word, its models' states, and their canaries."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from support.frames import key
from support.misbehaving import target_at
from triton_watch.records import (
    CanaryReason,
    CanarySettings,
    CanaryState,
    CanaryVerdict,
    ModelKey,
    ModelState,
    ModelStatus,
    SkipReason,
    TargetSnapshot,
    Wedged,
)
from triton_watch.slo.serving import Serving, ServingVerdict, serving_of
from unit.canary_samples import M, result, state, states

if TYPE_CHECKING:
    from collections.abc import Sequence

R, S = CanaryReason, ModelStatus
NOW = 1000.0
N = key("n")
PASSES, FAILS, UNDECIDED = state(R.OK), state(R.NOT_FINITE, R.NOT_FINITE), state()
READY = ModelState(M, S.READY)


def snapshot(
    *models: ModelState,
    expected: Sequence[str] = (),
    at: float = NOW - 1.0,
    recently: Sequence[bool | None] = (),
    **more: Any,
) -> TargetSnapshot:
    """A poll of a second ago of a server that is ready, with these models."""
    target = target_at("http://h", expected_models=tuple(expected))
    fields = {"live": True, "ready": True, "models": models, "ready_recently": tuple(recently) or (True,), **more}
    return TargetSnapshot(target, 5, at, 0.1, MappingProxyType({}), **fields)


def verdict(found: TargetSnapshot | None, *canaries: CanaryState, model: str | None = None) -> ServingVerdict:
    return serving_of(found, states(*canaries), CanarySettings(), NOW, model)


def test_a_server_that_is_ready_and_whose_canaries_pass_serves_without_a_reason() -> None:
    assert verdict(snapshot(READY), PASSES) == ServingVerdict(Serving.SERVING)


def test_before_the_first_poll_nothing_is_known() -> None:
    assert verdict(None) == ServingVerdict(Serving.UNKNOWN, ("it has not been polled yet",))


@pytest.mark.parametrize(("age", "expected"), [(65.0, Serving.SERVING), (65.1, Serving.UNKNOWN)])
def test_a_poll_that_is_over_four_intervals_old_says_nothing_any_more(age: float, expected: Serving) -> None:
    found = verdict(snapshot(READY, at=NOW - age), PASSES)
    assert found.verdict is expected
    assert found.reasons == (() if expected is Serving.SERVING else ("it was last polled 65 s ago",))


def test_the_servers_own_no_counts_at_once() -> None:
    found = verdict(snapshot(READY, ready=False, recently=(True, True, False)), PASSES)
    assert found == ServingVerdict(Serving.NOT_SERVING, ("the server says that it is not ready",))


@pytest.mark.parametrize(
    ("recently", "expected"),
    [
        ((None,), Serving.NOT_SERVING),
        ((True, None), Serving.SERVING),
        ((True, True, None), Serving.SERVING),
        ((True, None, None), Serving.NOT_SERVING),
        ((None, True, None), Serving.NOT_SERVING),
        ((None, None, None, True, True, None), Serving.SERVING),
        ((None, None, True), Serving.SERVING),
        ((False, True, None), Serving.NOT_SERVING),
    ],
)
def test_silence_counts_when_two_of_the_last_three_polls_were_silent(
    recently: tuple[bool | None, ...], expected: Serving
) -> None:
    """A single one is a blip; who never answered has no credit, and who answers now is there."""
    found = verdict(snapshot(READY, ready=recently[-1], recently=recently), PASSES)
    assert found.verdict is expected


def test_an_index_that_was_never_read_leaves_it_unknown() -> None:
    found = verdict(snapshot(models=None))
    assert found.verdict is Serving.UNKNOWN
    assert "repository index" in found.reasons[0]


FAILED = "the canary of m:1 fails: not_finite: it is not_finite"


@pytest.mark.parametrize(
    ("models", "canaries", "expected", "reasons"),
    [
        ((READY,), (FAILS,), Serving.NOT_SERVING, (FAILED,)),
        ((READY,), (UNDECIDED,), Serving.UNKNOWN, ("the canary of m:1 has not decided yet",)),
        ((READY,), (state(R.NOT_FINITE),), Serving.UNKNOWN, ("the canary of m:1 has not decided yet",)),
        ((READY,), (), Serving.SERVING, ()),
        ((), (), Serving.SERVING, ()),
        ((ModelState(M, S.UNAVAILABLE),), (), Serving.SERVING, ()),
        ((READY, ModelState(N, S.UNAVAILABLE)), (PASSES,), Serving.SERVING, ()),
        ((READY, ModelState(N, S.READY)), (PASSES, state(R.NOT_FINITE, R.NOT_FINITE, key=N)), Serving.NOT_SERVING,
         ("the canary of n:1 fails: not_finite: it is not_finite",)),
        ((READY, ModelState(N, S.READY)), (FAILS, state(key=N)), Serving.NOT_SERVING, (FAILED,)),
    ],
)  # fmt: skip
def test_without_expected_models_all_that_are_ready_count(
    models: tuple[ModelState, ...], canaries: tuple[CanaryState, ...], expected: Serving, reasons: tuple[str, ...]
) -> None:
    """No certain failure is hidden behind what is not known yet."""
    assert verdict(snapshot(*models), *canaries) == ServingVerdict(expected, reasons)


@pytest.mark.parametrize(
    ("models", "expected", "reason"),
    [
        ((READY,), Serving.SERVING, None),
        ((READY, ModelState(N, S.UNAVAILABLE)), Serving.SERVING, None),
        ((ModelState(M, S.LOADING),), Serving.NOT_SERVING, "m is not ready: LOADING"),
        ((ModelState(M, S.UNAVAILABLE), ModelState(key("m", "2"), S.READY)), Serving.SERVING, None),
        ((ModelState(ModelKey("m", ""), S.MISSING),), Serving.NOT_SERVING, "m is not ready: MISSING"),
        ((), Serving.NOT_SERVING, "m is not ready: not in the repository index"),
    ],
)
def test_expected_models_alone_count_where_there_are_any(
    models: tuple[ModelState, ...], expected: Serving, reason: str | None
) -> None:
    """Canaries of models that nobody expects do not matter then."""
    other = state(R.NOT_FINITE, R.NOT_FINITE, key=N)
    found = verdict(snapshot(*models, expected=["m"]), PASSES, other)
    assert found == ServingVerdict(expected, () if reason is None else (reason,))


def test_one_model_can_be_asked_about_whatever_is_expected() -> None:
    both = snapshot(READY, ModelState(N, S.READY), expected=["n"])
    canaries = (FAILS, state(R.OK, key=N))
    assert verdict(both, *canaries).verdict is Serving.SERVING
    assert verdict(both, *canaries, model="n").verdict is Serving.SERVING
    assert verdict(both, *canaries, model="m").verdict is Serving.NOT_SERVING
    assert verdict(both, *canaries, model="x").reasons == ("x is not ready: not in the repository index",)


def test_a_server_that_is_not_ready_serves_no_model_and_both_reasons_are_told() -> None:
    found = verdict(snapshot(READY, ready=False), FAILS, model="m")
    assert found.reasons == ("the server says that it is not ready", FAILED)


@pytest.mark.parametrize("skip", list(SkipReason))
def test_a_model_whose_canary_cannot_be_sent_is_as_ready_as_the_server_says(skip: SkipReason) -> None:
    """A full queue is a busy model; one that is not asked for another reason is not known to be well."""
    found = verdict(snapshot(READY), state(last_skip=skip))
    no_fault = skip in (SkipReason.NO_INPUT, SkipReason.NEEDS_GRPC, SkipReason.PENDING)
    assert found.verdict is (Serving.SERVING if no_fault else Serving.UNKNOWN)


def test_a_skipped_canary_does_not_change_a_verdict_that_there_is() -> None:
    assert verdict(snapshot(READY), state(R.OK, last_skip=SkipReason.BACKING_OFF)).verdict is Serving.SERVING
    busy = state(R.NOT_FINITE, R.NOT_FINITE, last_skip=SkipReason.PENDING)
    assert verdict(snapshot(READY), busy).verdict is Serving.NOT_SERVING


def test_a_wedged_model_does_not_serve_with_or_without_a_canary() -> None:
    wedged = {ModelKey("m", "1", "space"): Wedged(polls=4, seconds=60.0, pending=3.0)}
    for canaries in ((), (PASSES,)):
        found = verdict(snapshot(READY, wedged=wedged), *canaries)
        assert found.verdict is Serving.NOT_SERVING
        assert found.reasons == ("m:1 is wedged: 3 requests wait, and none was answered for 60 s",)
    assert verdict(snapshot(READY, wedged={N: Wedged(4, 60.0, 3.0)}), PASSES).verdict is Serving.SERVING


def test_a_model_that_only_looks_wedged_so_far_still_serves() -> None:
    wedged = {ModelKey("m", "1"): Wedged(polls=3, seconds=45.0, pending=3.0)}
    assert verdict(snapshot(READY, wedged=wedged), PASSES).verdict is Serving.SERVING


def test_a_reason_stands_on_one_line_whatever_the_server_said() -> None:
    said = result(R.SERVER_ERROR, detail="first\n  second\r\n")
    assert verdict(snapshot(READY), state(R.OK, R.SERVER_ERROR, R.SERVER_ERROR, last_failure=said)).reasons == (
        "the canary of m:1 fails: server_error: first second",
    )
    nothing = state(verdict=CanaryVerdict.FAILING)
    assert verdict(snapshot(READY), nothing).reasons == ("the canary of m:1 fails",)
    wordless = state(verdict=CanaryVerdict.FAILING, last_failure=result(R.DEADLINE, detail=""))
    assert verdict(snapshot(READY), wordless).reasons == ("the canary of m:1 fails: deadline",)
