"""What TritonModelUnavailable and TritonModelWedged say of a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.alert_facts import BUSY, M, facts, snapshot, table
from support.alert_moments import FAILED, READY, in_state
from support.frames import key
from triton_watch.alerting.definitions.causes import cause_of
from triton_watch.alerting.definitions.models import MODEL_UNAVAILABLE, MODEL_WEDGED
from triton_watch.records import ModelState, ModelStatus, Wedged
from unit.alerting.test_definitions import cases


def unavailable(*states: ModelState) -> list[tuple[dict[str, str], str]]:
    found = cases(MODEL_UNAVAILABLE, facts(snapshot(models=states)))
    assert found is not None
    return [(dict(one.labels), one.detail) for one in found if one.holds]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("unable to find backend library for backend 'onnx', try specifying runtime", "its backend was not found"),
        ("Not found: unable to load shared library: libtriton_x.so: file too short", "its backend was not found"),
        ("Internal: CUDA out of memory. Tried to allocate 2 GiB", "memory ran out"),
        ("unable to create stream: CUDA_ERROR_OUT_OF_MEMORY", "memory ran out"),
        ("std::bad_alloc", "memory ran out"),
        ("ensemble 'pipe' depends on 'tokenizer' which has no loaded version", "a model that it needs is not ready"),
        (
            "unable to load model 'm', tensor 'INPUT': the model expects 2 dimensions (shape [-1,8]) but the model "
            "configuration specifies 3 dimensions",
            "its shapes are not those of the model",
        ),
        ("something that nobody knows", ""),
        ("", ""),
    ],
)
def test_the_common_errors_are_named_with_what_to_do(reason: str, cause: str) -> None:
    assert cause_of(reason).split(":")[0] == cause


def test_a_model_that_failed_to_load_is_told_with_tritons_reason_and_its_cause() -> None:
    failed = in_state(ModelStatus.UNAVAILABLE, "Internal: failed to allocate\n  pinned memory.")
    ((of, detail),) = unavailable(failed)
    assert of == {"model": "encoder"}
    assert detail.startswith(
        "encoder failed to load: Internal: failed to allocate pinned memory (memory ran out: fewer"
    )
    assert detail.endswith("more (shared) memory).")


def test_without_a_reason_the_log_is_named() -> None:
    ((_, detail),) = unavailable(in_state(ModelStatus.UNAVAILABLE))
    assert detail == "encoder failed to load, and the server gives no reason; its log does."


def test_an_expected_model_is_told_by_what_it_is_instead_of_ready() -> None:
    missing = ModelState(key("ranker", ""), ModelStatus.MISSING, expected=True)
    assert unavailable(READY, missing)[0][1].startswith("ranker is expected, and not in the server's repository")
    assert unavailable(in_state(ModelStatus.UNLOADED, expected=True))[0][1] == "encoder is expected, and UNLOADED."


def test_all_versions_of_a_model_make_one_case() -> None:
    assert len(unavailable(FAILED, in_state(ModelStatus.UNAVAILABLE, "no", version="2"))) == 1


@pytest.mark.parametrize("status", [ModelStatus.LOADING, ModelStatus.UNLOADING, ModelStatus.UNKNOWN])
def test_while_something_goes_on_with_a_version_the_model_has_not_failed(status: ModelStatus) -> None:
    assert unavailable(FAILED, in_state(status, version="2")) == []


def test_a_model_that_hangs_is_told_with_its_figures() -> None:
    found = cases(MODEL_WEDGED, facts(snapshot(wedged={M: Wedged(1, 15.2, 1.0), key("other"): Wedged(5, 75.0, 12.0)})))
    assert found is not None
    assert [(dict(one.labels)["model"], one.detail, one.value) for one in found] == [
        ("encoder", "encoder on gpu-7 hangs: 1 request waits, and none was answered for 15 s.", 15.2),
        ("other", "other on gpu-7 hangs: 12 requests wait, and none was answered for 75 s.", 75.0),
    ]


def test_a_model_that_may_hang_is_not_known_until_it_was_watched_for_long_enough() -> None:
    """After a restart of the agent nothing has been counted yet, and the model may hang all the while."""
    waits = facts(snapshot(slis=table(pending=3.0)))
    assert [one.holds for one in cases(MODEL_WEDGED, waits) or ()] == [None]
    answers = facts(snapshot(slis=table(BUSY, pending=3.0)))
    assert cases(MODEL_WEDGED, answers) == ()
    first_poll = facts(snapshot(slis=replace(table(pending=3.0), interval=0.0)))
    assert cases(MODEL_WEDGED, first_poll) is None
