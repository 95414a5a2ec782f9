"""What canaries found stands in the JSON of a snapshot, under names that are a contract."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from synthetic_state import canaries_of, names, snapshot_of
from triton_watch.daemon.describe import describe
from triton_watch.records import CanaryState, CanaryVerdict, ModelKey, Wedged

KEYS = names(2)


def models(**changes: Any) -> list[dict[str, Any]]:
    """The models of a snapshot of two of them, as a JSON parser reads them back."""
    snapshot = dataclasses.replace(snapshot_of(KEYS), **{"canaries": canaries_of(KEYS), **changes})
    described: list[dict[str, Any]] = json.loads(json.dumps(describe(snapshot)))["models"]
    return described


def test_a_canary_is_described_by_its_last_run_and_what_is_known_of_the_model() -> None:
    assert models()[0]["canary"] == {
        "verdict": "failing",
        "reason": "not_finite",
        "detail": "SCORES holds NaN",
        "at": 1.7e9,
        "latency": 0.5,
        "first_response": 0.25,
        "first_call": 2.5,
        "availability": 1 / 3,
        "golden": True,
        "note": "",
    }


def test_a_canary_that_never_ran_says_why_and_knows_nothing_else() -> None:
    state = CanaryState(KEYS[0], note="its configuration names no inputs")
    assert models(canaries={KEYS[0]: state})[0]["canary"] == {
        "verdict": CanaryVerdict.UNKNOWN.value,
        "reason": None,
        "detail": "",
        "at": None,
        "latency": None,
        "first_response": None,
        "first_call": None,
        "availability": None,
        "golden": False,
        "note": "its configuration names no inputs",
    }


def test_silent_failures_and_wedged_models_are_described_and_null_elsewhere() -> None:
    first, second = models()
    silent = {"at": 1.7e9, "reason": "not_finite", "detail": "SCORES holds NaN", "counted_success": 3.0}
    assert (first["silent_failure"], first["wedged"]) == (silent, None)
    wedged = {"polls": 4, "seconds": 60.0, "pending": 3.0}
    assert (second["silent_failure"], second["wedged"]) == (None, wedged)
    suspect = {ModelKey("model_00001", "1"): Wedged(3, 45.0, 3.0)}
    assert [one["wedged"] for one in models(wedged=suspect)] == [None, None]


def test_without_canaries_each_model_says_null() -> None:
    nothing: tuple[Any, ...] = (None, {})
    for none in nothing:
        found = models(canaries=none, silent={}, wedged={})
        assert {(one["canary"], one["silent_failure"], one["wedged"]) for one in found} == {(None, None, None)}


def test_a_model_that_only_the_index_knows_is_described_too() -> None:
    assert models(slis=None)[0]["canary"]["verdict"] == "failing"


def test_a_model_in_a_namespace_has_the_canary_of_its_name_and_version() -> None:
    spaced = ModelKey("m", "1", "team")
    snapshot = dataclasses.replace(snapshot_of((spaced,)), canaries=canaries_of((spaced,)), models=())
    (found,) = describe(snapshot)["models"]
    assert found["namespace"] == "team"
    assert found["canary"]["verdict"] == "failing"
    assert found["silent_failure"]["reason"] == "not_finite"
